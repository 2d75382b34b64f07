//! Ports, on the world's side and between stacks.

use super::*;

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

/// The help of the first finding of a rule, where one service has some ports.
fn helps(rule: &str, ports: &[&str], policy: &str) -> Vec<String> {
    let lines: String = ports
        .iter()
        .map(|port| format!("      - {port}\n"))
        .collect();
    let text = format!("services:\n  s:\n    image: x:1\n    ports:\n{lines}");
    let files = [
        ("watchme.toml".to_owned(), policy.to_owned()),
        ("docker-compose.yml".to_owned(), text),
    ];
    let found = checked(&files);
    let found = found.iter().filter(|finding| finding.rule.name == rule);
    found
        .map(|one| one.help().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn what_helps_keeps_what_was_written() {
    for (port, expected) in [
        ("'8000:80'", "write \"127.0.0.1:8000:80\""),
        ("8000:80 # why", "write \"127.0.0.1:8000:80\""),
        ("'0.0.0.0:8000:80/udp'", "write \"127.0.0.1:8000:80/udp\""),
        ("'[::]:8000:80'", "write \"127.0.0.1:8000:80\""),
        (
            "'${API_PORT:-8000}:8000'",
            "write \"127.0.0.1:${API_PORT:-8000}:8000\"",
        ),
        (
            "'${BIND:-0.0.0.0}:8000:8000'",
            "let its address be 127.0.0.1",
        ),
        ("'3000'", "write \"127.0.0.1::3000\""),
        (
            "{published: 8000, target: 80}",
            "add host_ip: 127.0.0.1 to it",
        ),
    ] {
        assert_eq!(helps("port-public", &[port], ""), [expected], "{port}");
    }
}

#[test]
fn a_free_port_is_offered_once() {
    let ports = ["'8001:80'", "'8001:81'", "'8001:82'"];
    let policy = "[ports]\nallowed = [\"8001-8003\"]\n";
    assert_eq!(
        helps("port-published-twice", &ports, policy),
        [
            "publish another port: 8002 is free",
            "publish another port: 8003 is free"
        ]
    );
}
