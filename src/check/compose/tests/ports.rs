//! Ports, on the world's side and between stacks.

use super::*;

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

/// The help of the first finding of a rule, where one service has some ports.
pub(in crate::check) fn helps(rule: &str, ports: &[&str], policy: &str) -> Vec<String> {
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
