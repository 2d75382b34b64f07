//! What hosts can be besides Debian with one family of addresses: see docs/platforms.md.

use std::time::Duration;

use crate::support::network::{INFRA, NETWORK, OWNER, POLICY, Server, owner_unit};
use crate::support::{CHECKOUT, Debian, Host, desired};

const BOUND: Duration = Duration::from_secs(30);

const INFRA_TEXT: &str = "services:
  network-holder:
    image: busybox:1.36.1
    command: ['true']
    networks: [watchme-network]
networks:
  watchme-network:
    name: watchme-network
    enable_ipv6: true
    ipam:
      config:
        - subnet: 172.27.0.0/16
          gateway: 172.27.0.1
        - subnet: fd00:27::/64
          gateway: fd00:27::1
";

const POLICY_TEXT: &str = "[network.watchme-network]
owner = 'watchme-infrastructure.service'
[[network.watchme-network.member]]
container = 'watchme-vault'
address = 'fd00:27::50'
pin = true
[[network.watchme-network.member]]
container = 'watchme-store'
[[gate]]
url = 'http://[::1]:8080/'
status = 200
retries = 20
";

/// Both addresses of a container on the network.
fn addresses(host: &Host, container: &str) -> String {
    let of_network =
        "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}";
    host.container(container, of_network)
}

/// Subnets of both families, a pinned IPv6 address, one container with fixed addresses of both, and a gate on `[::1]`.
#[test]
fn networks_of_both_families() {
    // Its container may switch IPv6 on, which that of Debian 12 may not.
    let host = Host::boot_debian(Debian::Thirteen);
    host.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0");
    let on_network = "networks: [watchme-network]";
    let fixed =
        "networks: {watchme-network: {ipv4_address: 172.27.0.60, ipv6_address: 'fd00:27::60'}}";
    let vault = [
        "container_name: watchme-vault",
        on_network,
        "ports: ['[::1]:8080:8000']",
    ];
    Server::default()
        .with(INFRA, INFRA_TEXT)
        .with(OWNER, owner_unit())
        .with(POLICY, POLICY_TEXT)
        .service("vault", ("up", "down"), &vault)
        .service(
            "store",
            ("up", "down"),
            &["container_name: watchme-store", fixed],
        )
        .check_out(&host);
    let applied = host.apply(&[]).expect(0).text();
    assert!(applied.contains("http://[::1]:8080/"), "{applied}");
    assert!(addresses(&host, "watchme-vault").ends_with(" fd00:27::50"));
    assert_eq!(addresses(&host, "watchme-store"), "172.27.0.60 fd00:27::60");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Taken off, and put back with both addresses.
    host.sh("docker network disconnect watchme-network watchme-store");
    host.sh("docker network disconnect watchme-network watchme-vault");
    let found = host
        .tool(&["drift", "--only", "network", "--fix"])
        .expect(0);
    assert!(
        found.text().contains("is not on the network"),
        "{}",
        found.text()
    );
    assert!(addresses(&host, "watchme-vault").ends_with(" fd00:27::50"));
    // One that is moved by hand is moved back.
    host.sh("docker network disconnect watchme-network watchme-vault
         docker network connect --alias vault --ip6 fd00:27::99 watchme-network watchme-vault");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(
        plan.contains("has fd00:27::99 instead of fd00:27::50"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert!(addresses(&host, "watchme-vault").ends_with(" fd00:27::50"));
    host.assert_does_nothing(&["apply"]).expect(0);
    let moved = INFRA_TEXT.replace("fd00:27::", "fd00:28::");
    let policy = POLICY_TEXT.replace("fd00:27::", "fd00:28::");
    host.commit(&[(INFRA, Some(&moved)), (POLICY, Some(&policy))], "moved");
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("subnet fd00:27::/64 instead of fd00:28::/64"),
        "{refused}"
    );
}

/// Users of containers are others on the host (`userns-remap`), and the engine's data is of another folder: nothing of
/// that is the tool's affair.
#[test]
fn an_engine_with_users_of_its_own() {
    let host = Host::boot_debian(Debian::Thirteen);
    host.write(
        "/etc/docker/daemon.json",
        "{\"userns-remap\": \"default\"}\n",
    );
    host.sh("systemctl restart docker");
    Server::with_owner()
        .member("vault", ("up", "stop"))
        .check_out(&host);
    host.apply(&[]).expect(0);
    assert_ne!(
        host.sh("stat -c %u /proc/$(docker inspect -f '{{.State.Pid}}' watchme-vault)"),
        "0"
    );
    host.wait_for("member", BOUND, || {
        host.names_on_network(NETWORK) == ["watchme-vault".to_owned()].into()
    });
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// A host with the second version of control groups alone, and compose called by both of its names.
#[test]
fn control_groups_of_version_2_and_both_names_of_compose() {
    let host = Host::boot_unified();
    assert_eq!(host.sh("stat -fc %T /sys/fs/cgroup"), "cgroup2fs");
    host.load_service_image("app:1", 8000, &[]);
    let compose = |port: u16| {
        format!(
            "services:\n  app:\n    image: app:1\n    restart: no\n    mem_limit: 64m\n    ports: ['127.0.0.1:{port}:8000']\n"
        )
    };
    let unit = |name: &str, call: &str| {
        let call = format!("{call} -f {CHECKOUT}/compose/{name}/compose.yml");
        format!(
            "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\nExecStart={call} up\nExecStop={call} down\n\
             Restart=always\n\n[Install]\nWantedBy=multi-user.target\n"
        )
    };
    let calls = [
        ("plugin", "/usr/bin/docker compose --progress plain", 8001),
        ("command", "/usr/bin/docker-compose", 8002),
    ];
    let mut files = Vec::new();
    for (name, call, port) in calls {
        files.push((
            desired(&format!("systemd/{name}.service")),
            unit(name, call),
        ));
        files.push((format!("compose/{name}/compose.yml"), compose(port)));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    host.checkout(&files);
    host.apply(&[]).expect(0);
    let plain = host.container_of("plugin", "app", 1);
    for port in [8001, 8002] {
        assert_eq!(
            host.get(&format!("http://localhost:{port}/")).0,
            200,
            "{port}"
        );
    }
    host.assert_does_nothing(&["apply"]).expect(0);
    // One changes, and the other one is not touched.
    let id = host.container(&plain, "{{.Id}}");
    host.commit(
        &[("compose/command/compose.yml", Some(&compose(8003)))],
        "another port",
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.get("http://localhost:8003/").0, 200);
    assert_eq!(host.container(&plain, "{{.Id}}"), id);
    // A run that is part of a unit which it restarts would end with it: it finds itself by its control group.
    host.sh(&format!("docker rm -f {plain}"));
    let drift = host.tool(&["drift"]).expect(2).text();
    assert!(drift.contains("unit/plugin.service: "), "{drift}");
}
