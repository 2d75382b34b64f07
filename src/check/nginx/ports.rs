//! Ports that nginx proxies to, and ports that containers publish.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::published::Publications;
use super::target::{Groups, behind};
use super::view::{Block, View};
use crate::check::compose::view::View as Projects;
use crate::model::{Finding, Severity, UnitType};
use crate::source::Revision;
use crate::source::nginx::Node;

crate::rule! {
    PORT_UNPUBLISHED, "nginx-port-unpublished", Error;
    PORT_UNPROXIED, "port-unproxied", Warning;
}

/// The local ports that the blocks proxy to, each with the directives that say so.
#[derive(Default)]
pub struct Proxied<'v> {
    ports: BTreeMap<u16, Vec<&'v Node<'v>>>,
}

impl<'v> Proxied<'v> {
    /// Adds what a block passes on to.
    pub fn add(&mut self, groups: &Groups<'v>, block: &Block<'_, 'v>) {
        for &(_, pass) in &block.passes {
            for (target, node) in behind(groups, pass) {
                if target.is_loopback() {
                    self.ports.entry(target.real_port()).or_default().push(node);
                }
            }
        }
    }
}

impl Proxied<'_> {
    /// Each port with the files and lines of its directives.
    pub fn places(&self, view: &View<'_>) -> BTreeMap<u16, BTreeSet<(PathBuf, usize)>> {
        let place = |node: &&Node<'_>| (node.path.to_owned(), view.line(node));
        let of_port =
            |(port, nodes): (&u16, &Vec<&Node<'_>>)| (*port, nodes.iter().map(place).collect());
        self.ports.iter().map(of_port).collect()
    }
}

/// Ports that nothing publishes, and ports that nothing proxies.
pub fn check(
    view: &View<'_>,
    published: &Publications<'_>,
    proxied: &Proxied<'_>,
    findings: &mut Vec<Finding>,
) {
    if view.servers().next().is_none() {
        return;
    }
    unpublished(view, published, proxied, findings);
    unproxied(view, published, findings);
}

fn unpublished(
    view: &View<'_>,
    published: &Publications<'_>,
    proxied: &Proxied<'_>,
    findings: &mut Vec<Finding>,
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
            let found = view.find(&PORT_UNPUBLISHED, node, &message, "", &help);
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

/// The numbers in a text that could be ports.
fn numbers(text: &[u8]) -> impl Iterator<Item = u16> {
    let words = text.split(|byte| !byte.is_ascii_digit());
    words.filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok())
}

fn unproxied(view: &View<'_>, published: &Publications<'_>, findings: &mut Vec<Finding>) {
    if !view.subject.is_whole() {
        return;
    }
    let revision = view.subject.revision;
    let enabled = revision.desired.sites.values().filter(|site| site.enabled);
    let nginx = revision
        .desired
        .etc
        .iter()
        .filter(|(path, _)| path.starts_with("nginx"));
    let texts = enabled
        .map(|site| &site.file)
        .chain(nginx.map(|(_, entry)| &entry.file));
    // Variables and maps may lead anywhere: a number that stands in a site is good enough.
    let known: LazyCell<BTreeSet<u16>, _> =
        LazyCell::new(|| texts.flat_map(|file| numbers(&file.content)).collect());
    let projects = Projects::new(view.subject);
    let started = published
        .all
        .iter()
        .filter(|one| one.stack.unit.is_some() && one.stack.started.contains(one.name));
    for one in started {
        let loopback = one
            .entry
            .address
            .is_some_and(|address| address.is_loopback());
        let Some(range) = one.entry.host.clone().filter(|_| !loopback) else {
            continue;
        };
        // What listens at the web's own ports is a proxy itself.
        let alone = |port: &u16| !matches!(port, 80 | 443) && !known.contains(port);
        let port = range.into_iter().find(alone);
        let Some(port) = port.filter(|_| one.entry.protocol != "udp") else {
            continue;
        };
        let item = one.service.ports.get(one.entry.index);
        let mut place = match item {
            Some(item) => projects.at_item(one.stack, one.name, "ports", item),
            None => projects.at(one.stack, one.name, &["ports"]),
        };
        place.message = format!(
            "{} publishes port {port} to the network, and no site proxies it",
            one.name
        );
        let inside = one.entry.container.start();
        place.help = Some(format!(
            "add a location with proxy_pass http://localhost:{port}; and publish \"127.0.0.1:{port}:{inside}\", or publish nothing"
        ));
        findings.push(Finding::at(&PORT_UNPROXIED, place));
    }
}
