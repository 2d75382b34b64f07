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
