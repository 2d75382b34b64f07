//! Several files, variables, and secrets in them.

use super::*;

#[test]
fn merged_files_are_validated_and_the_written_place_is_shown() {
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
            .map(|finding| finding.place().unwrap().position().line)
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
fn what_is_extended_has_to_be_there() {
    let with = |extends: &str| {
        one(&format!(
            "services:\n  base: {{image: 'x:1'}}\n  a: {{image: 'x:1', extends: {extends}}}\n"
        ))
    };
    assert_eq!(
        with("bsae"),
        ["syntax a.yml:3:30: service a extends bsae, which is not in a.yml"]
    );
    assert_eq!(
        with("{file: ./a.yml, service: other}"),
        ["syntax a.yml:3:55: service a extends other, which is not in a.yml"]
    );
    assert_eq!(with("base"), NONE);
    assert_eq!(
        with("{file: nowhere.yml, service: other}"),
        ["syntax a.yml:3:37: service a extends other of nowhere.yml, and there is no such file"]
    );
    assert_eq!(with("{file: /opt/nowhere.yml, service: other}"), NONE);
}

#[test]
fn what_is_included_has_to_be_there() {
    let with = |path: &str| {
        let text = format!("include:\n  - {path}\nservices:\n  a: {{image: 'x:1'}}\n");
        one(&text)
    };
    let syntax = |found: Vec<String>| {
        let mut found = found.into_iter();
        found.find(|found| found.starts_with("syntax"))
    };
    assert_eq!(
        syntax(with("more/x.yml")).as_deref(),
        Some("syntax a.yml:2:5: this file includes more/x.yml, and there is no such file")
    );
    assert_eq!(
        syntax(with("/srv/c/x.yml")).as_deref(),
        Some("syntax a.yml:2:5: this file includes x.yml, and there is no such file")
    );
    assert_eq!(syntax(with("/opt/x.yml")), None);
}
