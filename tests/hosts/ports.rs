//! Ports: every one has one holder, whoever it is, and `ports` and `check` know it before the host does.

use crate::support::{CHECKOUT, Debian, Host, Service, desired};

const SITE: &str = "server {\n    listen 8002;\n    location / {\n        return 204;\n    }\n}\n";
const SOCKET: &str =
    "[Socket]\nListenStream=127.0.0.1:8003\n\n[Install]\nWantedBy=sockets.target\n";
const WEB: &str = "[Service]\nExecStart=/bin/busybox httpd -f -p 127.0.0.1:8004 -h /srv\n\n[Install]\nWantedBy=multi-user.target\n";

fn compose(port: u16) -> String {
    format!(
        "services:\n  api:\n    image: api:1\n    mem_limit: 32m\n    ports: ['127.0.0.1:{port}:8001']\n"
    )
}

fn host() -> Host {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "api:1",
        port: 8001,
        paths: &["health"],
    }]);
    let api = format!(
        "[Unit]\nAfter=docker.service\nRequires=docker.service\n\n[Service]\n\
         ExecStart=/usr/bin/docker-compose -f {CHECKOUT}/desired-state/api/docker-compose.yml up\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    );
    host.checkout(&[
        (&desired("sites-available/a"), SITE),
        (&desired("systemd/late.socket"), SOCKET),
        (
            &desired("systemd/late.service"),
            "[Service]\nExecStart=/bin/sleep 1000\n",
        ),
        (&desired("systemd/web.service"), WEB),
        (&desired("systemd/api.service"), &api),
        (&desired("api/docker-compose.yml"), &compose(8001)),
    ]);
    host
}

#[test]
fn each_port_has_one_holder() {
    let host = host();
    let free = || {
        let free = host.tool(&["ports", "--free", "8001-8010"]);
        free.expect(0).stdout
    };
    // From the files alone.
    assert_eq!(free(), "8005-8010\n");
    host.apply(&[]).expect(0);
    assert_eq!(free(), "8005-8010\n");
    let shown = host.tool(&["ports"]).expect(0).stdout;
    for (port, declared, listens) in [
        ("8001", "api.service", "docker-proxy"),
        ("8002", "nginx, a", "nginx"),
        ("8003", "late.socket", "systemd"),
        ("8004", "web.service", "busybox"),
    ] {
        let mut lines = shown.lines();
        let line = lines
            .find(|line| line.starts_with(port))
            .unwrap_or_default();
        assert!(
            line.contains(declared) && line.contains(listens),
            "{port}: {declared}, {listens}\n{shown}"
        );
        let listeners = host.sh(&format!("ss -Hltnp 'sport = :{port}'"));
        assert!(
            listeners.contains(listens),
            "{port}: {listens}\n{listeners}"
        );
    }

    // A container that does not run has its port as soon as it starts.
    host.sh("docker create --name resting -p 127.0.0.1:8007:8001 api:1 >/dev/null");
    assert_eq!(free(), "8005-8006 8008-8010\n");
    let shown = host.tool(&["ports"]).expect(0).stdout;
    let line = shown.lines().find(|line| line.starts_with("8007"));
    assert!(
        line.is_some_and(|line| line.contains("127.0.0.1") && line.contains("resting (stopped)")),
        "{shown}"
    );
    let path = desired("api/docker-compose.yml");
    host.commit(&[(&path, Some(&compose(8007)))], "a port that is free now");
    let plan = host.tool(&["plan"]).expect(0).text();
    let said = "api.service publishes port 8007, and the container resting, which is stopped, uses it when it starts";
    assert!(plan.contains(said), "{plan}");
    host.sh("docker rm resting >/dev/null");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(!plan.contains("resting"), "{plan}");
    host.commit(&[(&path, Some(&compose(8001)))], "as it was");

    // What the host would refuse is what check finds.
    let containers = || host.sh("docker ps --all --no-trunc --format '{{.ID}} {{.Names}}'");
    let before = containers();
    for (port, holder) in [
        (
            8002,
            "nginx listens on it for desired-state/sites-available/a",
        ),
        (8003, "systemd listens on it for late.socket"),
    ] {
        let taken = compose(port);
        host.commit(
            &[(&desired("api/docker-compose.yml"), Some(&taken))],
            "a port that is taken",
        );
        let found = host.tool(&["check"]).expect(2).text();
        let message = format!("api publishes port {port}, and {holder}");
        assert!(found.contains(&message), "{found}");
        // Nothing stops for it.
        let refused = host.apply(&[]).expect(1).text();
        let message = format!("api.service publishes port {port}, and ");
        assert!(refused.contains(&message), "{refused}");
        assert_eq!(containers(), before);
    }
    // docker-compose 1 renames the old container before the new one fails to start.
    let bad = format!("{}    devices: ['/dev/nosuch:/dev/x']\n", compose(8001));
    host.commit(
        &[(&desired("api/docker-compose.yml"), Some(&bad))],
        "a device that is not there",
    );
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("gathering device information"), "{failed}");
    assert_eq!(host.get("http://localhost:8001/health").0, 200);
    // Compose 2 has removed the old one by then, and an equal one is made anew.
    let names = |list: &str| -> Vec<String> {
        let names = list.lines().filter_map(|line| line.split(' ').nth(1));
        names.map(str::to_owned).collect()
    };
    match host.debian() {
        Debian::Twelve => assert_eq!(containers(), before),
        Debian::Thirteen => assert_eq!(names(&containers()), names(&before)),
    }
}
