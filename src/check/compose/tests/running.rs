//! How containers run, and with how much memory.

use super::*;

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
            "{{image: 'x:1', mem_limit: 16m, healthcheck: {{test: a}}, logging: {{driver: local}}{more}}}"
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
        (None, "{image: 'x:1', mem_limit: 16m, command: ['true']}".into(), bounded, &[]),
        (Some("up\n"), "{image: x@sha256:0, deploy: {resources: {limits: {memory: 16m}}}, healthcheck: {disable: true}}".into(), bounded, &[]),
        (Some("up\n"), "{image: 'r.example.com:5000/x', mem_limit: 16m, healthcheck: {test: a}}".into(), bounded, &["image-latest"]),
        (Some("up\n"), "{build: ., image: x, mem_limit: 16m, healthcheck: {test: a}}".into(), bounded, &[]),
        (Some("up\n"), "{image: '${IMAGE:-x:latest}', mem_limit: 16m, healthcheck: {test: a}}".into(), bounded, &[]),
        (Some("up\n"), "{image: 'x:1', mem_limit: 16m, healthcheck: {test: a}, logging: {driver: json-file}}".into(), bounded, &[]),
        (Some("up\n"), "".into(), bounded, &["no-health-check", "no-image", "no-memory-limit"]),
        (Some("up\n"), "{image: 'x:1', mem_limit: 16m, healthcheck: {test: a}}".into(), "{}", &["no-log-rotation"]),
        (Some("up\n"), "{image: 'x:1', mem_limit: 16m, healthcheck: {test: a}}".into(), "{\"log-driver\": \"journald\"}", &[]),
    ] {
        assert_eq!(of(unit, &service, etc), expected, "{unit:?} {service} {etc}");
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
