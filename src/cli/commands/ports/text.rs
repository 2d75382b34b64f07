//! Ports as text.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use super::Table;
use crate::check::ports::{By, Declared, Port, Ports};
use crate::cli::output::{Output, clean, styled};
use crate::cli::render::{DIM, STRONG, WARN, layout};
use crate::model::Listener;

/// Prints the free ports; `with_listeners`: what listens here is excluded.
pub(super) fn free(output: &mut Output, free: &[u16], with_listeners: bool) {
    output.line(&listed(free));
    if !with_listeners {
        let text = "ports that programs listen on here are not excluded: that needs root and an applied desired state";
        output.aside(&styled(DIM, text));
    }
}

/// Prints a line for each port and who declares it.
pub(super) fn table(output: &mut Output, table: &Table) {
    let head = [
        "PORT",
        "ADDRESS",
        "DECLARED BY",
        "UNIT",
        "PROXIED BY",
        "LISTENS",
    ];
    let mut rows = of_this_host(table);
    let mut parts = vec![(None, rows.len())];
    for (part, ports) in &table.elsewhere {
        let ports = ports.iter();
        let own: Vec<_> = ports
            .flat_map(|((number, protocol), port)| of_port(*number, protocol, port, "-"))
            .collect();
        parts.push((Some(part.title()), own.len()));
        rows.extend(own);
    }
    rows.insert(0, head.map(str::to_owned));
    if table.listeners.is_none() {
        for row in &mut rows {
            if let Some(last) = row.last_mut() {
                last.clear();
            }
        }
    }
    let labels = ["", "on", "declared by", "unit", "proxied by", "listens:"];
    let width = layout::columns_of(output);
    let lines = layout::fitted(&rows, &labels, width);
    let mut lines = lines.iter();
    for line in lines.next().into_iter().flatten() {
        output.line(&styled(STRONG, line));
    }
    for (title, count) in parts {
        for line in title
            .iter()
            .flat_map(|title| layout::folded(&clean(title), width, 0))
        {
            output.line(&styled(WARN, &line));
        }
        let rows = lines.by_ref().take(count);
        rows.flatten().for_each(|line| output.line(line));
    }
    if table.listeners.is_none() {
        let text = "what listens here is not shown: that needs root and an applied desired state";
        output.line(&styled(DIM, text));
    }
}

/// The rows of the desired state and of what else listens here, by port.
fn of_this_host(table: &Table) -> Vec<[String; 6]> {
    let mut rows: BTreeMap<(u16, &str), Vec<[String; 6]>> = BTreeMap::new();
    for ((number, protocol), port) in &table.ports {
        let listens = listening(table, *number, protocol);
        let own = of_port(*number, protocol, port, &listens);
        rows.insert((*number, protocol), own);
    }
    for one in table.listeners.iter().flatten() {
        let known = table
            .ports
            .contains_key(&(one.port, one.protocol.to_owned()));
        if !known {
            let own = rows.entry((one.port, one.protocol)).or_default();
            own.push([
                numbered(one.port, one.protocol),
                address(Some(one.address)),
                "-".to_owned(),
                "-".to_owned(),
                "-".to_owned(),
                program(one),
            ]);
        }
    }
    let mut rows: Vec<[String; 6]> = rows.into_values().flatten().collect();
    rows.dedup();
    rows
}

/// A row for each declaration; one row for a port that is only proxied.
fn of_port(number: u16, protocol: &str, port: &Port, listens: &str) -> Vec<[String; 6]> {
    let proxied = port.proxied.iter();
    let proxied = proxied.map(|(path, line)| format!("{}:{line}", path.display()));
    let proxied: Vec<String> = proxied.collect();
    let proxied = match proxied.is_empty() {
        true => "-".to_owned(),
        false => proxied.join(" "),
    };
    let row = |address: String, by: String, unit: String| {
        [
            numbered(number, protocol),
            address,
            by,
            unit,
            proxied.clone(),
            listens.to_owned(),
        ]
    };
    let nobody = || "-".to_owned();
    let declared = port.declared.iter().map(|Declared { by, address: on }| {
        let (by, unit) = who(by);
        row(address(*on), by, unit.unwrap_or_else(nobody))
    });
    let mut rows: Vec<[String; 6]> = declared.collect();
    if rows.is_empty() {
        rows.push(row(nobody(), nobody(), nobody()));
    }
    rows
}

impl Table {
    /// Port, address, who declares it and its unit, of what the desired state declares: neither lines of files nor what
    /// listens here.
    pub(in crate::cli::commands) fn documented(&self) -> Vec<[String; 4]> {
        let declared = self.ports.iter();
        let declared = declared.filter(|(_, port)| !port.declared.is_empty());
        let mut rows: Vec<[String; 4]> = declared
            .flat_map(|((number, protocol), port)| of_port(*number, protocol, port, ""))
            .map(|[port, address, by, unit, _, _]| [port, address, by, unit])
            .collect();
        rows.dedup();
        rows
    }

    /// Who has a port: the end of a sentence about it.
    pub(in crate::cli::commands) fn holder(&self, port: u16) -> String {
        let of = |ports: &Ports| {
            let (_, found) = ports.iter().find(|((number, _), _)| *number == port)?;
            let declared = found.declared.first();
            let declared = declared.map(|declared| format!("{} has it", who(&declared.by).0));
            let proxied = || {
                let (path, line) = found.proxied.first()?;
                let path = path.display();
                Some(format!("{path}:{line} passes requests on to it"))
            };
            declared.or_else(proxied)
        };
        let elsewhere = || self.elsewhere.iter().find_map(|(_, ports)| of(ports));
        let listener = || {
            let mut all = self.listeners.iter().flatten();
            let found = all.find(|one| one.port == port)?;
            Some(format!("{} listens on it here", program(found)))
        };
        of(&self.ports)
            .or_else(elsewhere)
            .or_else(listener)
            .unwrap_or_else(|| "the next copy of a stack uses it".to_owned())
    }
}

/// Who declares it, and the unit that runs it.
fn who(by: &By) -> (String, Option<String>) {
    match by {
        By::Nginx {
            site: Some(site), ..
        } => (format!("nginx, {site}"), None),
        By::Nginx { path, .. } => (format!("nginx, {}", path.display()), None),
        By::Service {
            project,
            service,
            unit,
            inside,
            ..
        } => (format!("{project}/{service} ({inside})"), unit.clone()),
        By::Podman { unit, container } => {
            let container = container.clone().unwrap_or_else(|| "Podman".to_owned());
            (container, Some(unit.clone()))
        }
        By::Socket(unit) => ("systemd".to_owned(), Some(unit.clone())),
        By::Command(unit) => ("its command".to_owned(), Some(unit.clone())),
    }
}

fn numbered(number: u16, protocol: &str) -> String {
    match protocol {
        "tcp" => number.to_string(),
        other => format!("{number}/{other}"),
    }
}

fn address(address: Option<IpAddr>) -> String {
    match address {
        // IPv6 only.
        Some(address) if address == Ipv6Addr::UNSPECIFIED => "[::]".to_owned(),
        Some(address) if !address.is_unspecified() => address.to_string(),
        _ => "*".to_owned(),
    }
}

/// The programs that listen there, or `nobody`.
fn listening(table: &Table, number: u16, protocol: &str) -> String {
    let all = table.listeners.iter().flatten();
    let programs: BTreeSet<String> = all
        .filter(|one| one.port == number && one.protocol == protocol)
        .map(program)
        .collect();
    match programs.is_empty() {
        true => "nobody".to_owned(),
        false => programs.into_iter().collect::<Vec<_>>().join(" "),
    }
}

fn program(listener: &Listener) -> String {
    let name = listener.program.as_deref();
    clean(name.unwrap_or("unknown (sudo shows it)")).into_owned()
}

/// Ports as ranges.
fn listed(free: &[u16]) -> String {
    let runs = free.chunk_by(|one, next| one.checked_add(1) == Some(*next));
    let texts: Vec<String> = runs
        .filter_map(|run| match (run.first()?, run.last()?) {
            (first, last) if first == last => Some(first.to_string()),
            (first, last) => Some(format!("{first}-{last}")),
        })
        .collect();
    match texts.is_empty() {
        true => "no port is free".to_owned(),
        false => texts.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_is_among_what_is_declared_by_port() {
        let listener = |port, protocol| Listener {
            port,
            protocol,
            address: Ipv6Addr::LOCALHOST.into(),
            program: Some("x".to_owned()),
            unit: None,
        };
        let declared = [(80, "tcp"), (443, "tcp"), (443, "udp")];
        let declared = declared.map(|(port, of)| ((port, of.to_owned()), Port::default()));
        let listeners = [
            listener(9000, "tcp"),
            listener(443, "tcp"),
            listener(22, "tcp"),
            listener(123, "udp"),
        ];
        let table = Table {
            ports: declared.into_iter().collect(),
            listeners: Some(listeners.into()),
            elsewhere: Vec::new(),
            kept: BTreeSet::new(),
        };
        let rows = of_this_host(&table);
        let ports: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(ports, ["22", "80", "123/udp", "443", "443/udp", "9000"]);
    }

    #[test]
    fn free_ports_are_ranges() {
        assert_eq!(
            listed(&[8001, 8002, 8003, 8005, 8007, 8008]),
            "8001-8003 8005 8007-8008"
        );
        assert_eq!(listed(&[65534, 65535]), "65534-65535");
        assert_eq!(listed(&[]), "no port is free");
    }
}
