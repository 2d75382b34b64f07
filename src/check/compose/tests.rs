use std::path::Path;

use crate::check::tests::checked;
use crate::check::{Subject, check};
use crate::source::{Checkout, Which};

/// Findings of this family as `RULE PATH:LINE:COLUMN: MESSAGE`, those that every bare service has left out.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let bare = [
        "compose-no-memory-limit",
        "compose-no-health-check",
        "compose-no-log-rotation",
        "compose-no-restart",
    ];
    checked(&files)
        .iter()
        .filter(|finding| !bare.contains(&finding.rule.name))
        .filter(|finding| !finding.rule.name.starts_with("systemd-"))
        .map(|finding| format!("{} {finding}", finding.rule.name))
        .collect()
}

/// Rules that have a finding, each once.
fn rules(files: &[(&str, &str)]) -> Vec<String> {
    let mut rules: Vec<String> = found(files)
        .iter()
        .map(|finding| finding.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    rules.dedup();
    rules
}

const UNIT: &str = "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/NAME.yml up\n[Install]\nWantedBy=multi-user.target\n";
const HERE: (&str, &str) = ("watchme.toml", "checkout = \"/srv/c\"\n");

/// One compose file that a unit runs.
fn one(compose: &str) -> Vec<String> {
    let unit = UNIT.replace("NAME", "a");
    found(&[HERE, ("systemd/a.service", &unit), ("a.yml", compose)])
}

/// Two compose files, each run by a unit.
fn two(a: &str, b: &str) -> Vec<String> {
    let (unit_a, unit_b) = (UNIT.replace("NAME", "a/c"), UNIT.replace("NAME", "b/c"));
    found(&[
        HERE,
        ("systemd/a.service", &unit_a),
        ("systemd/b.service", &unit_b),
        ("a/c.yml", a),
        ("b/c.yml", b),
    ])
}

const NONE: [&str; 0] = [];

#[test]
fn ports_collide_across_stacks() {
    let with =
        |port: &str| format!("services:\n  s:\n    image: x:1\n    ports:\n      - {port}\n");
    let twice = |a: &str, b: &str| {
        let found = two(&with(a), &with(b));
        found
            .iter()
            .any(|finding| finding.starts_with("port-published-twice b/c.yml:5:"))
    };
    for (a, b) in [
        ("'127.0.0.1:8001:80'", "'0.0.0.0:8001:81'"),
        ("'8000-8005:1-6'", "{published: 8003, target: 1}"),
        ("'127.0.0.1:8001:80'", "'127.0.0.1:8001:80'"),
    ] {
        assert!(twice(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("'127.0.0.1:8001:80'", "'127.0.0.2:8001:80'"),
        ("'127.0.0.1:8001:80'", "'127.0.0.1:8001:80/udp'"),
        ("'8001'", "'8001'"),
        ("'127.0.0.1:8001:80'", "'127.0.0.1:80:8001'"),
        ("'127.0.0.1:8001:80'", "'${P:-8002}:80'"),
    ] {
        assert!(!twice(a, b), "{a} {b}");
    }
}

#[test]
fn what_never_runs_together_shares_ports_and_names() {
    let compose = "services:\n  s: {image: x:1, container_name: s, ports: ['127.0.0.1:8001:80']}\n";
    let gpu = "services:\n  cpu: {image: x:1, profiles: [cpu], ports: ['127.0.0.1:1:1']}\n  gpu: {image: x:1, profiles: [gpu], ports: ['127.0.0.1:1:1']}\n";
    assert_eq!(one(gpu), NONE);
    let host = "services:\n  a: {image: x:1, network_mode: host, ports: ['1:1']}\n  b: {image: x:1, ports: ['127.0.0.1:1:1']}\n";
    assert_eq!(one(host), NONE);
    // A file beside the one that runs is another form of it.
    let unit = UNIT.replace("NAME", "docker-compose.prod");
    assert_eq!(
        found(&[
            HERE,
            ("systemd/a.service", &unit),
            ("docker-compose.prod.yml", compose),
            ("docker-compose.yml", compose)
        ]),
        NONE
    );
    // Blue and green.
    let (blue, green) = (
        UNIT.replace("NAME", "blue/c"),
        UNIT.replace("NAME", "green/c"),
    );
    let green = format!("[Unit]\nConflicts=blue.service\n{green}");
    let files = |green: &str| {
        rules(&[
            HERE,
            ("systemd/blue.service", &blue),
            ("systemd/green.service", green),
            ("blue/c.yml", compose),
            ("green/c.yml", compose),
        ])
    };
    assert_eq!(files(&green), NONE);
    assert_eq!(
        files(&green.replace("Conflicts=", "Wants=")),
        ["compose-container-name-twice", "port-published-twice"]
    );
}

#[test]
fn what_is_open_to_the_world() {
    let severity = |image: &str, port: &str| {
        let text = format!("services: {{s: {{image: '{image}', ports: ['{port}']}}}}");
        let files = [
            ("watchme.toml".to_owned(), String::new()),
            ("docker-compose.yml".to_owned(), text),
        ];
        let found = checked(&files);
        let public = found
            .iter()
            .find(|finding| finding.rule.name == "port-public");
        public.map(|finding| finding.is_error())
    };
    for (image, port, expected) in [
        ("api:1", "8000:80", Some(false)),
        ("api:1", "0.0.0.0:8000:80", Some(false)),
        ("api:1", "[::]:8000:80", Some(false)),
        ("api:1", "127.0.0.1:8000:80", None),
        ("api:1", "192.0.2.1:8000:80", None),
        ("traefik:v3.1", "443:443", None),
        ("traefik:v3.1", "443:443/udp", None),
        ("docker.io/pgvector/pgvector:pg16", "15432:5432", Some(true)),
        ("redis:7-alpine", "6379:6379", Some(true)),
        (
            "registry.example.com/own-database:1",
            "3306:3306",
            Some(true),
        ),
        ("prom/redis_exporter:v1", "9121:9121", Some(false)),
        ("redis:7-alpine", "127.0.0.1:6379:6379", None),
    ] {
        assert_eq!(severity(image, port), expected, "{image} {port}");
    }
}

#[test]
fn networks_of_others_are_joined_and_own_ones_are_free() {
    let infra = (
        "docker-compose.infra.yml",
        "networks:\n  n: {name: shared, ipam: {config: [{subnet: 172.27.0.0/16, gateway: 172.27.0.1, ip_range: 172.27.128.0/17}]}}\n",
    );
    let with = |compose: &str| rules(&[infra, ("docker-compose.yml", compose)]);
    let service = "services: {s: {image: 'x:1', networks: [shared]}}\n";
    for (networks, expected) in [
        ("networks: {shared: {external: true}}", &[][..]),
        ("networks: {shared: {external: {name: shared}}}", &[]),
        ("networks: {shared: {external: true, name: shared}}", &[]),
        (
            "networks: {shared: {driver: bridge}}",
            &["compose-network-not-external"],
        ),
        ("networks: {shared: }", &["compose-network-not-external"]),
        (
            "networks: {shared: {name: shared}}",
            &["compose-network-not-external"],
        ),
        (
            "networks: {shared: {external: true, driver: bridge}}",
            &["compose-network-not-external"],
        ),
        (
            "networks: {shared: {external: true, name: sharde}}",
            &["compose-network-unknown"],
        ),
        ("networks: {other: {}}", &["compose-network-undeclared"]),
        ("", &["compose-network-undeclared"]),
    ] {
        assert_eq!(
            with(&format!("{service}{networks}\n")),
            expected,
            "{networks}"
        );
    }
    for own in [
        "services: {a: {image: 'x:1', networks: [back]}}\nnetworks: {back: {driver: bridge, internal: true}}\n",
        "services: {a: {image: 'x:1', networks: {default: {aliases: [x]}}}}\n",
        "services: {a: {image: 'x:1', network_mode: host}}\n",
        "services: {a: {image: 'x:1'}}\nnetworks: {default: {external: true, name: shared}}\n",
        "services: {a: {image: 'x:1'}}\nnetworks: {b: {external: true, name: bridge}}\n",
    ] {
        assert_eq!(with(own), NONE, "{own}");
    }
}

#[test]
fn members_are_on_their_network() {
    let infra = (
        "docker-compose.infra.yml",
        "networks: {shared: {name: shared}}\n",
    );
    let policy = "checkout = \"/srv/c\"\n[[network.shared.member]]\ncontainer = \"s-prod\"\n[[network.shared.member]]\nproject = \"p\"\nservice = \"w\"\n";
    let missing = |files: &[(&str, &str)]| {
        let mut all = vec![("watchme.toml", policy), infra];
        all.extend(files);
        let found = found(&all);
        let own = found
            .iter()
            .filter_map(|one| one.strip_prefix("compose-network-missing "));
        own.map(|one| one.split(": ").next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let service = |service: &str, networks: &str| {
        format!("services:\n  s: {{image: 'x:1', container_name: s-prod{service}}}\n{networks}\n")
    };
    let external = "networks: {shared: {external: true}}";
    for (more, networks, expected) in [
        ("", "", Some("p/docker-compose.yml:2:3")),
        ("", external, Some("p/docker-compose.yml:2:3")),
        (", networks: ", external, Some("p/docker-compose.yml:2:3")),
        (
            ", networks: [own]",
            "networks: {own: {}}",
            Some("p/docker-compose.yml:2:3"),
        ),
        (
            ", network_mode: host",
            "",
            Some("p/docker-compose.yml:2:59"),
        ),
        (", networks: [shared]", external, None),
        (", networks: {shared: {aliases: [x]}}", external, None),
        (
            ", networks: [n]",
            "networks: {n: {external: true, name: shared}}",
            None,
        ),
        (
            "",
            "networks: {default: {external: true, name: shared}}",
            None,
        ),
        // Others complain about these.
        (", networks: [shared]", "", None),
        (", networks: [shared]", "networks: {shared: {}}", None),
        (", networks: shared", external, None),
        (", network_mode: shared", "", None),
        (", network_mode: 'container:x'", "", None),
    ] {
        let found = missing(&[("p/docker-compose.yml", &service(more, networks))]);
        assert_eq!(
            found.first().map(String::as_str),
            expected,
            "{more} {networks}"
        );
    }
    let bare = service("", "");
    let whole = service(", networks: [shared]", external);
    let prod = UNIT.replace("NAME", "p/prod");
    let both = UNIT.replace("NAME.yml", "p/prod.yml -f /srv/c/p/net.yml");
    let gone = UNIT.replace("NAME.yml", "p/prod.yml -f /srv/other.yml");
    let net = format!("services: {{s: {{networks: [shared]}}}}\n{external}\n");
    for (unit, prod, beside, expected) in [
        (
            &prod,
            &bare,
            ("p/docker-compose.yml", &whole),
            &["p/prod.yml:2:3"][..],
        ),
        (&prod, &whole, ("p/docker-compose.yml", &bare), &[]),
        (&both, &bare, ("p/net.yml", &net), &[]),
        (&gone, &bare, ("p/net.yml", &net), &[]),
    ] {
        let beside = (beside.0, beside.1.as_str());
        let files = [
            ("systemd/a.service", unit.as_str()),
            ("p/prod.yml", prod),
            beside,
        ];
        assert_eq!(missing(&files), expected, "{unit} {prod}");
    }
    let worker = "services:\n  w: {image: 'x:1'}\n";
    assert_eq!(
        missing(&[("p/docker-compose.yml", worker)]),
        ["p/docker-compose.yml:2:3"]
    );
    assert_eq!(missing(&[("q/docker-compose.yml", worker)]), NONE);
}

#[test]
fn addresses_are_judged_across_stacks() {
    let infra = |range: &str| {
        format!(
            "networks:\n  n: {{name: shared, ipam: {{config: [{{subnet: 172.27.0.0/16, gateway: 172.27.0.1{range}}}]}}}}\n"
        )
    };
    let range = ", ip_range: 172.27.128.0/17";
    let stack = |address: &str| {
        format!(
            "services: {{s: {{image: 'x:1', networks: {{shared: {{ipv4_address: {address}}}}}}}}}\nnetworks: {{shared: {{external: true}}}}\n"
        )
    };
    let with = |range: &str, a: &str, b: &str| {
        rules(&[
            ("docker-compose.infra.yml", &infra(range)),
            ("a/docker-compose.yml", &stack(a)),
            ("b/docker-compose.yml", &stack(b)),
        ])
    };
    assert_eq!(with(range, "172.27.0.5", "172.27.0.6"), NONE);
    assert_eq!(
        with(range, "172.27.0.5", "172.27.0.5"),
        ["compose-address-twice"]
    );
    assert_eq!(
        with(range, "172.27.0.5", "172.27.0.1"),
        ["compose-address-twice"]
    );
    assert_eq!(
        with(range, "172.27.0.5", "172.28.0.1"),
        ["compose-address-outside-subnet"]
    );
    assert_eq!(
        with(range, "172.27.0.5", "172.27.255.255"),
        ["compose-address-outside-subnet"]
    );
    assert_eq!(
        with(range, "172.27.0.5", "172.27.200.1"),
        ["compose-address-in-dynamic-range"]
    );
    assert_eq!(
        with("", "172.27.0.5", "172.27.0.6"),
        ["compose-address-in-dynamic-range"; 1]
    );
    let own = "services:\n  a: {image: 'x:1', networks: {n: {ipv4_address: 10.5.0.2}}}\n  b: {image: 'x:1', networks: {n: {ipv4_address: 10.5.0.3}}}\nnetworks: {n: {ipam: {config: [{subnet: 10.5.0.0/24}]}}}\n";
    assert_eq!(one(own), NONE, "all are fixed");
}

#[test]
fn secrets_never_show() {
    let compose = "services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_PASSWORD: Hunter2\n      URL: postgres://u:Hunter2@db/x\n      OTHER: ${OTHER:-}\n  api:\n    image: x:latest\n    environment: [API_TOKEN=Hunter2, 'DB_PASSWORD=${P:-}', \"KEY=Hunter2\"]\n";
    let files = [
        ("watchme.toml".to_owned(), String::new()),
        ("docker-compose.yml".to_owned(), compose.to_owned()),
        (
            ".env".to_owned(),
            "# c\nexport A_SECRET=\"Hunter2\"\nB=Hunter2\n".to_owned(),
        ),
    ];
    let findings = checked(&files);
    let of = |rule: &str| {
        let found = findings.iter().filter(|finding| finding.rule.name == rule);
        found
            .map(|finding| finding.place().unwrap().position().0)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("compose-password-in-plain-text"), [5, 6, 10]);
    assert_eq!(of("compose-env-file-in-git"), [2]);
    for finding in &findings {
        let place = finding.place().unwrap();
        let named = format!("{}{}{:?}", place.message, place.expected, place.help);
        assert!(!named.contains("Hunter2"), "{named}");
        let line = place.line_text();
        assert!(!line.contains("Hunter2") || line.contains("KEY="), "{line}");
    }
}

#[test]
fn merged_files_are_judged_and_the_written_place_is_shown() {
    let unit =
        "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/base.yml -f /srv/c/prod.yml up\n";
    let base = "x-common: &common\n  restart: always\nservices:\n  a:\n    <<: *common\n    image: x\n    ports: ['8001:80']\n  b:\n    extends: {file: more/common.yml, service: base}\n    image: y:1\n";
    let prod = "services:\n  a:\n    image: x:1\n    ports: ['8002:80']\n";
    let common = "services:\n  base:\n    environment:\n      - DB_PASSWORD=secret\n";
    let found = found(&[
        HERE,
        ("systemd/a.service", unit),
        ("base.yml", base),
        ("prod.yml", prod),
        ("more/common.yml", common),
    ]);
    assert_eq!(
        found,
        [
            "compose-restart-beside-unit base.yml:2:12: service a has restart: always, and a.service runs it",
            "port-public base.yml:7:14: port 8001 of a is published on all addresses of the host",
            "compose-password-in-plain-text more/common.yml:4:9: DB_PASSWORD of service b is written here in plain text",
            "port-public prod.yml:4:14: port 8002 of a is published on all addresses of the host",
        ]
    );
}

#[test]
fn circles_of_extends_are_told() {
    let with = |a: &str, b: &str| {
        let compose =
            format!("services:\n  a: {{image: 'x:1', extends: {a}}}\n  b: {{image: 'x:1'{b}}}\n");
        let found = one(&compose);
        found.first().map(|one| one.to_owned()).unwrap_or_default()
    };
    assert_eq!(
        with("{service: b}", ", extends: {service: a}"),
        "syntax a.yml:3:40: service b extends a, which extends b in the end"
    );
    assert_eq!(with("a", ""), "syntax a.yml:2:30: service a extends itself");
    assert_eq!(
        with(
            "{file: a.yml, service: b}",
            ", extends: {file: ./a.yml, service: a}"
        ),
        "syntax a.yml:3:55: service b extends a, which extends b in the end"
    );
    assert_eq!(with("{service: b}", ""), "");
}

#[test]
fn variables_say_where_they_were_looked_for() {
    let compose = "services:\n  a:\n    image: x:1\n    environment: {A: $A, B: '${B:-b}', C: \"x ${C:?needed}\", D: '$$E'}\n";
    let unset = |files: &[(&str, &str)]| {
        let mut all = vec![("watchme.toml", ""), ("docker-compose.yml", compose)];
        all.extend(files);
        found(&all)
    };
    assert_eq!(
        unset(&[]),
        [
            "compose-variable-unset docker-compose.yml:4:22: the variable A has no value anywhere: there is no .env and no .env.example beside it",
            "compose-variable-unset docker-compose.yml:4:44: the variable C has no value anywhere: there is no .env and no .env.example beside it",
        ]
    );
    assert_eq!(
        unset(&[(".env.example", "A=\n")]),
        [
            "compose-variable-unset docker-compose.yml:4:44: the variable C has no value in .env.example, which stands for the .env that is not here"
        ]
    );
    assert_eq!(unset(&[(".env.example", "A=1\nC=1\n")]), NONE);
    let unit = UNIT
        .replace("NAME", "a")
        .replace("[Service]\n", "[Service]\nEnvironment=A=1 C=2\n");
    assert_eq!(
        found(&[HERE, ("systemd/a.service", &unit), ("a.yml", compose)]),
        NONE
    );
}

#[test]
fn calls_to_other_containers_go_by_name() {
    let with = |url: &str, more: &str| {
        let compose = format!(
            "services:\n  a:\n    image: x:1\n    environment: [\"URL={url}\"]\n{more}  b:\n    image: x:1\n    ports: ['127.0.0.1:8015:80']\n"
        );
        one(&compose).len()
    };
    assert_eq!(with("http://localhost:8015/x", ""), 1);
    assert_eq!(with("http://host.docker.internal:8015/x", ""), 1);
    for (url, more) in [
        ("http://b/x", ""),
        ("http://localhost:9999/x", ""),
        ("http://localhost:8015/x", "    network_mode: host\n"),
        (
            "http://localhost:8015/x",
            "    ports: ['127.0.0.1:8020:8015']\n",
        ),
    ] {
        assert_eq!(with(url, more), 0, "{url} {more}");
    }
}

#[test]
fn how_containers_run() {
    let of = |unit: Option<&str>, service: &str, etc: &str| {
        let compose = format!("services: {{s: {service}}}");
        let mut files = vec![
            (
                "watchme.toml".to_owned(),
                "checkout = \"/srv/c\"".to_owned(),
            ),
            ("docker-compose.yml".to_owned(), compose),
            ("etc/docker/daemon.json".to_owned(), etc.to_owned()),
        ];
        if let Some(unit) = unit {
            let text = UNIT.replace("NAME", "docker-compose").replace("up\n", unit);
            files.push(("systemd/a.service".to_owned(), text));
        }
        let found = checked(&files);
        found
            .iter()
            .filter(|finding| !finding.rule.name.starts_with("systemd-"))
            .map(|finding| finding.rule.name.trim_start_matches("compose-"))
            .collect::<Vec<_>>()
    };
    let whole = |more: &str| {
        format!(
            "{{image: 'x:1', mem_limit: 1m, healthcheck: {{test: a}}, logging: {{driver: local}}{more}}}"
        )
    };
    let bounded = "{\"log-opts\": {\"max-size\": \"10m\"}}";
    for (unit, service, etc, expected) in [
        (Some("up\n"), whole(""), "{}", &[][..]),
        (Some("up\n"), whole(", restart: \"no\""), "{}", &[]),
        (Some("up\n"), whole(", restart: no"), "{}", &["wrong-type"]),
        (Some("up\n"), whole(", restart: on-failure"), "{}", &[]),
        (Some("up\n"), whole(", restart: unless-stopped"), "{}", &["restart-beside-unit"]),
        (Some("up -d\n"), whole(""), "{}", &["no-restart"]),
        (Some("up -d\n"), whole(", restart: on-failure"), "{}", &[]),
        (Some("pull\n"), whole(""), "{}", &[]),
        (None, whole(""), "{}", &["no-restart"]),
        (None, whole(", restart: always"), "{}", &[]),
        (None, "{image: 'x:1', mem_limit: 1m, command: ['true']}".into(), bounded, &[]),
        (Some("up\n"), "{image: x@sha256:0, deploy: {resources: {limits: {memory: 1m}}}, healthcheck: {disable: true}}".into(), bounded, &[]),
        (Some("up\n"), "{image: 'r.example.com:5000/x', mem_limit: 1m, healthcheck: {test: a}}".into(), bounded, &["image-latest"]),
        (Some("up\n"), "{build: ., image: x, mem_limit: 1m, healthcheck: {test: a}}".into(), bounded, &[]),
        (Some("up\n"), "{image: '${IMAGE:-x:latest}', mem_limit: 1m, healthcheck: {test: a}}".into(), bounded, &[]),
        (Some("up\n"), "{image: 'x:1', mem_limit: 1m, healthcheck: {test: a}, logging: {driver: json-file}}".into(), bounded, &[]),
        (Some("up\n"), "".into(), bounded, &["no-health-check", "no-image", "no-memory-limit"]),
        (Some("up\n"), "{image: 'x:1', mem_limit: 1m, healthcheck: {test: a}}".into(), "{}", &["no-log-rotation"]),
        (Some("up\n"), "{image: 'x:1', mem_limit: 1m, healthcheck: {test: a}}".into(), "{\"log-driver\": \"journald\"}", &[]),
    ] {
        assert_eq!(of(unit, &service, etc), expected, "{unit:?} {service} {etc}");
    }
}

#[test]
fn files_that_are_not_there() {
    let compose = "services: {s: {image: 'x:1'}}\n";
    let found = |service: &str, more: &[(&str, &str)]| {
        let unit = format!("[Service]\n{service}[Install]\nWantedBy=multi-user.target\n");
        let mut files = vec![
            (HERE.0.to_owned(), HERE.1.to_owned()),
            ("docker-compose.yml".to_owned(), compose.to_owned()),
            ("systemd/a.service".to_owned(), unit),
        ];
        files.extend(more.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())));
        let found = checked(&files);
        let wanted = ["systemd-file-missing", "compose-no-restart"];
        let own = found.iter().filter(|finding| {
            wanted.contains(&finding.rule.name)
                && finding.message().contains("a.service") | finding.is_error()
        });
        own.map(|finding| {
            let place = finding.place().unwrap();
            place.source[place.span.clone()].to_owned()
        })
        .collect::<Vec<_>>()
    };
    let up = "ExecStart=/usr/bin/docker-compose -f /srv/c/x.prod.yml up -d\nExecStop=/usr/bin/docker-compose -f /srv/c/x.prod.yml down\n";
    let pull = "ExecStartPre=/usr/bin/docker-compose -f /srv/c/docker-compose.yml pull\n";
    assert_eq!(found(up, &[]), ["/srv/c/x.prod.yml"]);
    assert_eq!(found(&format!("{pull}{up}"), &[]), ["/srv/c/x.prod.yml"]);
    let folder = "WorkingDirectory=/srv/c/sub\nExecStart=/usr/bin/docker compose -f x.yml up\n";
    assert_eq!(found(folder, &[]), ["x.yml"]);
    assert_eq!(
        found("ExecStart=/srv/c/run.sh --now\n", &[]),
        ["/srv/c/run.sh"]
    );
    let shell = "ExecStart=/bin/sh -c 'cd /srv/c && docker-compose -f /srv/c/y.yml up'\n";
    assert_eq!(found(shell, &[]), ["/srv/c/y.yml"]);
    for (service, more) in [
        (up, &[("x.prod.yml", compose)][..]),
        ("ExecStart=/srv/c/run.sh\n", &[("run.sh", "#!/bin/sh\n")]),
        ("ExecStart=/opt/run.sh /srv/c/out.yml\n", &[]),
        (
            "ExecStart=/srv/c/venv/bin/run\n",
            &[(".gitignore", "venv\n"), (".env", "A=1\n")],
        ),
        ("ExecStartPre=-/srv/c/run.sh\nExecStart=/bin/true\n", &[]),
        (
            "ExecStartPre=/usr/local/bin/render /srv/c/x.yml\nExecStart=/usr/bin/docker-compose -f /srv/c/x.yml up\n",
            &[],
        ),
        ("EnvironmentFile=/srv/c/.env\nExecStart=/bin/true\n", &[]),
    ] {
        let is_detached = service.contains("up -d");
        let expected = if is_detached { vec!["s"] } else { vec![] };
        assert_eq!(found(service, more), expected, "{service}");
    }
}

#[test]
fn memory_is_added_up() {
    let sum = |budget: &str, service: &str| {
        let policy = format!("checkout = \"/srv/c\"\n[budget]\n{budget}");
        let compose = format!("services: {{a: {{image: 'x:1', mem_limit: 600m}}, b: {service}}}");
        let unit = UNIT.replace("NAME", "a");
        let files = [
            ("watchme.toml".to_owned(), policy),
            ("systemd/a.service".to_owned(), unit),
            ("a.yml".to_owned(), compose),
        ];
        let found = checked(&files);
        let over = found
            .iter()
            .find(|finding| finding.rule.name == "compose-memory-over-budget");
        over.map(|finding| (finding.is_error(), finding.message().to_owned()))
    };
    let both = "{image: 'x:1', mem_limit: 600m}";
    let message = |limit: &str| {
        format!("the limits of 2 containers add up to 1200 MiB, more than the {limit}")
    };
    assert_eq!(
        sum("memory = \"1G\"\nswap = \"1G\"", both),
        Some((false, message("memory of 1024 MiB")))
    );
    assert_eq!(
        sum("memory = \"1G\"\nswap = \"100M\"", both),
        Some((true, message("memory and swap of 1124 MiB")))
    );
    assert_eq!(sum("memory = \"2G\"", both), None);
    assert_eq!(
        sum(
            "memory = \"1G\"",
            "{image: 'x:1', mem_limit: 600m, profiles: [x]}"
        ),
        None
    );
    assert_eq!(
        sum(
            "memory = \"1G\"",
            "{image: 'x:1', deploy: {replicas: 0}, mem_limit: 600m}"
        ),
        None
    );
}

#[test]
fn the_shipped_states_are_clean() {
    for folder in [
        "desired-state",
        "examples/minimal",
        "examples/service-template/desired-state",
        "examples/unattended/desired-state",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let owner = nix::unistd::Uid::effective().as_raw();
        let (revision, wrong) = Checkout::open(&path, &[owner])
            .unwrap()
            .survey(&Which::Worktree)
            .unwrap();
        let subject = Subject {
            revision: &revision,
            wrong: &wrong,
        };
        let found: Vec<String> = check(&subject)
            .iter()
            .filter(|finding| {
                finding.rule.name.starts_with("compose-") || finding.rule.name.starts_with("port-")
            })
            .map(|finding| format!("{} {finding}", finding.rule.name))
            .collect();
        assert_eq!(found, NONE, "{folder}");
    }
}

/// Bounded loosely: a test build on a busy machine takes ten times as long as the program itself.
#[test]
fn a_thousand_stacks_are_checked_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("watchme.toml"),
        "checkout = \"/srv/c\"\n",
    )
    .unwrap();
    std::fs::create_dir(folder.path().join("systemd")).unwrap();
    for number in 0..1000 {
        let compose = format!(
            "services:\n  s:\n    image: x:1\n    mem_limit: 1m\n    container_name: c{number}\n    ports: ['127.0.0.1:{}:80']\n    environment: {{A: http://localhost:9/, B_PASSWORD: '${{P:-}}'}}\n",
            10_000 + number
        );
        std::fs::write(folder.path().join(format!("c{number}.yml")), compose).unwrap();
        let unit = UNIT.replace("NAME", &format!("c{number}"));
        std::fs::write(
            folder.path().join(format!("systemd/u{number}.service")),
            unit,
        )
        .unwrap();
    }
    let owner = nix::unistd::Uid::effective().as_raw();
    let (revision, wrong) = Checkout::open(folder.path(), &[owner])
        .unwrap()
        .survey(&Which::Worktree)
        .unwrap();
    let begun = std::time::Instant::now();
    let found = check(&Subject {
        revision: &revision,
        wrong: &wrong,
    });
    let took = begun.elapsed();
    let own = found
        .iter()
        .filter(|one| one.rule.name.starts_with("compose-"));
    assert_eq!(own.count(), 2000, "no health check, no log rotation");
    assert!(took.as_millis() < 3000, "{took:?}");
}
