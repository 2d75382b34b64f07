//! Values and mounts that compose or the engine refuse.

use super::*;

/// What is found in a service with these lines, and with more at the end of its file.
pub(in crate::check) fn with(lines: &str, end: &str) -> Vec<String> {
    one(&format!(
        "services:\n  a:\n    image: x:1\n    {lines}\n{end}"
    ))
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

/// Compose 2.26 takes each of these; docker-compose 1.29 refuses them.
#[test]
fn what_compose_2_takes_is_no_error() {
    for lines in [
        "environment: {A: true}",
        "ports: ['${NONE:-}:8080:443']",
        "command: echo $(id -u) $1",
        "build: {context: ., dockerfile_inline: 'RUN echo $(id -u)'}",
    ] {
        let wrong: Vec<String> = with(lines, "")
            .into_iter()
            .filter(|found| {
                ["compose-wrong-type", "compose-invalid-value", "syntax"]
                    .iter()
                    .any(|rule| found.starts_with(rule))
            })
            .collect();
        assert_eq!(wrong, [""; 0], "{lines}");
    }
}
