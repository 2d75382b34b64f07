//! Docker, networks, circles, and names of units.

use super::{found, service};

pub(super) const DOCKER: &str = "[Unit]\nAfter=docker.service\nRequires=docker.service\n";

#[test]
fn commands_that_leave_containers_behind() {
    for (lines, expected) in [
        ("ExecStart=/usr/bin/docker-compose up -d", vec!["-d"]),
        (
            "ExecStart=/usr/bin/docker compose -f a.yml up --build -d --remove-orphans\nRestart=always",
            vec!["-d"],
        ),
        (
            "Type=forking\nExecStart=docker run -p 80:80 -itd nginx:1",
            vec!["-itd"],
        ),
        (
            "ExecStart=/bin/sh -c 'cd /srv && docker-compose up --detach'",
            vec!["--detach"],
        ),
        (
            "Type=oneshot\nExecStart=docker-compose up -d\nExecStop=docker-compose down",
            vec!["-d"],
        ),
        ("Type=oneshot\nExecStart=docker-compose up -d", vec![]),
        (
            "Type=oneshot\nRemainAfterExit=yes\nExecStart=docker-compose up -d\nExecStop=docker-compose down",
            vec![],
        ),
        (
            "RemainAfterExit=true\nExecStart=docker-compose up -d",
            vec![],
        ),
        ("ExecStart=docker-compose up", vec![]),
        (
            "ExecStart=docker run --rm --name d -v /srv:/d nginx:1 -d",
            vec![],
        ),
        ("ExecStart=docker run --unknown x -d nginx:1", vec![]),
        ("ExecStart=docker start api", vec!["api"]),
        ("ExecStart=docker start -a api", vec![]),
        (
            "ExecStart=/bin/sh -c 'docker-compose up -d && docker-compose logs -f'",
            vec![],
        ),
    ] {
        let text = format!("{DOCKER}{}", service(lines));
        let found = found(&[("systemd/a.service", &text)]);
        let expected = expected
            .iter()
            .map(|option| format!("detached-command {option}"));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{lines}");
    }
}

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

#[test]
fn circles() {
    let unit = |unit: &str| format!("[Unit]\n{unit}\n{}", service("ExecStart=/bin/a"));
    let of = |units: &[(&str, &str)]| {
        let files: Vec<(String, String)> = units
            .iter()
            .map(|(name, text)| (format!("systemd/{name}"), text.to_string()))
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        found(&files)
    };
    let (after_b, before_a, after_all) = (
        unit("After=b.service"),
        unit("Before=c.service\nAfter=a.service"),
        unit("After=multi-user.target"),
    );
    assert_eq!(
        of(&[
            ("a.service", &after_b),
            ("b.service", &unit("After=c.service")),
            ("c.service", &unit("After=a.service"))
        ])
        .len(),
        1
    );
    assert_eq!(
        of(&[
            ("a.service", &unit("After=c.service")),
            ("b.service", &before_a),
            ("c.service", &unit("Description=c"))
        ]),
        ["order-cycle c.service"]
    );
    assert_eq!(
        of(&[("a.service", &after_b), ("b.service", &after_all)]).len(),
        1,
        "multi-user.target wants both"
    );
    assert_eq!(of(&[("a.service", &after_all)]), [""; 0]);
    assert_eq!(
        of(&[("a.service", &unit("After=a.service"))]),
        ["order-cycle a.service"]
    );
    let socket = "[Unit]\nAfter=docker.service\n[Socket]\nListenStream=/run/a\n[Install]\nWantedBy=sockets.target\n";
    assert_eq!(
        of(&[("a.socket", socket), ("a.service", &unit("Description=a"))]),
        ["order-cycle docker.service"]
    );
    // None of these is one.
    let timer =
        "[Unit]\nAfter=docker.service\n[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
    assert_eq!(
        of(&[
            ("a.timer", timer),
            ("a.service", &unit("After=a.timer docker.service"))
        ]),
        [""; 0]
    );
    assert_eq!(
        of(&[
            ("a.service", &unit("Requires=b.service\nAfter=b.service")),
            ("b.service", &unit("Requires=a.service"))
        ]),
        [""; 0]
    );
    assert_eq!(
        of(&[
            (
                "a.target",
                "[Unit]\nWants=b.service\n[Install]\nWantedBy=multi-user.target\n"
            ),
            ("b.service", &unit("After=a.target\nPartOf=a.target"))
        ]),
        [""; 0]
    );
}

#[test]
fn names_of_units() {
    let of = |unit: &str| {
        let text = format!("[Unit]\n{unit}\n{}", service("ExecStart=/bin/a"));
        found(&[
            ("systemd/a.service", &text),
            ("systemd/w@.service", "[Service]\nExecStart=/bin/w %i\n"),
        ])
    };
    for (unit, expected) in [
        (
            "After=watchme-infra.service",
            vec!["unknown-unit watchme-infra.service"],
        ),
        (
            "Requires=postgres.service\nAfter=postgres.service",
            vec!["unknown-unit postgres.service"],
        ),
        ("After=docker", vec!["unknown-unit docker"]),
        (
            "After=netwrok-online.target",
            vec!["unknown-unit netwrok-online.target"],
        ),
        (
            "After=network.target network-online.target docker.service nginx.service postgresql@15-main.service",
            vec![],
        ),
        (
            "After=w@1.service w@%p.service\nOnFailure=w@%n.service",
            vec![],
        ),
        (
            "After=srv.mount dev-sda1.device a.slice\nRequiresMountsFor=/srv",
            vec![],
        ),
        ("Conflicts=other.service", vec![]),
        ("After=%H.service", vec![]),
    ] {
        assert_eq!(of(unit), expected, "{unit}");
    }
    let timer = "[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
    assert_eq!(
        found(&[("systemd/b.timer", timer)]),
        ["unknown-unit [Timer]"]
    );
    assert_eq!(found(&[("systemd/certbot.timer", timer)]), [""; 0]);
    // What cannot be read may define it.
    let broken = ("watchme.toml", "nonsense");
    let text = "[Unit]\nAfter=b.service\n[Service]\nExecStart=/bin/a\n";
    assert_eq!(found(&[broken, ("systemd/a.service", text)]), [""; 0]);
}

#[test]
fn units_that_are_not_enabled() {
    let policy = ("watchme.toml", "[unit.\"a.service\"]\nstart = true\n");
    let plain = ("systemd/a.service", "[Service]\nExecStart=/bin/a\n");
    assert_eq!(found(&[policy, plain]), ["not-enabled \"a.service\""]);
    let timer = "[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
    assert_eq!(found(&[policy, plain, ("systemd/a.timer", timer)]), [""; 0]);
    let wants =
        service("ExecStart=/bin/b").replace("[Service]", "[Unit]\nWants=a.service\n[Service]");
    assert_eq!(
        found(&[policy, plain, ("systemd/b.service", &wants)]),
        [""; 0]
    );
    let drop_in = "[Install]\nWantedBy=multi-user.target\n";
    assert_eq!(
        found(&[policy, plain, ("systemd/a.service.d/i.conf", drop_in)]),
        [""; 0]
    );
}

/// U+3000 of the Japanese input method is no blank to systemd: the two are one name, and nothing is ordered.
#[test]
fn a_blank_of_another_alphabet_joins_two_names() {
    let unit = format!(
        "[Unit]\nAfter=docker.service\u{3000}b.service\n{}",
        service("ExecStart=/bin/a")
    );
    let other = service("ExecStart=/bin/b");
    let found = found(&[("systemd/a.service", &unit), ("systemd/b.service", &other)]);
    assert_eq!(found, ["unknown-unit docker.service\u{3000}b.service"]);
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
