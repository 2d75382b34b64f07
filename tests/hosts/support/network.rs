//! A small server around one Docker network: its desired state, and who is on the network.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::json;
use super::{CHECKOUT, Host};

/// The network that all services share.
pub(crate) const NETWORK: &str = "watchme-network";
/// Where the desired state defines it.
pub(crate) const INFRA: &str = "desired-state/docker-compose.infra.yml";
/// What the desired state says about its members.
pub(crate) const POLICY: &str = "desired-state/watchme.toml";
/// Where the unit that brings it up is defined.
pub(crate) const OWNER: &str = "desired-state/systemd/watchme-infrastructure.service";

/// How a plan says that the network will be made.
pub(crate) const CREATE_NETWORK: &str = "network/watchme-network: create the network 172.27.0.0/16";

/// The infrastructure file with this address range.
pub(crate) fn infra_file(subnet: &str, gateway: &str) -> String {
    format!(
        "version: '3.8'
services:
  network-holder:
    image: busybox:1.36.1
    command: ['true']
    restart: 'no'
    networks: [watchme-network]
networks:
  watchme-network:
    name: watchme-network
    driver: bridge
    ipam:
      config:
        - subnet: {subnet}
          gateway: {gateway}
"
    )
}

/// The infrastructure file as the servers have it.
pub(crate) fn watchme_infra() -> String {
    infra_file("172.27.0.0/16", "172.27.0.1")
}

/// How the owner unit, or a person, brings the network up.
pub(crate) const INFRA_UP: &str = "/usr/bin/docker-compose -p watchme-infrastructure \
    -f /home/ubuntu/watchme-server-configs/desired-state/docker-compose.infra.yml up -d --force-recreate";

/// The unit that owns the network.
pub(crate) fn owner_unit() -> String {
    format!(
        "[Unit]
Description=infrastructure
After=docker.service
Requires=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=0
ExecStart={INFRA_UP}

[Install]
WantedBy=multi-user.target
"
    )
}

/// A unit that runs `compose/NAME`, ordered after the owner of the network. `stop` is what it does with its
/// containers: `down` removes them, `stop` keeps them.
pub(crate) fn service_unit(name: &str, up: &str, stop: &str) -> String {
    let compose = format!(
        "/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/desired-state/compose/{name}/docker-compose.yml"
    );
    format!(
        "[Unit]
Description={name}
After=docker.service watchme-infrastructure.service
Requires=docker.service watchme-infrastructure.service

[Service]
TimeoutStartSec=0
ExecStart={compose} {up}
ExecStop={compose} {stop}
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
"
    )
}

/// A desired state, file by file.
#[derive(Default)]
pub(crate) struct Server {
    files: Vec<(String, String)>,
}

impl Server {
    /// One with the infrastructure file alone.
    pub(crate) fn new() -> Self {
        Self::default().with(INFRA, watchme_infra())
    }

    /// One with the infrastructure file and the unit that brings it up.
    pub(crate) fn with_owner() -> Self {
        Self::new().with(OWNER, owner_unit())
    }

    /// The same with one more file.
    pub(crate) fn with(mut self, path: &str, content: impl Into<String>) -> Self {
        self.files.push((path.to_owned(), content.into()));
        self
    }

    /// The same with the unit `watchme-NAME.service` over a compose file with one service of this name; `more` are
    /// further lines of the service.
    pub(crate) fn service(self, name: &str, (up, stop): (&str, &str), more: &[&str]) -> Self {
        let unit = format!("desired-state/systemd/watchme-{name}.service");
        let compose = format!("desired-state/compose/{name}/docker-compose.yml");
        self.with(&unit, service_unit(name, up, stop))
            .with(&compose, compose_file(name, more))
    }

    /// The same with such a unit whose container `watchme-NAME` is on the network.
    pub(crate) fn member(self, name: &str, commands: (&str, &str)) -> Self {
        let container = format!("container_name: watchme-{name}");
        self.service(name, commands, &[&container, "networks: [watchme-network]"])
    }

    /// Commits it as the checkout of a host, whose images are loaded as well.
    #[track_caller]
    pub(crate) fn check_out(&self, host: &Host) {
        host.load_service_image("busybox:1.36.1", 8000, &[]);
        let files: Vec<_> = self
            .files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_str()))
            .collect();
        host.checkout(&files);
    }
}

/// A compose file of one service, whose network is made elsewhere.
fn compose_file(service: &str, more: &[&str]) -> String {
    let more: String = more.iter().map(|line| format!("    {line}\n")).collect();
    format!(
        "version: '3.8'
services:
  {service}:
    image: busybox:1.36.1
{more}networks:
  watchme-network:
    external: true
"
    )
}

impl Host {
    /// The network is as [`watchme_infra`] defines it.
    #[track_caller]
    pub(crate) fn assert_network_as_desired(&self) {
        let ranges = "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}";
        let format = format!("{{{{.Driver}}}} {ranges} {{{{.Internal}}}} {{{{len .Options}}}}");
        let spec = self.run(&["docker", "network", "inspect", "-f", &format, NETWORK]);
        let spec = spec.expect(0).stdout;
        assert_eq!(spec.trim(), "bridge 172.27.0.0/16 172.27.0.1 false 0");
    }

    /// The unit runs, or a oneshot has run.
    #[track_caller]
    pub(crate) fn assert_active(&self, unit: &str) {
        let state = self.run(&["systemctl", "is-active", unit]).stdout;
        assert_eq!(state, "active\n", "{unit}");
    }

    /// The network's id, if there is exactly one of its name.
    pub(crate) fn network_id(&self, name: &str) -> Option<String> {
        let list = self.sh(&format!(
            "docker network ls --no-trunc -q --filter name=^{name}$"
        ));
        (list.lines().count() == 1).then_some(list)
    }

    /// Who is on the network, as the network itself lists it: names of containers with their addresses.
    #[track_caller]
    pub(crate) fn on_network(&self, name: &str) -> BTreeMap<String, String> {
        let format = "{{range .Containers}}{{.Name}} {{.IPv4Address}}{{println}}{{end}}";
        let output = self.run(&["docker", "network", "inspect", "-f", format, name]);
        let mut found = BTreeMap::new();
        for line in output.expect(0).stdout.lines() {
            if let Some((container, address)) = line.split_once(' ') {
                let address = address.split('/').next().unwrap_or_default();
                found.insert(container.to_owned(), address.to_owned());
            }
        }
        found
    }

    /// The names of the containers on the network.
    #[track_caller]
    pub(crate) fn names_on_network(&self, name: &str) -> BTreeSet<String> {
        self.on_network(name).into_keys().collect()
    }

    /// The name of a service's container, which compose 1 writes `project_service_1` and compose 2 `project-service-1`.
    #[track_caller]
    pub(crate) fn container_of(&self, project: &str, service: &str, number: u32) -> String {
        let label = |name: &str, value: &str| format!("label=com.docker.compose.{name}={value}");
        let filters = [
            label("project", project),
            label("service", service),
            label("container-number", &number.to_string()),
        ];
        let filters = filters.iter().flat_map(|filter| ["--filter", filter]);
        let list = ["docker", "ps", "-a", "--format", "{{.Names}}"];
        let list: Vec<&str> = list.into_iter().chain(filters).collect();
        let found = self.run(&list).expect(0).stdout;
        assert_eq!(
            found.lines().count(),
            1,
            "{project} {service} {number}: {found}"
        );
        found.trim().to_owned()
    }

    /// A field of a container's own record, as Go template.
    #[track_caller]
    pub(crate) fn container(&self, name: &str, format: &str) -> String {
        let output = self.run(&["docker", "inspect", "-f", format, name]);
        output.expect(0).stdout.trim().to_owned()
    }

    /// Whether container `from` finds `name` on the network, and everything of this name answers it over HTTP.
    pub(crate) fn reaches(&self, from: &str, name: &str) -> bool {
        let inside = |command: &[&str]| self.run(&[&["docker", "exec", from], command].concat());
        // In two steps: wget of a static busybox cannot resolve names.
        let found = inside(&["busybox", "nslookup", name]).stdout;
        let found = found.split_once("Name:").map_or("", |(_, answer)| answer);
        let mut addresses = found
            .lines()
            .filter_map(|line| line.strip_prefix("Address: "));
        let answers = |address| {
            inside(&["wget", "-O", "-", &format!("http://{address}:8000/")]).stdout
                == "busybox:1.36.1\n"
        };
        !found.is_empty() && addresses.all(answers)
    }

    /// Where a program connects to over unix sockets: the paths, in order.
    #[track_caller]
    pub(crate) fn sockets_of(&self, args: &[&str]) -> Vec<String> {
        let trace = self.strace(&["-e", "trace=connect"], args);
        let paths = trace
            .lines()
            .filter_map(|line| line.split("sun_path=").nth(1));
        paths
            .filter_map(|rest| rest.split('"').nth(1))
            .map(str::to_owned)
            .collect()
    }

    /// The system calls with which a run asks the Docker engine to change something: each as `CALL:when=NTH`, to
    /// kill another such run on entry to it.
    #[track_caller]
    pub(crate) fn requests_of(&self, args: &[&str]) -> Vec<String> {
        let trace = self.strace(&["-e", "trace=write,writev,sendto,sendmsg"], args);
        let call = |line: &str| line.split(['(', '<']).next().unwrap_or_default().to_owned();
        let lines: Vec<_> = trace.lines().collect();
        let requests = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains("\"POST /"));
        requests
            .map(|(index, line)| {
                // strace counts for each thread and each call by itself; a line begins with the thread.
                let same = lines
                    .iter()
                    .take(index + 1)
                    .filter(|other| call(other) == call(line));
                let name = call(line)
                    .split_whitespace()
                    .last()
                    .unwrap_or_default()
                    .to_owned();
                format!("{name}:when={}", same.count())
            })
            .collect()
    }

    /// Runs the tool as root in the checkout under strace and returns the trace.
    #[track_caller]
    pub(crate) fn strace(&self, options: &[&str], args: &[&str]) -> String {
        let trace = "/run/calls-of-the-test";
        let enter = ["sh", "-c", "cd \"$0\" && exec \"$@\"", CHECKOUT];
        let strace = ["strace", "-f", "-qq", "-s", "200", "-o", trace];
        let line = [&enter[..], &strace, options, &["--", "watchme-apply"], args].concat();
        self.run(&line);
        self.read(trace)
    }

    /// Starts a container by hand, as no unit does: one that serves HTTP unless `command` says another thing.
    #[track_caller]
    pub(crate) fn run_container(&self, name: &str, options: &str, command: &str) {
        self.sh(&format!(
            "docker run -d --name {name} {options} busybox:1.36.1 {command} >/dev/null"
        ));
    }
}

/// The policy with these members, one inline table each.
pub(crate) fn policy(members: &[&str]) -> String {
    let members: Vec<_> = members
        .iter()
        .map(|member| format!("  {{ {member} }},\n"))
        .collect();
    format!(
        "[network.watchme-network]\nmember = [\n{}]\n",
        members.concat()
    )
}

/// What `drift --only network ARGS --json` says.
#[track_caller]
pub(crate) fn network_drift(host: &Host, args: &[&str], status: i32) -> Value {
    let output = host.tool(&[&["drift", "--only", "network", "--json"], args].concat());
    json("drift", &output.expect(status).stdout)
}

/// `KIND NAME: WHAT` of each deviation of a list.
pub(crate) fn told(list: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = list.as_array().into_iter().flatten();
    let mut told: Vec<_> = items
        .map(|item| {
            format!(
                "{} {}: {}",
                text(&item["kind"]),
                text(&item["resource"])
                    .split_once('/')
                    .map_or("", |(_, name)| name),
                text(&item["what"])
            )
        })
        .collect();
    told.sort();
    told
}

/// The members of the network in `status --json`.
#[track_caller]
pub(crate) fn members(host: &Host) -> Vec<Value> {
    let status = json("status", &host.tool(&["status", "--json"]).expect(0).stdout);
    status["networks"][0]["members"]
        .as_array()
        .expect("members")
        .clone()
}

/// A field of one member of a status.
pub(crate) fn field<'a>(members: &'a [Value], name: &str, field: &str) -> &'a Value {
    let member = members.iter().find(|member| member["name"] == name);
    &member.unwrap_or_else(|| panic!("no {name} in {members:?}"))[field]
}

/// Names, ids, start times and endpoints of containers: what stays when nobody touches them.
pub(crate) fn marks(host: &Host, container: &str) -> String {
    let endpoint = "{{range .NetworkSettings.Networks}}{{.EndpointID}}{{end}}";
    host.container(
        container,
        &format!("{{{{.Id}}}} {{{{.State.StartedAt}}}} {endpoint}"),
    )
}
