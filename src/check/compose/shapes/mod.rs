//! Keys and types that compose knows: it refuses a whole file for one that it does not.
//! The keys are those of docker-compose 1.29 and of the present specification,
//! <https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json>.

mod inner;
mod keys;

use serde_yaml::Value;
use source_text::word_list;

use keys::{
    ATTACHMENT, HEALTH, Keys, LIST, LOGGING, MAP, NETWORK, NULL, NUMBER, PORT, SERVICE, TEXT, TOP,
    TRUTH, VOLUME,
};

use super::view::{View, say};
use crate::check::rules::compose::rule::{compose_unknown_key, compose_wrong_type};
use crate::model::{Diagnostic, Finding, Program};
use crate::source::compose::types::text;
use crate::source::compose::{Document, Service};
use crate::source::error::Speller;

/// Truth values of YAML 1.1, which docker-compose 1 reads where nothing quotes them.
const TRUTHS: [&str; 12] = [
    "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF",
];

/// Keys whose value is a time, with its unit.
const TIMES: [&str; 5] =
    word_list("interval timeout start_period start_interval stop_grace_period");

/// Looks at keys and types, in every file as it is written.
pub(crate) fn walk(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in view.documents() {
        let mut validator = Validator {
            view,
            document,
            findings: Vec::new(),
            speller: Speller::default(),
        };
        validator.file();
        findings.append(&mut validator.findings);
    }
    findings
}

struct Validator<'v, 'a> {
    view: &'v View<'a>,
    document: &'a Document,
    findings: Vec<Finding>,
    speller: Speller,
}

impl<'a> Validator<'_, 'a> {
    fn file(&mut self) {
        let value = &self.document.value;
        if value.is_null() {
            self.nothing();
        }
        self.keys(value, &[], TOP, "a compose file");
        for (section, keys, what) in [
            ("networks", NETWORK, "a network"),
            ("volumes", VOLUME, "a volume"),
        ] {
            for (name, definition) in entries(value.get(section)) {
                match definition {
                    Value::Null => {}
                    Value::Mapping(_) => {
                        self.keys(definition, &[section, &name], keys, what);
                        self.inside_shared(section, &name, definition);
                    }
                    other => self.wrong(&[section, &name], other, MAP),
                }
            }
        }
        for (name, service) in entries(value.get("services")) {
            self.service(&name, service);
        }
    }

    /// A file without a word, which a unit runs.
    fn nothing(&mut self) {
        let path = self.document.path();
        let mut stacks = self.view.stacks.iter();
        let Some(unit) = stacks.find_map(|stack| {
            let unit = stack.unit.as_ref()?;
            let is_run = stack.files.iter().any(|file| file == path);
            is_run.then_some(unit)
        }) else {
            return;
        };
        let message = format!("this file is empty, and {unit} runs it");
        let help = "write services: and the services to run below it";
        self.refuse(self.view.bytes(path, 0..0), message, help);
    }

    fn service(&mut self, name: &str, service: &'a Value) {
        let path = ["services", name];
        if !service.is_mapping() {
            // One without a word has no image.
            if !service.is_null() {
                self.wrong(&path, service, MAP);
            }
            return;
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || !name.chars().all(is_word) {
            let message = format!("{name:?} is not a name of a service");
            let help = "write letters, digits, -, _ and .";
            self.refuse(self.place_of_key(&path), message, help);
        }
        self.keys(service, &path, SERVICE, "a service");
        for (key, keys, what) in [
            ("healthcheck", HEALTH, "a health check"),
            ("logging", LOGGING, "logging"),
        ] {
            if let Some(part @ Value::Mapping(_)) = service.get(key) {
                self.keys(part, &["services", name, key], keys, what);
            }
        }
        for (network, attachment) in entries(service.get("networks")) {
            if attachment.is_mapping() {
                self.keys(
                    attachment,
                    &["services", name, "networks", &network],
                    ATTACHMENT,
                    "a service's network",
                );
            }
        }
        self.inside_service(name, service);
        self.environment(name, service);
        self.ports(name, service);
        self.health(name, service);
    }

    /// The first word of a health check in a list says how the others are meant.
    fn health(&mut self, name: &str, service: &'a Value) {
        let test = service
            .get("healthcheck")
            .and_then(|check| check.get("test")?.as_sequence());
        let Some(first) = test.map(|list| list.first().and_then(text).unwrap_or_default()) else {
            return;
        };
        if !["NONE", "CMD", "CMD-SHELL"].contains(&first.as_str()) {
            let place = self.place(&["services", name, "healthcheck", "test", "0"]);
            let message = format!("the health check of service {name} begins with {first:?}");
            let help =
                "write \"CMD\" before the command, or \"CMD-SHELL\" before a line for a shell";
            self.refuse(place, message, help);
        }
    }

    fn environment(&mut self, name: &str, service: &'a Value) {
        for (key, value) in entries(service.get("environment")) {
            self.type_of(
                &["services", name, "environment", &key],
                value,
                TEXT | NUMBER | NULL | TRUTH,
            );
            if let Value::String(said) = value {
                self.truth(&["services", name, "environment", &key], said, TEXT);
            }
        }
        let list = service.get("environment").and_then(Value::as_sequence);
        for (index, item) in list.into_iter().flatten().enumerate() {
            let index = index.to_string();
            self.type_of(&["services", name, "environment", &index], item, TEXT);
        }
    }

    fn ports(&mut self, name: &str, service: &'a Value) {
        let Some(list) = service.get("ports").and_then(Value::as_sequence) else {
            return;
        };
        let read = Service {
            ports: list.clone(),
            ..Service::default()
        };
        let read = read.published();
        for (index, item) in list.iter().enumerate() {
            let at = index.to_string();
            let path = ["services", name, "ports", &at];
            if item.is_mapping() {
                self.keys(item, &path, PORT, "a port");
                continue;
            }
            // They are in the order of the list.
            let at = read.binary_search_by_key(&index, |port| port.index);
            let port = at.ok().and_then(|at| read.get(at));
            let fits = port.is_some_and(|port| {
                let count = |range: &std::ops::RangeInclusive<u16>| range.clone().count();
                let container = count(&port.container);
                ["tcp", "udp", "sctp"].contains(&port.protocol.as_str())
                    && port
                        .host
                        .as_ref()
                        .is_none_or(|host| container == 1 || count(host) == container)
            });
            // Ports beyond 65535 are the engine's to refuse, and those of a variable without value nobody's.
            if !fits
                && text(item)
                    .is_some_and(|text| !text.is_empty() && !text.contains(char::is_whitespace))
            {
                let said = text(item).unwrap_or_default();
                let message = format!("{said:?} is not a valid port of service {name}");
                let help =
                    "write \"[ADDRESS:]HOST:CONTAINER[/PROTOCOL]\", such as \"127.0.0.1:8020:80\"";
                self.refuse(self.place(&path), message, help);
            }
        }
    }

    /// Validates the keys of a map and the types of their values.
    fn keys(&mut self, map: &'a Value, path: &[&str], known: Keys, what: &str) {
        for (key, value) in entries(Some(map)) {
            let mut whole = path.to_vec();
            whole.push(&key);
            let all = || known.iter().flat_map(|(_, keys)| keys.iter().copied());
            let types = known.iter().find(|(_, keys)| keys.contains(&&*key));
            match types {
                Some((types, _)) => self.type_of(&whole, value, *types),
                None if key.starts_with("x-") || key == "<<" => {}
                None => {
                    let help = match self.speller.nearest(&key, all()) {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!("remove it, or write x-{key} if it is not for compose"),
                    };
                    let place = self.place_of_key(&whole);
                    let message = format!("{what} has no key {key}");
                    let place = say(place, message, "compose refuses the file", help);
                    self.findings.push(compose_unknown_key::RULE.at(place));
                }
            }
        }
    }

    fn type_of(&mut self, path: &[&str], value: &Value, allowed: u8) {
        let Some((_, mut is)) = kind(value) else {
            return;
        };
        if let Value::String(said) = value {
            self.truth(path, said, allowed);
            // A variable leaves text, and compose makes of it what is wanted.
            is |= allowed & (NUMBER | TRUTH);
        }
        if is & allowed == 0 {
            self.wrong(path, value, allowed);
        }
    }

    /// Text that docker-compose 1 reads as a boolean.
    fn truth(&mut self, path: &[&str], said: &str, allowed: u8) {
        if allowed & TRUTH != 0 || !TRUTHS.contains(&said) {
            return;
        }
        let target = self.view.subject.revision.target();
        let Some(lack) = target.lack(Program::Compose, super::COMPOSE_2) else {
            return;
        };
        let place = self.place(path);
        let before = self
            .document
            .source()
            .get(..place.span.start)
            .unwrap_or_default();
        if before.ends_with(['"', '\'']) || self.view.raw(&place) != said {
            return;
        }
        let key = path.last().copied().unwrap_or_default();
        let message = format!("{key}: {said} is a boolean for docker-compose 1, which refuses it");
        let place = say(place, message, "", format!("write {key}: \"{said}\""));
        let finding = compose_wrong_type::RULE.at(place);
        self.findings.push(finding.weighing(lack.severity()));
    }

    fn wrong(&mut self, path: &[&str], value: &Value, allowed: u8) {
        let is = kind(value).map_or("a map", |(is, _)| is);
        let names = [
            (TEXT, "text in quotes"),
            (NUMBER, "a number"),
            (TRUTH, "true or false"),
            (LIST, "a list"),
            (MAP, "a map"),
        ];
        let wanted = names.into_iter().filter(|(bit, _)| allowed & bit != 0);
        let wanted: Vec<&str> = wanted.map(|(_, name)| name).collect();
        let key = path.last().copied().unwrap_or_default();
        let said = text(value).filter(|_| allowed & TEXT != 0);
        let help = match (value, said) {
            (Value::Null, _) => format!("remove {key}, or write what belongs there"),
            (_, Some(said)) if TIMES.contains(&key) => format!("write {key}: {said}s"),
            (_, Some(said)) => format!("write {key}: \"{said}\""),
            (_, None) => format!("write {}", wanted.join(" or ")),
        };
        let message = format!("{key} is {is}, but must be {}", wanted.join(" or "));
        self.refuse(self.place(path), message, help);
    }

    /// Adds that compose refuses the file.
    fn refuse(&mut self, place: Diagnostic, message: String, help: impl Into<String>) {
        let place = say(place, message, "compose refuses the file", help);
        self.findings.push(compose_wrong_type::RULE.at(place));
    }

    fn place(&self, path: &[&str]) -> Diagnostic {
        let span = self
            .view
            .positions(self.document.path(), |positions| positions.find(path).value);
        self.view.bytes(self.document.path(), span.unwrap_or(0..0))
    }

    fn place_of_key(&self, path: &[&str]) -> Diagnostic {
        let span = self
            .view
            .positions(self.document.path(), |positions| positions.find(path).key);
        self.view.bytes(self.document.path(), span.unwrap_or(0..0))
    }
}

/// The entries of a map; none of anything else.
pub(crate) fn entries(value: Option<&Value>) -> impl Iterator<Item = (String, &Value)> {
    let map = value.and_then(Value::as_mapping);
    map.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((text(key)?, value)))
}

/// What a value is, in words and by its type.
fn kind(value: &Value) -> Option<(&'static str, u8)> {
    Some(match value {
        Value::Null => ("empty", NULL),
        Value::Bool(_) => ("a boolean", TRUTH),
        Value::Number(_) => ("a number", NUMBER),
        Value::String(_) => ("text", TEXT),
        Value::Sequence(_) => ("a list", LIST),
        Value::Mapping(_) => ("a map", MAP),
        Value::Tagged(_) => return None,
    })
}
