//! What the tables have.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::diagram;
use super::marked::Name;
use crate::cli::commands::ports::Table;
use crate::cli::masks::mask;
use crate::model::{Member, MemberName};
use crate::source::nginx::router::Outcome;
use crate::source::routes::{Backend, Routes};
use crate::source::{ParsedStack, Revision};

/// One of them, as lines of Markdown.
pub(super) fn render(name: Name, revision: &Revision, ports: &Table) -> String {
    match name {
        Name::Endpoints => {
            let rows = endpoints(revision).into_iter().map(|one| {
                let backend = shown(&one.behind);
                [one.url, one.upstream, backend, units(&one.behind)]
            });
            table(["URL", "Upstream", "Container", "Unit"], rows)
        }
        Name::Ports => table(
            ["Port", "Address", "Declared by", "Unit"],
            ports.documented(),
        ),
        Name::Containers => {
            let rows = containers(revision).into_iter();
            let head = ["Container", "Ports", "Networks", "Unit"];
            table(head, rows.map(Container::row))
        }
        Name::StartOrder => table(["Step", "Unit", "After"], start_order(revision)),
        Name::Network => diagram::network(revision),
    }
}

/// A table whose cells are text: nothing in them is Markdown.
fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: &[String; N]| {
        let cells = cells.iter().map(|cell| escaped(&mask(cell)));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let mut text = line(&head.map(str::to_owned));
    text.push_str(&format!("|{}\n", "---|".repeat(N)));
    for row in rows {
        text.push_str(&line(&row));
    }
    text
}

/// Text in which Markdown and HTML mean nothing, on one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '*' | '`' | '[' | ']' | '_' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    match escaped.is_empty() {
        true => "-".to_owned(),
        false => escaped,
    }
}

/// A public URL and what is behind it.
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) upstream: String,
    pub(super) behind: Vec<Backend>,
}

/// Every location that passes requests on.
pub(super) fn endpoints(revision: &Revision) -> Vec<Endpoint> {
    let routes = Routes::of(revision);
    let mut endpoints = Vec::new();
    for row in routes.table() {
        let Some(answer) = &row.answer else {
            continue;
        };
        let Outcome::Proxy(upstream) = &answer.outcome else {
            continue;
        };
        let targets = answer.outcome.targets();
        let mut behind: Vec<Backend> = Vec::new();
        for backend in targets.iter().flat_map(|target| routes.behind(target)) {
            if !behind.contains(&backend) {
                behind.push(backend);
            }
        }
        endpoints.push(Endpoint {
            url: row.url.clone(),
            upstream: upstream.to_string(),
            behind,
        });
    }
    endpoints
}

/// Names of containers, or of services whose containers have no fixed name.
pub(super) fn shown(behind: &[Backend]) -> String {
    let names: BTreeSet<String> = behind.iter().filter_map(name_of).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The same of one.
pub(super) fn name_of(backend: &Backend) -> Option<String> {
    let service = backend.service.as_ref();
    let service = service.map(|(project, service)| format!("{project}/{service}"));
    backend.container.clone().or(service)
}

fn units(behind: &[Backend]) -> String {
    let units = behind.iter().filter_map(|one| one.unit.as_deref());
    let units: BTreeSet<&str> = units.collect();
    units.into_iter().collect::<Vec<_>>().join(", ")
}

/// A container that something runs.
pub(super) struct Container {
    pub(super) name: String,
    ports: Vec<String>,
    /// Each with its address, if one is expected.
    pub(super) networks: BTreeMap<String, Option<String>>,
    unit: String,
}

impl Container {
    fn row(self) -> [String; 4] {
        let networks = self.networks.into_iter();
        let networks = networks.map(|(name, address)| match address {
            Some(address) => format!("{name} {address}"),
            None => name,
        });
        let networks = networks.collect::<Vec<_>>().join(", ");
        [self.name, self.ports.join(", "), networks, self.unit]
    }
}

/// Every service that a unit brings up, and the members of networks that come from elsewhere.
pub(super) fn containers(revision: &Revision) -> Vec<Container> {
    let mut seen = BTreeSet::new();
    let mut containers = Vec::new();
    let stacks = revision.parsed.stacks.iter().filter(|stack| stack.up);
    for stack in stacks {
        let Some(unit) = &stack.unit else {
            continue;
        };
        for (service, definition) in &stack.compose.services {
            let is_new = seen.insert((stack.project.as_str(), service.as_str()));
            if !is_new || !stack.started.contains(service) {
                continue;
            }
            let container = definition.container_name.clone();
            let published = definition.published().into_iter();
            let range = |range: &RangeInclusive<u16>| match range.start() == range.end() {
                true => range.start().to_string(),
                false => format!("{}-{}", range.start(), range.end()),
            };
            let ports = published.filter_map(|port| {
                let (outside, inside) = (range(&port.host?), range(&port.container));
                Some(format!("{outside} to {inside}"))
            });
            containers.push(Container {
                ports: ports.collect(),
                networks: networks(revision, stack, service, container.as_deref()),
                name: container.unwrap_or_else(|| format!("{}/{service}", stack.project)),
                unit: unit.clone(),
            });
        }
    }
    for name in others(revision, &containers) {
        containers.push(Container {
            networks: memberships(revision, |member| member_name(member) == name),
            name,
            ports: Vec::new(),
            unit: String::new(),
        });
    }
    containers.sort_by(|one, other| one.name.cmp(&other.name));
    containers
}

/// Members of networks that are none of these containers: no compose file of the desired state has them.
fn others(revision: &Revision, containers: &[Container]) -> BTreeSet<String> {
    let known: BTreeSet<&str> = containers.iter().map(|one| one.name.as_str()).collect();
    let is_ours = |member: &Member| match &member.name {
        MemberName::Container(name) => known.contains(name.as_str()),
        MemberName::Service { project, service } => {
            let mut stacks = revision.parsed.stacks.iter();
            let has = |stack: &ParsedStack| stack.compose.services.contains_key(service);
            stacks.any(|stack| stack.project == *project && has(stack))
        }
    };
    let members = revision.desired.networks.values();
    let members = members.flat_map(|network| &network.members);
    let others = members.filter(|member| !is_ours(member));
    others.map(member_name).collect()
}

/// As [`Container::name`] has it.
fn member_name(member: &Member) -> String {
    match &member.name {
        MemberName::Container(name) => name.clone(),
        MemberName::Service { project, service } => format!("{project}/{service}"),
    }
}

fn networks(
    revision: &Revision,
    stack: &ParsedStack,
    service: &str,
    container: Option<&str>,
) -> BTreeMap<String, Option<String>> {
    memberships(revision, |member| match &member.name {
        MemberName::Container(name) => Some(name.as_str()) == container,
        MemberName::Service {
            project,
            service: of,
        } => *project == stack.project && of == service,
    })
}

/// The networks with a member that is the one, each with its address.
fn memberships(
    revision: &Revision,
    is: impl Fn(&Member) -> bool,
) -> BTreeMap<String, Option<String>> {
    let networks = revision.desired.networks.iter();
    let found = networks.filter_map(|(name, network)| {
        let member = network.members.iter().find(|member| is(member))?;
        let address = member.address.map(|address| address.to_string());
        Some((name.clone(), address))
    });
    found.collect()
}

/// The units that an apply starts, each behind those that it comes after.
fn start_order(revision: &Revision) -> Vec<[String; 3]> {
    let units = revision.desired.units.iter();
    let started = units.filter(|(_, unit)| unit.start);
    let started: BTreeSet<&str> = started.map(|(name, _)| name.as_str()).collect();
    let mut after: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for name in &started {
        let settings = revision.parsed.units.get(*name);
        let values = settings.map(|settings| settings.added("Unit", "After"));
        let values = values.unwrap_or_default();
        let values = values.iter();
        let named = values.flat_map(|value| value.text.split_whitespace());
        let ours = named.filter_map(|other| started.get(other).copied());
        after.insert(name, ours.filter(|other| other != name).collect());
    }
    let mut rows = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for step in 1.. {
        let left: Vec<&str> = started.difference(&done).copied().collect();
        let is_ready = |name: &&str| after[name].is_subset(&done);
        let mut ready: Vec<&str> = left.iter().copied().filter(is_ready).collect();
        if ready.is_empty() {
            // They wait for each other: systemd breaks the circle somewhere.
            ready = left;
        }
        if ready.is_empty() {
            break;
        }
        for name in ready {
            done.insert(name);
            let others: Vec<&str> = after[name].iter().copied().collect();
            rows.push([step.to_string(), name.to_owned(), others.join(", ")]);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text() {
        assert_eq!(
            table(
                ["A", "B"],
                [
                    ["a|b\nc".to_owned(), String::new()],
                    ["<x> [y](z) *&_".to_owned(), "\\".to_owned()]
                ]
            ),
            "| A | B |\n|---|---|\n| a\\|b c | - |\n| &lt;x&gt; \\[y\\](z) \\*&amp;\\_ | \\\\ |\n"
        );
    }
}
