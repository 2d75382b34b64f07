//! Values that compose or the Docker engine do not take.
//! <https://docs.docker.com/reference/compose-file/services/>

use serde_yaml::Value;
use source_text::word_list;

use crate::check::compose::mounts::{BY_1, by_1};
use crate::check::compose::values::{ValueType, one_of};
use crate::check::rules::compose::prelude::*;
use crate::source::compose::types::text;

pub(crate) static RULE: Rule = rule!(compose_invalid_value, Error, run);

/// Keys of a service by what they take, each as the way to it.
const KEYS: [(ValueType, &str); 7] = [
    (ValueType::Restart, "restart"),
    (
        ValueType::Memory,
        "mem_limit deploy.resources.limits.memory",
    ),
    (
        ValueType::Size,
        "mem_reservation deploy.resources.reservations.memory shm_size",
    ),
    (ValueType::SizeOrAll, "memswap_limit"),
    (
        ValueType::Decimal,
        "cpus deploy.resources.limits.cpus deploy.resources.reservations.cpus",
    ),
    (
        ValueType::Whole,
        "cpu_shares mem_swappiness pids_limit scale deploy.replicas healthcheck.retries",
    ),
    (
        ValueType::Span,
        "healthcheck.interval healthcheck.timeout healthcheck.start_period \
        healthcheck.start_interval stop_grace_period",
    ),
];

/// What a service may wait for.
const CONDITIONS: [&str; 3] =
    word_list("service_started service_healthy service_completed_successfully");

struct Own<'o, 'a> {
    view: &'o View<'a>,
    stack: &'o ParsedStack,
    name: &'o str,
    service: &'o Service,
    /// How severe it is that docker-compose 1 refuses something that compose 2 takes.
    by_1: Severity,
}

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.mounts());
    let view = context.projects();
    let by_1 = by_1(view);
    for (stack, name, service) in view.services() {
        let own = Own {
            view,
            stack,
            name,
            service,
            by_1,
        };
        for (kind, ways) in KEYS {
            findings.extend(ways.split(' ').filter_map(|way| own.value_of(way, kind)));
        }
        own.conditions(findings);
        own.limits(findings);
        own.exposed(findings);
        own.environment(findings);
        findings.extend(own.two_networks());
    }
}

impl Own<'_, '_> {
    fn value_of(&self, way: &str, kind: ValueType) -> Option<Finding> {
        let mut keys = way.split('.');
        let first = self.service.rest.get(keys.next()?)?;
        let value = keys.try_fold(first, |value, key| value.get(key))?;
        // What is no scalar is of the wrong type; one that is empty comes of a variable without a value.
        let said = text(value).filter(|said| !said.is_empty())?;
        let help = kind.refuses(&said)?;
        let path: Vec<&str> = way.split('.').collect();
        let key = path.last().copied().unwrap_or_default();
        let message = format!("{said:?} is not a valid value of {key}");
        let found = self.find(&path, &message, help);
        Some(match kind {
            // docker-compose 1 takes the default instead, and compose 2 refuses the file.
            ValueType::Span => found.weighing(Severity::Warning),
            // compose 2 counts no attempts then.
            ValueType::Restart if said.starts_with("on-failure:") => found.weighing(self.by_1),
            _ => found,
        })
    }

    fn find(&self, path: &[&str], message: &str, help: String) -> Finding {
        let place = self.view.at(self.stack, self.name, path);
        RULE.at(say(place, message, "", help))
    }

    /// `depends_on: {db: {condition: service_healthy}}`
    fn conditions(&self, findings: &mut Findings) {
        let waits = self.service.rest.get("depends_on");
        let waits = waits.and_then(Value::as_mapping).into_iter().flatten();
        let wrong = waits.filter_map(|(other, how)| {
            let other = text(other)?;
            let said = text(how.get("condition")?)?;
            let known = said.is_empty() || CONDITIONS.contains(&said.as_str());
            (!known).then_some((other, said))
        });
        findings.extend(wrong.map(|(other, said)| {
            let message = format!("{said:?} is not a valid condition");
            let help = one_of(&said, &CONDITIONS);
            self.find(&["depends_on", &other, "condition"], &message, help)
        }));
    }

    /// `ulimits: {nofile: 1024, nproc: {soft: 1, hard: 2}}`
    fn limits(&self, findings: &mut Findings) {
        let limits = self.service.rest.get("ulimits");
        let limits = limits.and_then(Value::as_mapping).into_iter().flatten();
        let is_wrong = |value: &&Value| {
            let said = text(value).filter(|said| !said.is_empty());
            said.is_some_and(|said| said.parse::<i64>().is_err())
        };
        for (name, limit) in limits {
            let Some(name) = text(name) else { continue };
            let parts = [Some(limit), limit.get("soft"), limit.get("hard")];
            let wrong = parts.into_iter().flatten().find(is_wrong).and_then(text);
            let lacks = ["soft", "hard"]
                .into_iter()
                .find(|part| limit.get(part).is_none());
            let (message, help) = match (wrong, lacks) {
                (Some(said), _) => (
                    format!("{said:?} is not a valid limit of {name}"),
                    "write a whole number".to_owned(),
                ),
                (None, Some(part)) if limit.is_mapping() => (
                    format!("the limit of {name} has no {part} value"),
                    format!("write {part}: NUMBER beside the other one"),
                ),
                _ => continue,
            };
            findings.push(self.find(&["ulimits", &name], &message, help));
        }
    }

    /// `- "A: 1"` in a list, where `- A=1` is meant: the name of a variable has no blanks.
    fn environment(&self, findings: &mut Findings) {
        let list = self.service.rest.get("environment");
        let list = list.and_then(Value::as_sequence).into_iter().flatten();
        for item in list {
            let Some(said) = text(item) else { continue };
            let name = said.split('=').next().unwrap_or_default();
            if !name.contains(char::is_whitespace) {
                continue;
            }
            let place = self
                .view
                .at_item(self.stack, self.name, "environment", item);
            // What follows the colon may be a secret.
            let name = name.split([':', ' ', '\t']).next().unwrap_or_default();
            let message = format!("the variable {name} of {} is not NAME=VALUE", self.name);
            let help = "write NAME=VALUE, or a map without the - in front";
            let place = say(place, message, BY_1, help);
            findings.push(RULE.at(place).weighing(self.by_1));
        }
    }

    fn two_networks(&self) -> Option<Finding> {
        let mode = self.service.network_mode()?;
        if self.service.networks.entries().is_empty() {
            return None;
        }
        let message = format!("{} has network_mode: {mode} and networks:", self.name);
        let help = "remove one of the two: compose refuses the file".to_owned();
        Some(self.find(&["network_mode"], &message, help))
    }

    /// `expose: [8000, 9000-9010/udp]`
    fn exposed(&self, findings: &mut Findings) {
        let list = self.service.rest.get("expose");
        let list = list.and_then(Value::as_sequence).into_iter().flatten();
        for item in list {
            let Some(said) = text(item).filter(|said| !said.is_empty()) else {
                continue;
            };
            let (ports, protocol) = said.split_once('/').unwrap_or((&said, "tcp"));
            let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
            let are_ports = [from, to].iter().all(|port| port.parse::<u16>().is_ok());
            if are_ports && ["tcp", "udp", "sctp"].contains(&protocol) {
                continue;
            }
            let place = self.view.at_item(self.stack, self.name, "expose", item);
            let message = format!("{said:?} is not a valid port of {}", self.name);
            let help = "write PORT or PORT/PROTOCOL";
            let place = say(place, message, BY_1, help);
            findings.push(RULE.at(place).weighing(self.by_1));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::compose::tests::values::with;
    use crate::check::compose::tests::{HERE, rules};

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
                "the variable A of a is not NAME=VALUE",
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
    /// What compose 2 takes for something else is wrong for 1 alone.
    #[test]
    fn what_only_one_version_refuses_weighs_by_the_target() {
        use crate::check::tests::checked;
        use crate::model::Severity::{Error, Warning};
        for (lines, is_by_1) in [
            ("environment: ['A: 1']", true),
            ("restart: on-failure:x", true),
            ("expose: ['80x']", true),
            ("volumes: ['./d:/d:rx']", true),
            ("volumes: ['./d:/d', './e:/d']", true),
            ("restart: unless-stoped", false),
            ("volumes: ['./d:d']", false),
        ] {
            let by = if is_by_1 { Warning } else { Error };
            for (host, severity) in [("compose = 1", Error), ("compose = 2", by), ("", by)] {
                let files = [
                    ("watchme.toml", format!("[host]\n{host}\n")),
                    (
                        "compose.yml",
                        format!("services:\n  a:\n    image: a:1\n    {lines}\n"),
                    ),
                ];
                let found = checked(&files.map(|(path, text)| (path.to_owned(), text)));
                let own = found.iter().filter(|one| one.rule.name == super::RULE.name);
                let own: Vec<_> = own.map(|one| one.severity).collect();
                assert_eq!(own, [severity], "{host}: {lines}");
            }
        }
    }
}
