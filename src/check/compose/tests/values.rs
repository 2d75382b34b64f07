//! Values and mounts that compose or the engine refuse.

use super::*;

/// What is found in a service with these lines, and with more at the end of its file.
fn with(lines: &str, end: &str) -> Vec<String> {
    one(&format!(
        "services:\n  a:\n    image: x:1\n    {lines}\n{end}"
    ))
}

#[test]
fn values_that_nobody_takes() {
    for (lines, expected) in [
        ("restart: 'no'", ""),
        ("mem_limit: 192m", ""),
        ("mem_limit: 201326592", ""),
        ("mem_limit: 1.5g\n    memswap_limit: -1", ""),
        ("mem_limit: ${NONE:-}", ""),
        (
            "mem_limit: 192",
            "4:16: \"192\" is not a valid value of mem_limit",
        ),
        (
            "mem_limit: 192megs",
            "\"192megs\" is not a valid value of mem_limit",
        ),
        ("shm_size: 64x", "\"64x\" is not a valid value of shm_size"),
        ("cpus: '0.5'", ""),
        ("cpus: half", "\"half\" is not a valid value of cpus"),
        (
            "deploy: {resources: {limits: {memory: 5x, cpus: '1'}}}",
            "4:43: \"5x\" is not a valid value of memory",
        ),
        ("healthcheck: {test: x, interval: 1m30s, retries: '3'}", ""),
        (
            "healthcheck: {test: x, interval: 30x}",
            "\"30x\" is not a valid value of interval",
        ),
        (
            "healthcheck: {test: x, timeout: '30'}",
            "\"30\" is not a valid value of timeout",
        ),
        (
            "healthcheck: {test: x, retries: many}",
            "\"many\" is not a valid value of retries",
        ),
        ("stop_grace_period: 1.5s", ""),
        ("ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}", ""),
        (
            "ulimits: {nofile: {soft: 1, hard: x}}",
            "\"x\" is not a valid limit of nofile",
        ),
        (
            "ulimits: {nofile: {soft: 1}}",
            "the limit of nofile has no hard value",
        ),
        ("environment: ['A=1 2', B]", ""),
        (
            "environment: ['A: hunter2']",
            "the variable A of a is no NAME=VALUE",
        ),
        ("network_mode: host", ""),
        (
            "network_mode: host\n    networks: [default]",
            "a has network_mode: host and networks:",
        ),
        ("expose: [80, '90-95/udp']", ""),
        ("expose: ['80x']", "\"80x\" is not a valid port of a"),
        ("volumes: ['./d:/d', '/e:/e:ro,z', '/f', 'v:/v']", ""),
        (
            "volumes: ['./d:d']",
            "4:16: d is not an absolute path in the container",
        ),
        ("volumes: ['./d:/d:rx']", "rx is not a mount mode"),
        (
            "volumes: ['./d:/d', './e:/d/']",
            "/d/ of service a has two mounts",
        ),
    ] {
        let found = with(lines, "volumes:\n  v:\n");
        match expected {
            "" => assert_eq!(found, [""; 0], "{lines}"),
            expected => {
                assert_eq!(found.len(), 1, "{lines}: {found:?}");
                let is = found[0].starts_with("compose-invalid-value ");
                assert!(is && found[0].contains(expected), "{lines}: {found:?}");
            }
        }
    }
}

#[test]
fn restarts_and_conditions() {
    for (said, wrong) in [
        ("on-failure:3", false),
        ("unless-stopped", false),
        ("no", false),
        ("allways", true),
        ("unless-stoped", true),
        ("always:3", true),
        ("on-failure:x", true),
    ] {
        let found = rules(&[
            (
                "docker-compose.yml",
                &format!("services:\n  a:\n    image: x:1\n    restart: '{said}'\n"),
            ),
            HERE,
        ]);
        assert_eq!(
            found.contains(&"compose-invalid-value".to_owned()),
            wrong,
            "{said}: {found:?}"
        );
    }
    let found = with(
        "depends_on: {b: {condition: service_helthy}}\n  b:\n    image: y:1",
        "",
    );
    assert_eq!(
        found,
        ["compose-invalid-value a.yml:4:33: \"service_helthy\" is not a valid condition"]
    );
}

#[test]
fn volumes_and_secrets_that_no_file_declares() {
    assert_eq!(
        with("volumes: ['data/x:/data']", ""),
        [
            "compose-volume-undeclared a.yml:4:16: data/x is neither the name of a volume nor a path: relative paths begin with ./"
        ]
    );
    assert_eq!(
        with("secrets: [key]", ""),
        [
            "compose-secret-undeclared a.yml:4:15: service a has the secret key, which its file does not declare"
        ]
    );
    assert_eq!(
        with("configs: [{source: conf, target: /c}]", ""),
        [
            "compose-secret-undeclared a.yml:4:16: service a has the config conf, which its file does not declare"
        ]
    );
    let declared = "secrets:\n  key: {file: ./key}\nconfigs:\n  conf: {file: ./conf}\n";
    assert_eq!(
        with("secrets: [{source: key}]\n    configs: [conf]", declared),
        [""; 0]
    );
}
