//! Values within the keys of a service, a network or a volume: items of lists, values of maps, words and numbers.

use serde_yaml::Value;

use super::keys::{MAP, NULL, NUMBER, TEXT, TRUTH};
use super::{Validator, entries, kind};
use crate::check::compose::COMPOSE_2;
use crate::check::compose::view::say;
use crate::check::rules::compose::rule::compose_wrong_type;
use crate::model::{Finding, Program, Severity};
use crate::source::compose::types::text;

/// What a value within a key has to be.
#[derive(Clone, Copy)]
enum Inner {
    /// A list has items of these types.
    Items(u8),
    /// A map has values of these types, and a list text.
    Values(u8),
    /// Text.
    Text,
    /// A boolean, which may be in quotes.
    Truth,
    /// A whole number between two others.
    Between(i64, i64),
    /// One of these words.
    OneOf(&'static [&'static str]),
}

const ANY: u8 = TEXT | NUMBER | TRUTH | NULL;

/// Of a service, by the ways to them: docker-compose 1.29 and compose 2.26 were asked about each.
const SERVICE: [(Inner, &str); 13] = [
    (
        Inner::Items(TEXT),
        "command entrypoint healthcheck.test extra_hosts external_links links volumes_from cap_add \
        cap_drop security_opt dns dns_search tmpfs profiles deploy.placement.constraints \
        build.cache_from depends_on dns_opt device_cgroup_rules",
    ),
    (Inner::Items(TEXT | MAP), "devices env_file volumes"),
    (Inner::Items(TEXT | NUMBER), "group_add"),
    (
        Inner::Values(ANY),
        "labels sysctls build.args build.labels deploy.labels annotations",
    ),
    (Inner::Values(TEXT | NUMBER | NULL), "logging.options"),
    (Inner::Text, "build.context build.dockerfile build.target"),
    (
        Inner::Truth,
        "privileged tty stdin_open init read_only oom_kill_disable healthcheck.disable",
    ),
    (Inner::Between(-1000, 1000), "oom_score_adj"),
    (Inner::Between(0, 100), "cpu_percent"),
    (
        Inner::Between(0, i64::MAX),
        "cpu_count deploy.restart_policy.max_attempts deploy.update_config.parallelism \
        deploy.rollback_config.parallelism",
    ),
    (Inner::Between(0, 65535), "blkio_config.weight"),
    (
        Inner::OneOf(&["start-first", "stop-first"]),
        "deploy.update_config.order deploy.rollback_config.order",
    ),
    (
        Inner::OneOf(&["always", "never", "missing", "if_not_present", "build"]),
        "pull_policy",
    ),
];
/// Of a network, and of a volume as far as it has them.
const SHARED: [(Inner, &str); 2] = [
    (Inner::Truth, "external internal attachable enable_ipv6"),
    (Inner::Values(TEXT | NUMBER), "driver_opts"),
];

/// `to_boolean` in compose/config/interpolation.py of docker-compose 1, `toBoolean` in interpolation of compose-go.
const TRUE_OR_FALSE: [&str; 8] = ["true", "y", "yes", "on", "false", "n", "no", "off"];

impl<'a> Validator<'_, 'a> {
    /// What is within the keys of a service.
    pub(super) fn inside_service(&mut self, name: &str, service: &'a Value) {
        self.inside(&["services", name], service, &SERVICE);
        self.mounts(name, service);
        self.waits(name, service);
        self.copies(name, service);
        self.hosts(name, service);
    }

    /// What is within the keys of a network or volume.
    pub(super) fn inside_shared(&mut self, section: &str, name: &str, value: &'a Value) {
        self.inside(&[section, name], value, &SHARED);
    }

    fn inside(&mut self, at: &[&str], whole: &'a Value, table: &[(Inner, &str)]) {
        for (inner, ways) in table {
            for way in ways.split(' ') {
                let keys = way.split('.');
                if let Some(value) = keys.clone().try_fold(whole, |value, key| value.get(key)) {
                    let path: Vec<&str> = at.iter().copied().chain(keys).collect();
                    self.value(&path, value, *inner);
                }
            }
        }
    }

    fn value(&mut self, path: &[&str], value: &'a Value, inner: Inner) {
        let key = path.last().copied().unwrap_or_default();
        let said = text(value).filter(|said| !said.is_empty());
        match inner {
            Inner::Items(types) => self.items(path, key, value, types),
            Inner::Values(types) => {
                self.items(path, key, value, TEXT);
                for (name, value) in entries(Some(value)) {
                    let path = [path, &[&name]].concat();
                    self.item(&path, &format!("{name} of {key}"), value, types);
                }
            }
            Inner::Text => self.item(path, key, value, TEXT),
            Inner::Truth => {
                let Value::String(said) = value else { return };
                let lower = said.to_ascii_lowercase();
                if !said.is_empty() && !TRUE_OR_FALSE.contains(&lower.as_str()) {
                    self.invalid(path, key, said, "write true or false");
                }
            }
            Inner::Between(least, most) => {
                let Some(said) = said else { return };
                let number = said.parse::<i64>();
                if !number.is_ok_and(|number| (least..=most).contains(&number)) {
                    let help = match most {
                        i64::MAX => format!("write a whole number from {least} on"),
                        most => format!("write a whole number from {least} to {most}"),
                    };
                    self.invalid(path, key, &said, &help);
                }
            }
            Inner::OneOf(words) => {
                let Some(said) = said else { return };
                // Compose 2.32 and later know intervals.
                let is_interval =
                    ["daily", "weekly"].contains(&said.as_str()) || said.starts_with("every_");
                let is_known = words.contains(&said.as_str());
                if !is_known && (key != "pull_policy" || !is_interval) {
                    self.invalid(path, key, &said, &format!("write {}", words.join(", ")));
                }
            }
        }
    }

    fn items(&mut self, path: &[&str], key: &str, list: &'a Value, types: u8) {
        let items = list.as_sequence().into_iter().flatten();
        for (index, item) in items.enumerate() {
            let at = index.to_string();
            let path = [path, &[&at]].concat();
            self.item(&path, &format!("item {} of {key}", index + 1), item, types);
        }
    }

    fn item(&mut self, path: &[&str], what: &str, value: &Value, types: u8) {
        let Some((is, kind)) = kind(value) else {
            return;
        };
        if kind & types != 0 {
            return;
        }
        let help = match text(value) {
            Some(said) if kind & (TRUTH | NUMBER) != 0 => format!("write \"{said}\""),
            _ => "write text in quotes".to_owned(),
        };
        let message = format!("{what} is {is}, but must be text");
        self.refuse(self.place(path), message, help);
    }

    fn invalid(&mut self, path: &[&str], key: &str, said: &str, help: &str) {
        let message = format!("{said:?} is not a valid value of {key}");
        self.refuse(self.place(path), message, help);
    }

    /// Mounts in the long form.
    fn mounts(&mut self, name: &str, service: &'a Value) {
        let list = service.get("volumes").and_then(Value::as_sequence);
        for (index, mount) in list.into_iter().flatten().enumerate() {
            let at = index.to_string();
            let path = ["services", name, "volumes", &at];
            if !mount.is_mapping() {
                continue;
            }
            let is = |kind: &str| mount.get("type").and_then(Value::as_str) == Some(kind);
            let (lacks, is_by_both) = if mount.get("type").is_none() {
                ("type", true)
            } else if mount.get("target").is_none() {
                ("target", false)
            } else if is("bind") && mount.get("source").is_none() {
                ("source", false)
            } else {
                continue;
            };
            let message = format!("a mount of service {name} has no {lacks}");
            let help = "write type: bind or type: volume, source: and target:";
            let place = say(self.place(&path), message, "compose refuses the file", help);
            let found = compose_wrong_type::RULE.at(place);
            match is_by_both {
                true => self.findings.push(found),
                false => self.by_2(found),
            }
        }
    }

    /// `depends_on: {db: {}}`
    fn waits(&mut self, name: &str, service: &'a Value) {
        for (other, how) in entries(service.get("depends_on")) {
            if how.is_mapping() && how.get("condition").is_none() {
                let place = self.place_of_key(&["services", name, "depends_on", &other]);
                let message = format!("depends_on of service {name} has no condition for {other}");
                let help = "write condition: service_started, or a list of names";
                self.refuse(place, message, help);
            }
        }
    }

    /// Several containers cannot have one name.
    fn copies(&mut self, name: &str, service: &'a Value) {
        let scale = service.get("scale").map(|scale| (scale, &["scale"][..]));
        let replicas = service
            .get("deploy")
            .and_then(|deploy| deploy.get("replicas"));
        let replicas = replicas.map(|count| (count, &["deploy", "replicas"][..]));
        let Some((count, way)) = scale.or(replicas) else {
            return;
        };
        let number = text(count).and_then(|count| count.parse::<u64>().ok());
        if number.is_some_and(|number| number > 1) && service.get("container_name").is_some() {
            let path = [&["services", name], way].concat();
            let message = format!("service {name} has several containers and one container_name");
            let help = "remove container_name, or run one container";
            self.refused_by_2(&path, message, help);
        }
    }

    /// `extra_hosts: [NAME:ADDRESS]`
    fn hosts(&mut self, name: &str, service: &'a Value) {
        let list = service.get("extra_hosts").and_then(Value::as_sequence);
        for (index, host) in list.into_iter().flatten().enumerate() {
            let Value::String(said) = host else { continue };
            if said.is_empty() || said.contains([':', '=']) {
                continue;
            }
            let at = index.to_string();
            let path = ["services", name, "extra_hosts", &at];
            let message = format!("{said:?} is not a host with an address");
            let help = "write NAME:ADDRESS";
            self.refused_by_2(&path, message, help);
        }
    }

    /// Finds what compose 2 refuses and docker-compose 1 takes.
    fn refused_by_2(&mut self, path: &[&str], message: String, help: &str) {
        let expected = "compose 2 refuses the file";
        let place = say(self.place(path), message, expected, help);
        self.by_2(compose_wrong_type::RULE.at(place));
    }

    fn by_2(&mut self, found: Finding) {
        let target = self.view.subject.revision.target();
        match target.lack(Program::Compose, COMPOSE_2) {
            None => self.findings.push(found),
            Some(lack) if lack.is_certain() => {}
            Some(_) => self.findings.push(found.weighing(Severity::Warning)),
        }
    }
}
