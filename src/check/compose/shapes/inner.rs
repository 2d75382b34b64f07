//! Values within the keys of a service, a network or a volume: items of lists, values of maps, words and numbers.

use serde_yaml::Value;

use super::keys::{MAP, NULL, NUMBER, TEXT, TRUTH};
use super::{Validator, entries};
use crate::check::compose::COMPOSE_2;
use crate::check::compose::view::say;
use crate::check::rules::compose::rule::compose_wrong_type;
use crate::model::{Finding, Program, Severity};
use crate::source::compose::types::text;

/// The way to a value.
type Way = &'static [&'static str];

/// What a value within a key has to be.
#[derive(Clone, Copy)]
enum Inner {
    /// A list has items of these types.
    Items(u8),
    /// A map has values of these types, and a list text.
    Values(u8),
    /// Text.
    Text,
    /// A truth value, which may be in quotes.
    Truth,
    /// A whole number between two others.
    Between(i64, i64),
    /// One of these words.
    OneOf(&'static [&'static str]),
}

const ANY: u8 = TEXT | NUMBER | TRUTH | NULL;

/// Of a service: docker-compose 1.29 and compose 2.26 were asked about each.
const SERVICE: [(Way, Inner); 50] = [
    (&["command"], Inner::Items(TEXT)),
    (&["entrypoint"], Inner::Items(TEXT)),
    (&["healthcheck", "test"], Inner::Items(TEXT)),
    (&["extra_hosts"], Inner::Items(TEXT)),
    (&["devices"], Inner::Items(TEXT | MAP)),
    (&["external_links"], Inner::Items(TEXT)),
    (&["links"], Inner::Items(TEXT)),
    (&["volumes_from"], Inner::Items(TEXT)),
    (&["cap_add"], Inner::Items(TEXT)),
    (&["cap_drop"], Inner::Items(TEXT)),
    (&["security_opt"], Inner::Items(TEXT)),
    (&["dns"], Inner::Items(TEXT)),
    (&["dns_search"], Inner::Items(TEXT)),
    (&["tmpfs"], Inner::Items(TEXT)),
    (&["profiles"], Inner::Items(TEXT)),
    (&["env_file"], Inner::Items(TEXT | MAP)),
    (&["volumes"], Inner::Items(TEXT | MAP)),
    (&["labels"], Inner::Values(ANY)),
    (&["sysctls"], Inner::Values(ANY)),
    (&["build", "args"], Inner::Values(ANY)),
    (&["build", "labels"], Inner::Values(ANY)),
    (&["deploy", "labels"], Inner::Values(ANY)),
    (&["logging", "options"], Inner::Values(TEXT | NUMBER | NULL)),
    (&["build", "context"], Inner::Text),
    (&["build", "dockerfile"], Inner::Text),
    (&["build", "target"], Inner::Text),
    (&["privileged"], Inner::Truth),
    (&["tty"], Inner::Truth),
    (&["stdin_open"], Inner::Truth),
    (&["init"], Inner::Truth),
    (&["read_only"], Inner::Truth),
    (&["oom_kill_disable"], Inner::Truth),
    (&["healthcheck", "disable"], Inner::Truth),
    (&["oom_score_adj"], Inner::Between(-1000, 1000)),
    (&["cpu_percent"], Inner::Between(0, 100)),
    (&["cpu_count"], Inner::Between(0, i64::MAX)),
    (
        &["deploy", "restart_policy", "max_attempts"],
        Inner::Between(0, i64::MAX),
    ),
    (
        &["deploy", "update_config", "parallelism"],
        Inner::Between(0, i64::MAX),
    ),
    (
        &["deploy", "rollback_config", "parallelism"],
        Inner::Between(0, i64::MAX),
    ),
    (
        &["deploy", "update_config", "order"],
        Inner::OneOf(&["start-first", "stop-first"]),
    ),
    (
        &["deploy", "rollback_config", "order"],
        Inner::OneOf(&["start-first", "stop-first"]),
    ),
    (
        &["pull_policy"],
        Inner::OneOf(&["always", "never", "missing", "if_not_present", "build"]),
    ),
    (&["blkio_config", "weight"], Inner::Between(0, 65535)),
    (&["deploy", "placement", "constraints"], Inner::Items(TEXT)),
    (&["build", "cache_from"], Inner::Items(TEXT)),
    (&["depends_on"], Inner::Items(TEXT)),
    (&["annotations"], Inner::Values(ANY)),
    (&["dns_opt"], Inner::Items(TEXT)),
    (&["device_cgroup_rules"], Inner::Items(TEXT)),
    (&["group_add"], Inner::Items(TEXT | NUMBER)),
];

/// Of a network, and of a volume as far as it has them.
const SHARED: [(Way, Inner); 5] = [
    (&["external"], Inner::Truth),
    (&["internal"], Inner::Truth),
    (&["attachable"], Inner::Truth),
    (&["enable_ipv6"], Inner::Truth),
    (&["driver_opts"], Inner::Values(TEXT | NUMBER)),
];

/// `to_boolean` in compose/config/interpolation.py of docker-compose 1, `toBoolean` in interpolation of compose-go.
const TRUE_OR_FALSE: [&str; 8] = ["true", "y", "yes", "on", "false", "n", "no", "off"];

impl<'a> Validator<'_, 'a> {
    /// What is within the keys of a service.
    pub(super) fn inside_service(&mut self, name: &str, service: &'a Value) {
        for (way, inner) in SERVICE {
            self.inside(&["services", name], service, way, inner);
        }
        self.mounts(name, service);
        self.waits(name, service);
        self.copies(name, service);
        self.hosts(name, service);
    }

    /// What is within the keys of a network or volume.
    pub(super) fn inside_shared(&mut self, section: &str, name: &str, value: &'a Value) {
        for (way, inner) in SHARED {
            self.inside(&[section, name], value, way, inner);
        }
    }

    fn inside(&mut self, at: &[&str], value: &'a Value, way: Way, inner: Inner) {
        let mut value = value;
        for key in way {
            match value.get(*key) {
                Some(next) => value = next,
                None => return,
            }
        }
        let path = [at, way].concat();
        let key = way.last().copied().unwrap_or_default();
        let said = text(value).filter(|said| !said.is_empty());
        match inner {
            Inner::Items(types) => self.items(&path, key, value, types),
            Inner::Values(types) => {
                self.items(&path, key, value, TEXT);
                for (name, value) in entries(Some(value)) {
                    let path = [path.as_slice(), &[&name]].concat();
                    self.item(&path, &format!("{name} of {key}"), value, types);
                }
            }
            Inner::Text => self.item(&path, key, value, TEXT),
            Inner::Truth => {
                let Value::String(said) = value else { return };
                let lower = said.to_ascii_lowercase();
                if !said.is_empty() && !TRUE_OR_FALSE.contains(&lower.as_str()) {
                    self.invalid(&path, key, said, "write true or false");
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
                    self.invalid(&path, key, &said, &help);
                }
            }
            Inner::OneOf(words) => {
                let Some(said) = said else { return };
                // Compose 2.32 and later know intervals.
                let is_interval =
                    ["daily", "weekly"].contains(&said.as_str()) || said.starts_with("every_");
                let is_known = words.contains(&said.as_str());
                if !is_known && (key != "pull_policy" || !is_interval) {
                    self.invalid(&path, key, &said, &format!("write {}", words.join(", ")));
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
        let (is, kind) = match value {
            Value::Null => ("empty", NULL),
            Value::Bool(_) => ("a truth value", TRUTH),
            Value::Number(_) => ("a number", NUMBER),
            Value::Sequence(_) => ("a list", 0),
            Value::Mapping(_) => ("a map", MAP),
            _ => return,
        };
        if kind & types != 0 {
            return;
        }
        let help = match text(value) {
            Some(said) if kind & (TRUTH | NUMBER) != 0 => format!("write \"{said}\""),
            _ => "write text in quotes".to_owned(),
        };
        let message = format!("{what} is {is}, and has to be text");
        let place = say(self.place(path), message, "compose refuses the file", help);
        self.findings.push(compose_wrong_type::RULE.at(place));
    }

    fn invalid(&mut self, path: &[&str], key: &str, said: &str, help: &str) {
        let message = format!("{said:?} is not a valid value of {key}");
        let place = say(self.place(path), message, "compose refuses the file", help);
        self.findings.push(compose_wrong_type::RULE.at(place));
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
                let place = say(place, message, "compose refuses the file", help);
                self.findings.push(compose_wrong_type::RULE.at(place));
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
            let message = format!("{said:?} is no host with an address");
            let help = "write NAME:ADDRESS";
            self.refused_by_2(&path, message, help);
        }
    }

    /// Finds what compose 2 refuses and docker-compose 1 takes.
    fn refused_by_2(&mut self, path: &[&str], message: String, help: &str) {
        let place = say(
            self.place(path),
            message,
            "compose 2 refuses the file",
            help,
        );
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
