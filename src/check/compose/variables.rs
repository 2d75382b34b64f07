//! Variables of compose files, and what values say about other containers.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::view::{View, say};
use crate::model::{Finding, Rule, Severity};
use crate::source::ParsedStack;
use crate::source::compose::types::text;
use crate::source::compose::{Service, Variables};

crate::rule! {
    UNSET, "compose-variable-unset", Warning;
    LOCALHOST, "compose-calls-localhost", Warning;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&UNSET, &LOCALHOST];

/// Names by which a container calls itself, or its host.
const HERE: [&str; 4] = ["localhost", "127.0.0.1", GATEWAY, "[::1]"];
const GATEWAY: &str = "host.docker.internal";
/// Words in the names of images, with the port that such a service listens on.
const USUAL: [(&str, u16); 10] = [
    ("postgres", 5432),
    ("mysql", 3306),
    ("mariadb", 3306),
    ("redis", 6379),
    ("valkey", 6379),
    ("mongo", 27017),
    ("memcached", 11211),
    ("rabbitmq", 5672),
    ("elasticsearch", 9200),
    ("opensearch", 9200),
];

/// Findings about variables and values.
pub fn check(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
    for stack in &view.stacks {
        findings.extend(unset(view, stack));
    }
    findings.extend(calls(view));
    findings
}

fn unset(view: &View, stack: &ParsedStack) -> Vec<Finding> {
    let looked = match &stack.variables {
        Variables::File(path) => format!("in {}", path.display()),
        Variables::Example(path) => format!(
            "in {}, which stands for the .env that is not here",
            path.display()
        ),
        Variables::Defaults => {
            "anywhere: there is no .env and no .env.example beside it".to_owned()
        }
        Variables::Unknown => return Vec::new(),
    };
    let mut findings = Vec::new();
    for (file, names) in &stack.unset {
        for name in names {
            let Some((span, required)) = view
                .positions(file, |positions| used(positions, name))
                .flatten()
            else {
                continue;
            };
            let message = format!("the variable {name} has no value {looked}");
            let (expected, help) = match required {
                true => (
                    "compose refuses to start without it",
                    format!("set {name} in .env"),
                ),
                false => (
                    "compose puts nothing there",
                    format!("set {name} in .env, or write a default: ${{{name}:-}} for nothing"),
                ),
            };
            let help = match &stack.variables {
                Variables::File(_) => help,
                _ => format!("{help}; list it in .env.example"),
            };
            let finding = Finding::at(&UNSET, say(view.bytes(file, span), message, expected, help));
            let certain = required && matches!(stack.variables, Variables::File(_));
            findings.push(match certain {
                true => finding.weighing(Severity::Error),
                false => finding,
            });
        }
    }
    findings
}

/// Where a variable is used first, and whether compose refuses to start without it.
fn used(
    positions: &crate::source::compose::Positions,
    name: &str,
) -> Option<(std::ops::Range<usize>, bool)> {
    let mut found = None;
    for (_, span, text) in positions.texts() {
        let mut at = 0;
        while let Some(next) = text.get(at..).and_then(|rest| rest.find('$')) {
            let behind = text.get(at + next + 1..).unwrap_or_default();
            at += next + 1;
            if behind.starts_with('$') {
                at += 1;
                continue;
            }
            let inside = behind.strip_prefix('{');
            let rest = inside.unwrap_or(behind).strip_prefix(name);
            let Some(rest) = rest
                .filter(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
            else {
                continue;
            };
            let required = inside.is_some() && (rest.starts_with(":?") || rest.starts_with('?'));
            let default = inside.is_some() && rest.starts_with([':', '-', '+']) && !required;
            if !default && (required || found.is_none()) {
                found = Some((span.clone(), required));
            }
        }
    }
    found
}

/// Who publishes a port of the host, or listens on it inside.
#[derive(Clone)]
struct Publisher<'a> {
    stack: &'a ParsedStack,
    service: &'a str,
    definition: &'a Service,
    container: u16,
}

fn calls(view: &View) -> Vec<Finding> {
    let mut publishers: BTreeMap<u16, Publisher> = BTreeMap::new();
    for (stack, service, definition) in view.started() {
        for port in definition.published() {
            let host = port.host.clone().into_iter().flatten();
            for (host, container) in host.zip(port.container.clone()) {
                publishers.entry(host).or_insert(Publisher {
                    stack,
                    service,
                    definition,
                    container,
                });
            }
        }
    }
    let mut findings = Vec::new();
    for (stack, service, definition) in view.started() {
        let mode = definition.network_mode();
        // Those share the network of the host, or of another container.
        if mode.is_some_and(|mode| mode == "host" || mode.contains(':')) {
            continue;
        }
        for (key, value) in definition.environment() {
            let Some((host, port)) = value.as_deref().and_then(called) else {
                continue;
            };
            let neighbour = || neighbour(stack, service, port).filter(|_| host != GATEWAY);
            let published = publishers.get(&port);
            let Some(other) = published.cloned().or_else(neighbour) else {
                continue;
            };
            let itself = std::ptr::eq(other.stack, stack) && other.service == service;
            let listens = definition
                .published()
                .iter()
                .any(|own| own.container.contains(&port));
            if itself || (listens && host != GATEWAY) {
                continue;
            }
            let name = other
                .definition
                .container_name
                .as_deref()
                .unwrap_or(other.service);
            let why = match host {
                GATEWAY => "past the network, by a port of the host",
                _ => "in a container that is the container itself",
            };
            let help = format!(
                "write {name}:{} there, and put both services on the same network",
                other.container
            );
            let place = view.at(stack, service, &["environment", &key]);
            let message = format!(
                "{key} of service {service} calls {host}:{port}, which is {} in another container",
                other.service
            );
            findings.push(Finding::at(&LOCALHOST, say(place, message, why, help)));
        }
    }
    findings
}

/// Another service of the same project that listens on a port which nobody publishes: it says so, or its image is known for it.
fn neighbour<'a>(stack: &'a ParsedStack, caller: &str, port: u16) -> Option<Publisher<'a>> {
    let services = stack.compose.services.iter();
    let mut others = services.filter(|(name, _)| *name != caller && stack.started.contains(*name));
    let (service, definition) = others.find(|(_, other)| {
        let image = other.image().unwrap_or_default();
        let exposes = other.rest.get("expose").and_then(Value::as_sequence);
        let exposed = exposes.into_iter().flatten().filter_map(text);
        let known = USUAL
            .iter()
            .any(|(word, usual)| *usual == port && image.contains(word));
        known
            || exposed
                .filter_map(|said| said.parse().ok())
                .any(|said: u16| said == port)
    })?;
    Some(Publisher {
        stack,
        service,
        definition,
        container: port,
    })
}

/// The host and port of a URL that leads to the same container, or to its host.
fn called(value: &str) -> Option<(&'static str, u16)> {
    let (_scheme, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#', ',']).next()?;
    let address = authority.rsplit('@').next()?;
    let here = HERE.into_iter().find(|here| {
        address
            .strip_prefix(here)
            .is_some_and(|rest| rest.starts_with(':'))
    })?;
    let port = address.get(here.len() + 1..)?.parse().ok()?;
    Some((here, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_from_urls() {
        for (value, expected) in [
            ("http://localhost:8015/api", Some(("localhost", 8015))),
            ("postgres://u:p@127.0.0.1:5432/x", Some(("127.0.0.1", 5432))),
            (
                "http://host.docker.internal:80",
                Some(("host.docker.internal", 80)),
            ),
            ("http://localhost/", None),
            ("http://api:8015/", None),
            ("localhost:8015", None),
            ("http://localhost.example.com:80/", None),
        ] {
            assert_eq!(called(value), expected, "{value}");
        }
    }
}
