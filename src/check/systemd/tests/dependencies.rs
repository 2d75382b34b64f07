//! Docker, networks, circles, and names of units.

use super::{found, service};

pub(in crate::check) const DOCKER: &str = "[Unit]\nAfter=docker.service\nRequires=docker.service\n";

#[test]
fn docker_and_networks_come_first() {
    let of = |unit: &str, exec: &str| {
        let text = format!("[Unit]\n{unit}\n{}", service(exec));
        found(&[("systemd/a.service", &text)])
    };
    let up = "ExecStart=/usr/bin/docker-compose -f /srv/a.yml up";
    let both = [
        "docker-not-required /usr/bin/docker-compose",
        "not-after-docker /usr/bin/docker-compose",
    ];
    let mut found_both = of("Description=a", up);
    found_both.sort();
    assert_eq!(found_both, both);
    for unit in [
        "After=docker.service\nRequires=docker.service",
        "After=network.target docker.socket\nBindsTo=docker.socket",
        "Wants=network-online.target docker.service\nAfter=network-online.target docker.service",
    ] {
        assert_eq!(of(unit, up), [""; 0], "{unit}");
    }
    assert_eq!(of("After=docker.service", up), both[..1]);
    assert_eq!(of("Requires=docker.service", up), both[1..]);
    assert_eq!(
        of("Description=a", "ExecStart=/usr/bin/docker-proxy"),
        [""; 0]
    );
    assert_eq!(
        of("Description=a", "ExecStart=/usr/bin/podman run x:1"),
        [""; 0]
    );
    // Through another unit, and what a timer starts.
    let infra = format!("{DOCKER}[Service]\nType=oneshot\nExecStart=/usr/bin/docker network ls\n");
    let through = "[Unit]\nAfter=infra.service\nRequires=infra.service\n[Service]\nExecStart=/usr/bin/docker events\n[Install]\nWantedBy=multi-user.target\n";
    let prune = "[Service]\nType=oneshot\nExecStart=/usr/bin/docker image prune -f\n";
    let timer = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n";
    assert_eq!(
        found(&[
            ("systemd/infra.service", &infra),
            ("systemd/a.service", through),
            ("systemd/prune.service", prune),
            ("systemd/prune.timer", timer),
        ]),
        [""; 0]
    );
}

#[test]
fn networks_of_compose_files() {
    let infra = "networks:\n  shared:\n    name: shared\n";
    let owner = format!(
        "{DOCKER}[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker-compose -f /srv/host/docker-compose.infra.yml up -d\n[Install]\nWantedBy=multi-user.target\n"
    );
    let policy = "checkout = \"/srv/host\"\n";
    let stack = |network: &str| format!("services:\n  a:\n    image: a:1\n{network}");
    let joins = stack("    networks: [shared]\nnetworks:\n  shared:\n    external: true\n");
    let default = stack("networks:\n  default:\n    name: shared\n    external: true\n");
    let of = |unit: &str, compose: &str| {
        let text = format!(
            "[Unit]\n{unit}\n{}",
            service(
                "ExecStart=/usr/bin/docker-compose -f /srv/host/compose/a/docker-compose.yml up"
            )
        );
        found(&[
            ("watchme.toml", policy),
            ("docker-compose.infra.yml", infra),
            ("systemd/infra.service", &owner),
            ("systemd/a.service", &text),
            ("compose/a/docker-compose.yml", compose),
        ])
    };
    let docker = "After=docker.service\nRequires=docker.service";
    let names = |found: Vec<String>| -> Vec<String> {
        let mut names: Vec<String> = found
            .iter()
            .map(|one| one.split(' ').next().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(of(docker, &joins)),
        ["network-not-required", "not-after-network"]
    );
    assert_eq!(
        names(of(docker, &default)),
        ["network-not-required", "not-after-network"]
    );
    assert_eq!(
        names(of(&format!("{docker}\nRequires=infra.service"), &stack(""))),
        ["not-after-network"]
    );
    for unit in [
        format!("{docker}\nAfter=infra.service\nRequires=infra.service"),
        "After=infra.service\nWants=infra.service".to_owned(),
    ] {
        assert_eq!(of(&unit, &joins), [""; 0], "{unit}");
    }
    // A stack of its own network.
    assert_eq!(of(docker, &stack("")), [""; 0]);
}

/// What the compose file of another folder joins is not known.
#[test]
fn compose_files_outside_the_checkout() {
    let owner = format!(
        "{DOCKER}[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker-compose -f /srv/host/docker-compose.infra.yml up -d\n[Install]\nWantedBy=multi-user.target\n"
    );
    let of = |unit: &str, run: &str, infra: &str| {
        let text = format!("{DOCKER}{unit}\n{}", service(run));
        let found = found(&[
            ("watchme.toml", "checkout = \"/srv/host\"\n"),
            ("docker-compose.infra.yml", infra),
            ("systemd/infra.service", &owner),
            ("systemd/a.service", &text),
        ]);
        let networks = found.iter().filter(|one| one.contains("network"));
        networks.cloned().collect::<Vec<_>>()
    };
    let infra = "networks:\n  shared:\n    name: shared\n";
    let warned = ["not-after-network /usr/bin/docker-compose"];
    let file = "ExecStart=/usr/bin/docker-compose -f /srv/a/docker-compose.yml up";
    assert_eq!(of("", file, infra), warned);
    let folder = "WorkingDirectory=/srv/a\nExecStart=/usr/bin/docker-compose up";
    assert_eq!(of("", folder, infra), warned);
    for unit in [
        "After=infra.service",
        "Requires=infra.service\nAfter=infra.service",
    ] {
        assert_eq!(of(unit, file, infra), [""; 0], "{unit}");
    }
    let other = "ExecStart=/usr/bin/docker run --rm app:1";
    assert_eq!(of("", other, infra), [""; 0]);
    // Nobody owns a network.
    assert_eq!(of("", file, "services: {}\n"), [""; 0]);
}

/// A forgotten `[Install]`.
#[test]
fn a_service_with_containers_that_nothing_starts() {
    let unit = "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/a.yml up\n";
    let enabled = |files: &[(&str, &str)]| {
        let mut all = vec![("systemd/a.service", unit)];
        all.extend(files);
        let found = found(&all);
        found
            .iter()
            .filter(|one| one.starts_with("not-enabled"))
            .count()
    };
    assert_eq!(enabled(&[]), 1);
    for other in [
        ("watchme.toml", "[unit.\"a.service\"]\nstart = false\n"),
        (
            "systemd/a.service.d/b.conf",
            "[Install]\nWantedBy=multi-user.target\n",
        ),
        (
            "systemd/a.timer",
            "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
        ),
        (
            "systemd/b.service",
            "[Unit]\nWants=a.service\n[Service]\nExecStart=/bin/b\n[Install]\nWantedBy=multi-user.target\n",
        ),
    ] {
        assert_eq!(enabled(&[other]), 0, "{other:?}");
    }
    assert_eq!(
        found(&[("systemd/b.service", "[Service]\nExecStart=/bin/b\n")]),
        [""; 0]
    );
}
