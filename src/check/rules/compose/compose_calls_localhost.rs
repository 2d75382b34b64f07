//! Values that call another container by the name of this host.

use std::collections::{BTreeMap, HashSet};

use serde_yaml::Value;

use crate::check::ports::MAX_PORTS;
use crate::check::rules::compose::prelude::*;
use crate::source::compose::types::text;

pub(crate) static RULE: Rule = rule!(compose_calls_localhost, Warning, run);

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

/// Who publishes a port of the host, or listens on it inside.
#[derive(Clone)]
struct Publisher<'a> {
    stack: &'a ParsedStack,
    service: &'a str,
    definition: &'a Service,
    container: u16,
}

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let mut publishers: BTreeMap<u16, Publisher> = BTreeMap::new();
    for (stack, service, definition) in view.started() {
        let mut seen = HashSet::new();
        for port in definition.published() {
            // Of ranges that a service has again and again, the first counts.
            if !seen.insert((port.host.clone(), port.container.clone()))
                || publishers.len() >= MAX_PORTS
            {
                continue;
            }
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
                GATEWAY => "that goes through a port of the host, not through the network",
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
            findings.push(RULE.at(say(place, message, why, help)));
        }
    }
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
    use crate::check::compose::tests::{NONE, one};

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

    #[test]
    fn calls_to_other_containers_go_by_name() {
        let with = |url: &str, more: &str| {
            let compose = format!(
                "services:\n  a:\n    image: x:1\n    environment: [\"URL={url}\"]\n{more}  b:\n    image: x:1\n    ports: ['127.0.0.1:8015:80']\n"
            );
            one(&compose).len()
        };
        assert_eq!(with("http://localhost:8015/x", ""), 1);
        assert_eq!(with("http://host.docker.internal:8015/x", ""), 1);
        for (url, more) in [
            ("http://b/x", ""),
            ("http://localhost:9999/x", ""),
            ("http://localhost:8015/x", "    network_mode: host\n"),
            (
                "http://localhost:8015/x",
                "    ports: ['127.0.0.1:8020:8015']\n",
            ),
        ] {
            assert_eq!(with(url, more), 0, "{url} {more}");
        }
        // Inside a project, too, where nobody publishes the port.
        let inside = |url: &str, cache: &str| {
            one(&format!(
                "services:\n  a:\n    image: x:1\n    environment: [\"URL={url}\"]\n  cache: {cache}\n"
            ))
        };
        assert_eq!(
            inside("redis://localhost:6379/0", "{image: 'redis:7'}"),
            [
                "compose-calls-localhost a.yml:4:20: URL of service a calls localhost:6379, which is cache in another container"
            ]
        );
        assert_eq!(inside("redis://cache:6379/0", "{image: 'redis:7'}"), NONE);
        assert_eq!(
            inside("http://localhost:9000/", "{image: 'y:1', expose: [9000]}").len(),
            1
        );
        assert_eq!(inside("http://localhost:9000/", "{image: 'y:1'}"), NONE);
    }
}
