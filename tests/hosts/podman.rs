//! Podman behind its Docker socket, on Debian 13: `[engine]` in watchme.toml names it. Docker does not run there.

mod images;
mod pods;
mod quadlets;
mod rootless;

use std::time::Duration;

use crate::support::network::{INFRA, NETWORK, POLICY, watchme_infra};
use crate::support::{Debian, Host, Service};

pub(crate) const SOCKET: &str = "/run/podman/podman.sock";
const UNIT: &str = "desired-state/systemd/web.service";
const COMPOSE: &str = "desired-state/compose/web/docker-compose.yml";
const IMAGES: [Service<'_>; 2] = [
    Service {
        image: "web:1",
        port: 8000,
        paths: &[],
    },
    Service {
        image: "web:2",
        port: 8000,
        paths: &[],
    },
];

/// A host with Podman's socket alone, and these images in it.
pub(crate) fn boot() -> Host {
    let host = Host::boot_debian(Debian::Thirteen);
    host.sh("systemctl disable -q --now docker.service docker.socket; systemctl enable -q --now podman.socket");
    host.load_images_with("podman", &IMAGES);
    host
}

fn unit() -> String {
    let compose = "/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/desired-state/compose/web/docker-compose.yml";
    format!(
        "[Unit]
Description=web
After=podman.socket
Requires=podman.socket

[Service]
Environment=DOCKER_HOST=unix://{SOCKET}
ExecStart={compose} up
ExecStop={compose} down
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
"
    )
}

fn compose(image: &str) -> String {
    format!(
        "services:
  web:
    image: {image}
    container_name: web
    ports: ['127.0.0.1:8010:8000']
    networks: [watchme-network]
    healthcheck: {{test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8000/'], interval: 1s}}
networks:
  watchme-network:
    external: true
"
    )
}

fn policy(more: &str) -> String {
    format!(
        "[engine]
socket = \"{SOCKET}\"

[network.{NETWORK}]
member = [{more}
  {{ container = \"web\", aliases = [\"site\"] }},
]

[[gate]]
container = \"web\"
retries = 20
"
    )
}

fn on_network(host: &Host) -> String {
    let format = "{{range .Containers}}{{.Name}} {{end}}";
    let names = host.sh(&format!("podman network inspect -f '{format}' {NETWORK}"));
    let mut names: Vec<&str> = names.split_whitespace().collect();
    names.sort_unstable();
    names.join(" ")
}

#[test]
#[ignore = "long: tests/run --all"]
fn podmans_socket_is_spoken_to_as_it_answers() {
    let host = boot();
    // A container that was made and not started has a health that Docker does not know.
    host.sh(
        "podman create --name old --health-cmd true web:1 >/dev/null; podman init old >/dev/null",
    );
    let raw = format!("curl -s --unix-socket {SOCKET} http://d/v1.41/containers/old/json");
    assert!(host.sh(&raw).contains(r#""Health":{"Status":"reset""#));
    host.checkout(&[
        (
            POLICY,
            &policy("{ container = \"old\", aliases = [\"elder\"] },"),
        ),
        (INFRA, &watchme_infra()),
        (UNIT, &unit()),
        (COMPOSE, &compose("web:1")),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(host.get("http://localhost:8010/"), (200, "web:1\n".into()));
    // One that is set up has its addresses already.
    assert_eq!(on_network(&host), "old web");
    host.sh("podman rm -f -t 0 old >/dev/null");
    host.commit(&[(POLICY, Some(&policy("")))], "one member");
    host.apply(&[]).expect(0);
    let aliases = "{{range .NetworkSettings.Networks}}{{.Aliases}}{{end}}";
    let aliases = host.sh(&format!("podman inspect -f '{aliases}' web"));
    assert!(aliases.contains("site"), "{aliases}");
    host.assert_does_nothing_with_podman(&["apply"]);

    // Taken off by hand: seen, and put back.
    host.sh(&format!("podman network disconnect {NETWORK} web"));
    let drift = host.tool(&["drift"]).expect(2).stdout;
    assert!(drift.contains("web: is not on the network"), "{drift}");
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(on_network(&host), "web");

    a_failed_run_is_undone(&host);
    commands_are_podmans(&host);

    host.reboot_without_docker();
    host.wait_for("answer after the reboot", Duration::from_secs(40), || {
        host.get("http://localhost:8010/") == (200, "web:1\n".into())
    });
}

/// Every container is attached again while a run is undone, those that are on the network included: Podman answers with
/// status 403 there.
fn a_failed_run_is_undone(host: &Host) {
    let failing = unit().replace("ExecStart=", "ExecStartPre=/bin/false\nExecStart=");
    let files = [(UNIT, Some(&*failing)), (COMPOSE, Some(&*compose("web:2")))];
    host.commit(&files, "fails");
    let failed = host.apply(&[]).expect(3);
    assert!(failed.text().contains("rolled back"), "{}", failed.text());
    assert_eq!(host.get("http://localhost:8010/"), (200, "web:1\n".into()));
    assert_eq!(on_network(host), "web");
    let good = [(UNIT, Some(&*unit())), (COMPOSE, Some(&*compose("web:1")))];
    host.commit(&good, "good again");
    host.apply(&[]).expect(0);
}

fn commands_are_podmans(host: &Host) {
    let missing = compose("registry.example.com/none:1");
    host.commit(&[(COMPOSE, Some(&missing))], "an image that nobody has");
    let text = host.apply(&[]).expect(1).text();
    for said in [
        "could not pull the image registry.example.com/none:1 for web.service",
        "hint: podman pull registry.example.com/none:1",
    ] {
        assert!(text.contains(said), "{said}:\n{text}");
    }
    assert_eq!(host.get("http://localhost:8010/"), (200, "web:1\n".into()));
    host.commit(&[(COMPOSE, Some(&compose("web:1")))], "good again");
    host.apply(&[]).expect(0);
    host.sh("systemctl stop podman.socket podman.service");
    let text = host.tool(&["plan"]).expect(1).text();
    for said in [
        "cannot reach the Podman engine at /run/podman/podman.sock: nothing listens there",
        "systemctl status podman.socket",
    ] {
        assert!(text.contains(said), "{said}:\n{text}");
    }
    host.sh("systemctl start podman.socket");
}

impl Host {
    /// Runs the tool where nothing is to be done: same containers, same workers.
    #[track_caller]
    fn assert_does_nothing_with_podman(&self, args: &[&str]) {
        let look = || {
            let podman = "podman ps -a --no-trunc --format '{{.ID}} {{.StartedAt}}'";
            (self.sh(podman), self.reloads(), self.picture())
        };
        let before = look();
        self.tool(args).expect(0);
        let after = look();
        assert_eq!((&before.0, before.1), (&after.0, after.1));
        self.assert_unchanged(&before.2, "nothing to do");
    }
}
