//! `ports`: who has which, and which are free.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use super::args::{Args, PortsArgs, as_it_lies};
use super::output::{Output, clean, styled};
use super::render::{self, DIM, STRONG, WARN};
use super::{Failure, check, json};
use crate::check::Subject;
use crate::check::ports::{By, Declared, Port, Ports, ports};
use crate::host::Host;
use crate::host::sockets::listeners;
use crate::model::Listener;
use crate::reconcile::ReconcileError;
use crate::state::State;

/// The ports of a desired state beside those of this host.
pub(super) struct Table {
    /// Those of the desired state.
    pub ports: Ports,
    /// Who listens here; `None` where the desired state is not this host's.
    pub listeners: Option<Vec<Listener>>,
    /// Ports of the range that was asked for and that nobody has.
    pub free: Option<Vec<u16>>,
}

/// Runs `ports`, and returns its exit status.
pub(super) fn run(
    args: &Args,
    ask: &PortsArgs,
    host: &Host,
    output: &mut Output,
) -> Result<u8, Failure> {
    let checkout = check::open(args)?;
    let survey = checkout.survey(&as_it_lies(&ask.rev));
    let (revision, wrong) = survey.map_err(ReconcileError::from)?;
    let ports = ports(&Subject {
        revision: &revision,
        wrong: &wrong,
    });
    let listeners = is_managed(host).then(listeners);
    let taken: BTreeSet<u16> = ports
        .keys()
        .map(|(number, _)| *number)
        .chain(listeners.iter().flatten().map(|one| one.port))
        .collect();
    let free = |(from, to): (u16, u16)| (from..=to).filter(|port| !taken.contains(port)).collect();
    let table = Table {
        free: ask.free.map(free),
        ports,
        listeners,
    };
    if ask.json {
        output.json(&json::Ports::new(&table));
        return Ok(0);
    }
    for wrong in &wrong {
        let text = format!("{wrong}: left out");
        output.aside(&format!("{} {}", styled(WARN, "warning"), clean(&text)));
    }
    match &table.free {
        Some(free) => {
            output.line(&listed(free));
            if table.listeners.is_none() {
                let text = "ports that programs listen on here are not excluded: that takes root and an applied desired state";
                output.aside(&styled(DIM, text));
            }
        }
        None => show(output, &table),
    }
    Ok(0)
}

/// Whether this is a host to which something was applied: only there it matters who listens.
fn is_managed(host: &Host) -> bool {
    let recorded = State::new(host.root().clone()).recorded();
    host.is_live() && recorded.is_ok_and(|recorded| !recorded.inventory.is_empty())
}

fn show(output: &mut Output, table: &Table) {
    let head = [
        "PORT",
        "ADDRESS",
        "DECLARED BY",
        "UNIT",
        "PROXIED BY",
        "LISTENS",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    for ((number, protocol), port) in &table.ports {
        rows.extend(of_port(table, *number, protocol, port));
    }
    for one in table.listeners.iter().flatten() {
        let known = table
            .ports
            .contains_key(&(one.port, one.protocol.to_owned()));
        if !known {
            rows.push([
                numbered(one.port, one.protocol),
                address(Some(one.address)),
                "-".to_owned(),
                "-".to_owned(),
                "-".to_owned(),
                program(one),
            ]);
        }
    }
    rows.dedup();
    if table.listeners.is_none() {
        for row in &mut rows {
            if let Some(last) = row.last_mut() {
                last.clear();
            }
        }
    }
    for (index, line) in render::columns(&rows).iter().enumerate() {
        output.line(&match index {
            0 => styled(STRONG, line),
            _ => line.clone(),
        });
    }
    if table.listeners.is_none() {
        output.line(&styled(
            DIM,
            "who listens here is not shown: that takes root and an applied desired state",
        ));
    }
}

/// A row for each that declares it; one for a port that is only proxied.
fn of_port(table: &Table, number: u16, protocol: &str, port: &Port) -> Vec<[String; 6]> {
    let proxied: Vec<String> = port
        .proxied
        .iter()
        .map(|(path, line)| format!("{}:{line}", path.display()))
        .collect();
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
            listening(table, number, protocol),
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

/// Who declares it, and the unit that runs that.
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
        // Of IPv6 alone.
        Some(address) if address == Ipv6Addr::UNSPECIFIED => "[::]".to_owned(),
        Some(address) if !address.is_unspecified() => address.to_string(),
        _ => "*".to_owned(),
    }
}

/// The programs that listen there; `nobody` is worth knowing.
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
        true => "none is free".to_owned(),
        false => texts.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_ranges() {
        assert_eq!(
            listed(&[8001, 8002, 8003, 8005, 8007, 8008]),
            "8001-8003 8005 8007-8008"
        );
        assert_eq!(listed(&[65534, 65535]), "65534-65535");
        assert_eq!(listed(&[]), "none is free");
    }
}
