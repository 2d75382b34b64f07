//! Values of a type that their key does not take.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_wrong_type, Error, picks shapes);

#[cfg(test)]
mod tests {
    use crate::check::compose::tests::one;
    use crate::check::tests::checked;

    #[test]
    fn a_file_that_says_nothing() {
        for text in ["", "# to do\n", "---\n"] {
            assert_eq!(
                one(text),
                ["compose-wrong-type a.yml:1:1: this file is empty, and a.service runs it"],
                "{text:?}"
            );
        }
    }

    #[test]
    fn times_have_their_unit() {
        let files = [
            ("watchme.toml".to_owned(), String::new()),
            (
                "docker-compose.yml".to_owned(),
                "services: {a: {image: 'x:1', healthcheck: {test: a, interval: 10}}}\n".to_owned(),
            ),
        ];
        let found = checked(&files);
        let wrong = found
            .iter()
            .find(|one| one.rule.name == "compose-wrong-type");
        assert_eq!(
            wrong.and_then(|one| one.help()),
            Some("write interval: 10s")
        );
    }

    #[test]
    fn values_within_keys() {
        let found = |compose: &str, lines: &str| {
            let files = [
                ("watchme.toml", format!("[host]\n{compose}\n")),
                (
                    "docker-compose.yml",
                    format!("services:\n  a:\n    image: x:1\n    {lines}\n"),
                ),
            ];
            let files = files.map(|(path, text)| (path.to_owned(), text));
            let all = checked(&files).into_iter();
            let own = all.filter(|one| one.rule.name == "compose-wrong-type");
            let said = own.map(|one| format!("{:?} {}", one.severity, one.message()));
            said.collect::<Vec<_>>()
        };
        for (lines, expected) in [
            ("command: [sleep, 10]", "item 2 of command is a number"),
            ("dns: [10]", "item 1 of dns is a number"),
            ("labels: {a: [b]}", "a of labels is a list"),
            ("build: {context: 10}", "context is a number"),
            (
                "privileged: 'foo'",
                "\"foo\" is not a valid value of privileged",
            ),
            (
                "oom_score_adj: 2000",
                "\"2000\" is not a valid value of oom_score_adj",
            ),
            (
                "pull_policy: foo",
                "\"foo\" is not a valid value of pull_policy",
            ),
            (
                "volumes: [{source: /a, target: /b}]",
                "a mount of service a has no type",
            ),
            ("volumes: [10]", "item 1 of volumes is a number"),
            (
                "depends_on: {b: {}}\n  b:\n    image: y:1",
                "depends_on of service a has no condition for b",
            ),
            (
                "logging: {driver: x}\n  'b c':\n    image: y:1",
                "\"b c\" is not a name of a service",
            ),
        ] {
            let found = found("", lines);
            let is = |said: &String| said.starts_with("Error ") && said.contains(expected);
            assert!(
                found.len() == 1 && found.iter().all(is),
                "{lines}: {found:?}"
            );
        }
        for lines in [
            "command: [sleep, '10']",
            "command: [sleep, \"${SECONDS:-}\"]",
            "privileged: 'true'\n    tty: 'yes'\n    init: '${INIT:-}'",
            "oom_score_adj: -1000\n    group_add: [10, a]",
            "pull_policy: daily\n    labels: {a: true, b: 1, c: }\n    dns: 192.0.2.1",
            "volumes: [{type: volume, target: /b}, {type: tmpfs, target: /c}]",
        ] {
            assert_eq!(found("", lines), [""; 0], "{lines}");
        }
        // Only compose 2 refuses these.
        for lines in [
            "extra_hosts: [b]",
            "scale: 2\n    container_name: c",
            "deploy: {replicas: 2}\n    container_name: c",
            "volumes: [{type: bind, target: /b}]",
        ] {
            for (compose, severity) in [("compose = 2", "Error"), ("", "Warning")] {
                let found = found(compose, lines);
                let is = found.len() == 1 && found[0].starts_with(severity);
                assert!(is, "{lines}: {found:?}");
            }
            assert_eq!(found("compose = 1", lines), [""; 0], "{lines}");
        }
    }
}
