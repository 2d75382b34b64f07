//! Engines of a user: reported, and managed where `[engine]` names their socket.

use std::time::Duration;

use super::{COMPOSE, UNIT, boot, compose, unit};
use crate::support::Host;
use crate::support::network::{INFRA, NETWORK, POLICY, watchme_infra};

const SOCKET: &str = "/run/user/1000/podman/podman.sock";
const MANAGER: &str = "user@1000.service";

/// What the user's own Podman says.
fn as_user(host: &Host, command: &str) -> String {
    let variables = "XDG_RUNTIME_DIR=/run/user/1000 PODMAN_IGNORE_CGROUPSV1_WARNING=1";
    host.sh(&format!(
        "cd /; runuser -u ubuntu -- env {variables} {command}"
    ))
}

/// A host on which the units of the user `ubuntu` run, as after `loginctl enable-linger`: there is no systemd-logind on the
/// hosts of the tests. Podman's overlay cannot lie on an overlay without root.
fn boot_with_user() -> Host {
    let host = boot();
    host.write(
        &format!("/etc/systemd/system/{MANAGER}.d/test.conf"),
        "[Service]
Environment=XDG_RUNTIME_DIR=/run/user/1000 PODMAN_IGNORE_CGROUPSV1_WARNING=1
ExecStartPre=+/bin/mkdir -p /dev/net
ExecStartPre=+-/bin/mknod -m 666 /dev/net/tun c 10 200
",
    );
    let conf = "/home/ubuntu/.config/containers/storage.conf";
    host.write(conf, "[storage]\ndriver = \"vfs\"\n");
    host.sh(&format!(
        "chown -R ubuntu: /home/ubuntu/.config; systemctl daemon-reload; systemctl start {MANAGER}"
    ));
    as_user(&host, "systemctl --user -q enable --now podman.socket");
    host
}

fn desired(host: &Host, policy: &str) {
    host.checkout(&[
        (POLICY, policy),
        ("desired-state/systemd/a.service", SLEEPS),
    ]);
}

const SLEEPS: &str =
    "[Service]\nExecStart=/bin/sleep 1000000\n[Install]\nWantedBy=multi-user.target\n";

#[test]
fn engines_of_users_are_reported() {
    let host = boot_with_user();
    desired(&host, "");
    // One of a network namespace of its own, as Docker's, and a socket where nothing listens.
    let listens = "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind(\"/run/user/1000/docker.sock\"); s.listen(); time.sleep(1000000)";
    host.sh(&format!(
        "systemd-run -q --unit listens -p User=ubuntu -p PrivateNetwork=yes python3 -c '{listens}'"
    ));
    host.wait_for("socket", Duration::from_secs(10), || {
        host.try_sh("test -S /run/user/1000/docker.sock").status == 0
    });
    host.sh("mkdir -p /run/user/1001; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"/run/user/1001/docker.sock\")'");
    let docker = "ubuntu has a Docker engine of its own, on /run/user/1000/docker.sock, which is not managed; a line in watchme.toml manages \
                  it instead of the server's: [engine] socket = \"/run/user/1000/docker.sock\"";
    let podman = docker
        .replace("Docker", "Podman")
        .replace("/docker.sock", "/podman/podman.sock");
    let engines = [docker, &podman];
    let told = |text: &str, expected: [bool; 2]| {
        for (engine, expected) in engines.iter().zip(expected) {
            let number = text.matches(engine).count();
            assert_eq!(number, usize::from(expected), "{engine}:\n{text}");
        }
        assert!(!text.contains("/run/user/1001"), "{text}");
    };
    told(&host.tool(&["plan"]).expect(0).stdout, [true, true]);
    host.apply(&[]).expect(0);
    told(&host.tool(&["drift"]).expect(0).stdout, [true, true]);
    let status = host.tool(&["status"]).expect(0).stdout;
    let status = status.split_whitespace().collect::<Vec<_>>().join(" ");
    told(&status, [true, true]);
    // Nobody spoke to it: systemd would have started it.
    let state = as_user(
        &host,
        "systemctl --user show -p ActiveState --value podman.service",
    );
    assert_eq!(state, "inactive");

    let managed = format!("[engine]\nsocket = \"{SOCKET}\"\n");
    host.commit(&[(POLICY, Some(&managed))], "the one of a user");
    told(&host.tool(&["plan"]).expect(0).stdout, [true, false]);
    host.sh("systemctl stop listens");
    told(&host.tool(&["plan"]).expect(0).stdout, [false, false]);
}

/// An engine of the user `ubuntu`.
struct Engine {
    command: &'static str,
    socket: &'static str,
}

impl Engine {
    /// What its own command says, as its user.
    fn say(&self, host: &Host, arguments: &str) -> String {
        let command = self.command;
        let at = format!("DOCKER_HOST=unix://{}", self.socket);
        as_user(host, &format!("{at} {command} {arguments}"))
    }

    fn on_network(&self, host: &Host) -> String {
        let format = "{{range .Containers}}{{.Name}} {{end}}";
        let names = self.say(host, &format!("network inspect -f '{format}' {NETWORK}"));
        names.trim().to_owned()
    }

    /// Everything that is managed on it: networks, members, volumes, images, and units that run compose.
    fn is_managed(&self, host: &Host) {
        host.sh("podman save -q -m localhost/web:1 localhost/web:2 >/tmp/images; chmod 644 /tmp/images; chmod 755 /home/ubuntu");
        self.say(host, "load -q -i /tmp/images");
        for tag in ["1", "2"] {
            self.say(host, &format!("tag localhost/web:{tag} web:{tag}"));
        }
        let of_user = |text: &str| text.replace("/run/podman/podman.sock", self.socket);
        let unit = of_user(&unit())
            .replace("podman.socket", MANAGER)
            .replace("[Service]", "[Service]\nUser=ubuntu");
        let policy = of_user(&super::policy(""));
        let infra = format!("{}volumes:\n  data:\n    name: data\n", watchme_infra());
        host.checkout(&[
            (POLICY, &policy),
            (INFRA, &infra),
            (UNIT, &unit),
            (COMPOSE, &compose("web:1")),
        ]);
        host.apply(&[]).expect(0);
        assert_eq!(host.get("http://localhost:8010/"), (200, "web:1\n".into()));
        assert_eq!(self.on_network(host), "web");
        assert_eq!(self.say(host, "volume ls -q"), "data");
        let of_root = host.sh("podman ps -aq; podman volume ls -q");
        assert_eq!(of_root, "", "root's own has nothing");
        let said = host.apply(&[]).expect(0).stdout;
        assert!(said.contains("in sync"), "{said}");

        self.say(host, &format!("network disconnect {NETWORK} web"));
        let drift = host.tool(&["drift"]).expect(2).stdout;
        assert!(drift.contains("web: is not on the network"), "{drift}");
        host.tool(&["drift", "--fix"]).expect(0);
        assert_eq!(self.on_network(host), "web");

        host.commit(&[(COMPOSE, Some(&compose("web:2")))], "the next one");
        host.apply(&[]).expect(0);
        assert_eq!(host.get("http://localhost:8010/"), (200, "web:2\n".into()));
        self.what_fails_is_undone(host, &unit);

        host.reboot_without_docker();
        host.wait_for("answer after the reboot", Duration::from_secs(60), || {
            host.get("http://localhost:8010/") == (200, "web:2\n".into())
        });
    }

    /// An image that nobody has, and a unit that fails.
    fn what_fails_is_undone(&self, host: &Host, unit: &str) {
        let none = compose("registry.example.com/none:1");
        host.commit(&[(COMPOSE, Some(&none))], "an image that nobody has");
        let text = host.apply(&[]).expect(1).text();
        let hint = format!("hint: {} pull registry.example.com/none:1", self.command);
        for said in ["could not pull the image", &hint, "nothing was changed"] {
            assert!(text.contains(said), "{said}:\n{text}");
        }
        let failing = unit.replace("ExecStart=", "ExecStartPre=/bin/false\nExecStart=");
        let files = [(UNIT, Some(&*failing)), (COMPOSE, Some(&*compose("web:1")))];
        host.commit(&files, "fails");
        let text = host.apply(&[]).expect(3).text();
        assert!(text.contains("rolled back"), "{text}");
        assert_eq!(host.get("http://localhost:8010/"), (200, "web:2\n".into()));
        assert_eq!(self.on_network(host), "web");
    }
}

#[test]
#[ignore = "long: tests/run --all"]
fn podman_of_a_user_is_managed_where_watchme_toml_says_so() {
    let engine = Engine {
        command: "podman",
        socket: SOCKET,
    };
    engine.is_managed(&boot_with_user());
}

#[test]
#[ignore = "long: tests/run --all"]
fn docker_of_a_user_is_managed_where_watchme_toml_says_so() {
    let host = boot_with_user();
    let engine = Engine {
        command: "docker",
        socket: "/run/user/1000/docker.sock",
    };
    host.write(
        "/home/ubuntu/.config/systemd/user/docker.service",
        "[Service]
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/usr/share/docker.io/contrib/dockerd-rootless.sh --storage-driver vfs

[Install]
WantedBy=default.target
",
    );
    host.sh("chown -R ubuntu: /home/ubuntu/.config");
    as_user(&host, "systemctl --user -q enable --now docker.service");
    host.wait_for("Docker of the user", Duration::from_secs(30), || {
        host.try_sh(&format!(
            "curl -sf --unix-socket {} http://d/_ping",
            engine.socket
        ))
        .status
            == 0
    });
    engine.is_managed(&host);
}
