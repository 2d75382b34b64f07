//! Ports that nginx passes requests to, and that nothing publishes.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::ports::{Proxied, numbers};
use crate::check::nginx::published::Publications;
use crate::check::nginx::view::View;
use crate::model::{Severity, UnitType};
use crate::source::Revision;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-port-unpublished",
    Severity::Error,
    include_str!("nginx_port_unpublished.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    if view.servers().next().is_none() {
        return;
    }
    let mut proxied = Proxied::default();
    for block in context.blocks() {
        proxied.add(context.groups(), block);
    }
    unpublished(view, context.published(), &proxied, findings);
}

fn unpublished(
    view: &View<'_>,
    published: &Publications<'_>,
    proxied: &Proxied<'_>,
    findings: &mut Findings,
) {
    let revision = view.subject.revision;
    let nothing = revision
        .desired
        .units
        .values()
        .all(|unit| unit.stacks.is_empty());
    if published.more || published.on_host || nothing || !view.subject.is_whole() {
        return;
    }
    let ports = &published.ports;
    let mentioned = LazyCell::new(|| mentioned(revision));
    let own: BTreeSet<u16> = revision
        .desired
        .sites
        .values()
        .flat_map(|site| &site.listens)
        .map(|listen| listen.port)
        .collect();
    let wanting = proxied.ports.iter().filter(|(port, _)| {
        !ports.contains(port) && !own.contains(port) && !mentioned.contains(port)
    });
    for (port, nodes) in wanting {
        let allowed = &revision.desired.ports;
        let outside = |(from, to): &(u16, u16)| !(*from..=*to).contains(port);
        // What is no service of this desired state may be one of the host's packages.
        let foreign = (!allowed.is_empty() && allowed.iter().all(outside)) || runs_more(revision);
        let message =
            format!("nginx passes requests to port {port}, and nothing here publishes it");
        let near = ports.iter().min_by_key(|known| known.abs_diff(*port));
        let help = match near.filter(|near| near.abs_diff(*port) < 10) {
            Some(near) => format!(
                "publish \"127.0.0.1:{port}:{port}\" in a compose file, or is {near} meant?"
            ),
            None => format!("publish \"127.0.0.1:{port}:{port}\" in a compose file"),
        };
        for node in nodes {
            let found = view.find(&RULE, node, &message, "", &help);
            let severity = if foreign {
                Severity::Warning
            } else {
                Severity::Error
            };
            findings.push(found.weighing(severity));
        }
    }
}

/// Whether a unit runs a program of its own, which may listen anywhere.
fn runs_more(revision: &Revision) -> bool {
    revision.desired.units.iter().any(|(name, unit)| {
        name.ends_with(".service")
            && unit.stacks.is_empty()
            && unit.file.is_some()
            && unit.service_type == UnitType::Lasting
    })
}

/// Numbers in units, in the scripts and settings that they name, and in files below etc other
/// than nginx's: a port that stands there is somebody's.
fn mentioned(revision: &Revision) -> BTreeSet<u16> {
    let desired = &revision.desired;
    let units = desired
        .units
        .values()
        .flat_map(|unit| unit.file.iter().chain(unit.dropins.values()));
    let named = desired.files.values();
    let named = named.filter(|file| !revision.parsed.compose.contains_key(&file.source));
    let etc = desired
        .etc
        .iter()
        .filter(|(path, _)| !path.starts_with("nginx"));
    let files = units.chain(named).chain(etc.map(|(_, entry)| &entry.file));
    files.flat_map(|file| numbers(&file.content)).collect()
}
