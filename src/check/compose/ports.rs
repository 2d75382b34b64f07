//! Published ports, across all projects.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde_yaml::Value;

use super::view::{View, say};
use crate::model::{Diagnostic, Finding, Rule, Severity};
use crate::source::ParsedStack;
use crate::source::compose::{Published, Service};

crate::rule! {
    TWICE, "port-published-twice", Error;
    OUTSIDE, "port-outside-ranges", Warning;
    PUBLIC, "port-public", Warning;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&TWICE, &OUTSIDE, &PUBLIC];

/// Ports that are there for the world: SSH, mail, DNS, HTTP and its likes, VPNs.
const FOR_ALL: [u16; 16] = [
    22, 25, 53, 80, 110, 143, 443, 465, 587, 853, 993, 995, 1194, 3478, 5349, 51820,
];

/// Words in the names of images of databases, caches, queues and search engines.
const STORES: [&str; 28] = [
    "postgres",
    "postgis",
    "pgvector",
    "timescale",
    "mysql",
    "mariadb",
    "percona",
    "mongo",
    "redis",
    "valkey",
    "keydb",
    "memcached",
    "elasticsearch",
    "opensearch",
    "cassandra",
    "scylla",
    "couchdb",
    "couchbase",
    "influxdb",
    "clickhouse",
    "neo4j",
    "cockroach",
    "mssql",
    "rethinkdb",
    "rabbitmq",
    "etcd",
    "qdrant",
    "milvus",
];
/// Words that make such an image something in front of one.
const BESIDE_A_STORE: [&str; 8] = [
    "exporter",
    "express",
    "commander",
    "insight",
    "admin",
    "backup",
    "kibana",
    "dashboard",
];
/// Ports of the same, where the image's name says nothing.
const STORE_PORTS: [u16; 15] = [
    1433, 1521, 2379, 3306, 5432, 5672, 5984, 6379, 7687, 9042, 9200, 9300, 11211, 27017, 28015,
];

/// A port that a service publishes.
struct Held<'a> {
    stack: &'a ParsedStack,
    service: &'a str,
    definition: &'a Service,
    port: Published,
}

impl Held<'_> {
    fn place(&self, view: &View) -> Diagnostic {
        let item = self.item().cloned().unwrap_or_default();
        view.at_item(self.stack, self.service, "ports", &item)
    }

    /// The entry of `ports:`.
    fn item(&self) -> Option<&Value> {
        self.definition.ports.get(self.port.index)
    }

    fn who(&self) -> String {
        let file = self.stack.files.last();
        let file = file
            .map(|file| file.display().to_string())
            .unwrap_or_default();
        format!("{} of {file}", self.service)
    }
}

/// Findings about published ports.
pub fn check(view: &View) -> Vec<Finding> {
    let held: Vec<Held> = view.started().flat_map(held).collect();
    let mut findings = twice(view, &held);
    findings.extend(held.iter().filter_map(|held| outside(view, held)));
    findings.extend(held.iter().filter_map(|held| public(view, held)));
    findings
}

fn held<'a>(
    (stack, service, definition): (&'a ParsedStack, &'a str, &'a Service),
) -> Vec<Held<'a>> {
    // On the host's own network `ports:` is ignored.
    if definition.network_mode() == Some("host") {
        return Vec::new();
    }
    let held = |port| Held {
        stack,
        service,
        definition,
        port,
    };
    definition.published().into_iter().map(held).collect()
}

fn twice(view: &View, held: &[Held]) -> Vec<Finding> {
    let mut by_port: BTreeMap<u16, Vec<&Held>> = BTreeMap::new();
    let mut offered = BTreeSet::new();
    let mut findings = Vec::new();
    for one in held {
        for port in one.port.host.clone().into_iter().flatten() {
            let others = by_port.entry(port).or_default();
            let other = others.iter().find(|other| {
                run_together(view, one, other) && one.port.collides(&other.port).is_some()
            });
            if let Some(other) = other {
                let message = format!(
                    "port {port} is published twice: by {} and here",
                    other.who()
                );
                let help = match free(view, held, port, &offered) {
                    Some(free) => {
                        offered.insert(free);
                        format!("publish another port: {free} is free")
                    }
                    None => "publish another port".to_owned(),
                };
                let place = say(one.place(view), message, "", help);
                findings.push(Finding::at(&TWICE, place));
                break;
            }
            // A second one on the same port adds nothing that others could collide with.
            if others.len() < 8 {
                others.push(one);
            }
        }
    }
    findings
}

/// Whether two entries are there at the same time.
fn run_together(view: &View, one: &Held, other: &Held) -> bool {
    let same = std::ptr::eq(one.stack, other.stack) && one.service == other.service;
    match same {
        true => one.port != other.port,
        false => view.run_together((one.stack, one.service), (other.stack, other.service)),
    }
}

/// A port that nobody publishes and that was offered to nobody, of the range that a port is in.
fn free(view: &View, held: &[Held], port: u16, offered: &BTreeSet<u16>) -> Option<u16> {
    let allowed = &view.subject.revision.desired.ports;
    let (from, to) = allowed
        .iter()
        .find(|(from, to)| (*from..=*to).contains(&port))?;
    let taken = |port: &u16| {
        held.iter().any(|held| {
            held.port
                .host
                .as_ref()
                .is_some_and(|host| host.contains(port))
        })
    };
    (*from..=*to).find(|port| !taken(port) && !offered.contains(port))
}

fn outside(view: &View, held: &Held) -> Option<Finding> {
    let allowed = &view.subject.revision.desired.ports;
    let host = held.port.host.as_ref()?;
    let is_in = |(from, to): &(u16, u16)| from <= host.start() && host.end() <= to;
    if allowed.is_empty() || allowed.iter().any(is_in) {
        return None;
    }
    let ranges: Vec<String> = allowed
        .iter()
        .map(|(from, to)| shown(&(*from..=*to)))
        .collect();
    let message = format!(
        "port {} of {} is outside the ranges that watchme.toml allows",
        shown(host),
        held.service
    );
    let help = format!(
        "publish a port of {}, or add this one to [ports] allowed",
        ranges.join(", ")
    );
    let place = say(held.place(view), message, "", help);
    Some(Finding::at(&OUTSIDE, place))
}

fn public(view: &View, held: &Held) -> Option<Finding> {
    let port = &held.port;
    let first = *port.container.start();
    let host = port.host.as_ref().map_or(0, |host| *host.start());
    let store = is_store(held);
    if !port.is_public()
        || (!store && (FOR_ALL.contains(&host) || FOR_ALL.contains(&first) && port.host.is_none()))
    {
        return None;
    }
    let place = held.place(view);
    let help = on_loopback(held, view.raw(&place));
    let wanted = port.host.as_ref().map(shown).unwrap_or_default();
    let what = match port.host {
        Some(_) => format!("port {wanted}"),
        // Docker chooses the port of the host.
        None => format!("container port {}", shown(&port.container)),
    };
    let (message, expected) = match store {
        true => (
            format!(
                "{what} of {} is open to the whole network, and it is a database or cache",
                held.service
            ),
            "Docker opens it past the host's firewall",
        ),
        false => (
            format!(
                "{what} of {} is published on all addresses of the host",
                held.service
            ),
            "Docker opens it past the host's firewall",
        ),
    };
    let finding = Finding::at(&PUBLIC, say(place, message, expected, help));
    Some(match store {
        true => finding.weighing(Severity::Error),
        false => finding,
    })
}

/// How an entry is written for this host alone. Variables stay in it.
fn on_loopback(held: &Held, written: &str) -> String {
    let port = &held.port;
    if held.item().is_some_and(Value::is_mapping) {
        return "add host_ip: 127.0.0.1 to it".to_owned();
    }
    let all = ["0.0.0.0:", "[::]:", ":::"];
    let bare = all.iter().find_map(|all| written.strip_prefix(all));
    match (bare, port.address, &port.host) {
        (Some(bare), ..) => format!("write \"127.0.0.1:{bare}\""),
        (None, Some(_), _) => "let its address be 127.0.0.1".to_owned(),
        (None, None, Some(_)) => format!("write \"127.0.0.1:{written}\""),
        (None, None, None) => format!("write \"127.0.0.1::{written}\""),
    }
}

fn is_store(held: &Held) -> bool {
    let image = held
        .definition
        .image()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let name = image.split(['@']).next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or(name);
    if BESIDE_A_STORE.iter().any(|word| name.contains(word)) {
        return false;
    }
    STORES.iter().any(|word| image.contains(word))
        || STORE_PORTS.iter().any(|port| {
            held.port.container.contains(port) && held.port.container.clone().count() == 1
        })
}

fn shown(range: &RangeInclusive<u16>) -> String {
    match range.start() == range.end() {
        true => range.start().to_string(),
        false => format!("{}-{}", range.start(), range.end()),
    }
}
