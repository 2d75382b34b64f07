//! Ports that nginx proxies to, and ports that containers publish.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use serde_yaml::Value;

use super::target::{Groups, behind, passes};
use super::view::{Block, View};
use crate::model::{Finding, Severity, UnitType};
use crate::source::Revision;
use crate::source::compose::{Document, locate, types};
use crate::source::nginx::Node;

crate::rule! {
    PORT_UNPUBLISHED, "nginx-port-unpublished", Error;
    PORT_UNPROXIED, "port-unproxied", Warning;
}

/// A port of the host that leads to a container.
struct Publication<'a> {
    document: &'a Document,
    service: &'a str,
    container: Option<&'a str>,
    /// As it is written, variables resolved.
    text: String,
    address: Option<String>,
    host: u16,
    inside: Option<u16>,
    /// Whether the service starts.
    starts: bool,
    udp: bool,
}

/// What the containers of a desired state publish.
pub struct Published<'a> {
    all: Vec<Publication<'a>>,
    /// Whether more may be published than is known.
    more: bool,
    /// Whether a container has no network of its own, so that it needs to publish nothing.
    on_host: bool,
}

impl<'a> Published<'a> {
    /// Reads the compose files.
    pub fn of(revision: &'a Revision) -> Self {
        let mut found = Self {
            all: Vec::new(),
            more: false,
            on_host: false,
        };
        let started = found.started(revision);
        for (path, (document, compose)) in &revision.parsed.compose {
            for (name, service) in &compose.services {
                let starts = started
                    .get(path)
                    .is_some_and(|names| names.contains(name.as_str()));
                let network = service.rest.get("network_mode").and_then(types::text);
                found.on_host |= network.as_deref() == Some("host");
                for port in &service.ports {
                    let Some(ports) = entry(port) else {
                        found.more = true;
                        continue;
                    };
                    found.all.extend(ports.into_iter().map(|port| Publication {
                        document,
                        service: name,
                        container: service.container_name.as_deref(),
                        starts,
                        ..port.placed(document)
                    }));
                }
            }
        }
        found
    }

    /// Services that units start, by compose file.
    fn started(&mut self, revision: &'a Revision) -> BTreeMap<PathBuf, BTreeSet<&'a str>> {
        let mut started: BTreeMap<PathBuf, BTreeSet<&str>> = BTreeMap::new();
        for (name, unit) in &revision.desired.units {
            let settings = revision.parsed.units.get(name);
            let mut commands = settings
                .map(|settings| settings.matching("Service", |key| key.starts_with("Exec")))
                .unwrap_or_default()
                .into_iter();
            // Containers that are started in a way that is not understood.
            self.more |= unit.stacks.is_empty()
                && commands.any(|command| {
                    command.text.contains("docker") || command.text.contains("podman")
                });
            for stack in &unit.stacks {
                self.more |= stack.files.is_empty();
                for file in &stack.files {
                    let source = revision.desired.files.get(file).map(|file| &file.source);
                    match source.filter(|source| revision.parsed.compose.contains_key(*source)) {
                        Some(source) => started
                            .entry(source.clone())
                            .or_default()
                            .extend(stack.services.iter().map(String::as_str)),
                        None => self.more = true,
                    }
                }
            }
        }
        started
    }

    /// The port of the host that leads to a port of a container or service.
    pub fn port_of(&self, name: &str, port: Option<u16>) -> Option<u16> {
        let named = |one: &&Publication<'_>| one.service == name || one.container == Some(name);
        let mut named = self.all.iter().filter(named);
        let fits = |one: &Publication<'_>| port.is_none() || one.inside == port;
        named.find(|one| fits(one)).map(|one| one.host)
    }
}

/// A port before its place is known.
struct Entry {
    text: String,
    address: Option<String>,
    host: u16,
    inside: Option<u16>,
    udp: bool,
}

impl Entry {
    fn placed<'a>(self, document: &'a Document) -> Publication<'a> {
        Publication {
            document,
            service: "",
            container: None,
            text: self.text,
            address: self.address,
            host: self.host,
            inside: self.inside,
            starts: false,
            udp: self.udp,
        }
    }
}

/// The fixed ports of one entry of `ports:`,
/// <https://docs.docker.com/reference/compose-file/services/#ports>; none where Docker chooses.
/// `None`: it cannot be read.
fn entry(port: &Value) -> Option<Vec<Entry>> {
    let (text, address, host, inside, protocol) = match port {
        Value::Mapping(_) => {
            let field = |name: &str| port.get(name).and_then(types::text);
            let Some(published) = field("published") else {
                return Some(Vec::new());
            };
            let inside = field("target").unwrap_or_default();
            (
                published.clone(),
                field("host_ip"),
                published,
                inside,
                field("protocol"),
            )
        }
        other => {
            let text = types::text(other)?;
            let (ports, protocol) = match text.split_once('/') {
                Some((ports, protocol)) => (ports, Some(protocol.to_owned())),
                None => (text.as_str(), None),
            };
            let Some((rest, inside)) = ports.rsplit_once(':') else {
                return Some(Vec::new());
            };
            let (address, host) = match rest.rsplit_once(':') {
                Some((address, host)) => (Some(address.to_owned()), host),
                None => (None, rest),
            };
            if host.is_empty() && address.is_some() {
                return Some(Vec::new());
            }
            let (host, inside) = (host.to_owned(), inside.to_owned());
            (text, address, host, inside, protocol)
        }
    };
    let range = |text: &str| {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        Some((
            from.trim().parse::<u16>().ok()?,
            to.trim().parse::<u16>().ok()?,
        ))
    };
    let (from, to) = range(&host).filter(|(from, to)| from <= to)?;
    let first = range(&inside).map(|(first, _)| first);
    let one = |host: u16| Entry {
        text: text.clone(),
        address: address.clone(),
        host,
        inside: first.and_then(|first| first.checked_add(host - from)),
        udp: protocol.as_deref() == Some("udp"),
    };
    Some((from..=to).map(one).collect())
}

/// The local ports that the blocks proxy to, each with the directives that say so.
#[derive(Default)]
pub struct Proxied<'v> {
    ports: BTreeMap<u16, Vec<&'v Node<'v>>>,
}

impl<'v> Proxied<'v> {
    /// Adds what a block passes on to.
    pub fn add(&mut self, groups: &Groups<'v>, block: &Block<'_, 'v>) {
        for (_, pass) in passes(block) {
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
        let place = |node: &&Node<'_>| {
            let text = view.text(node.path);
            let before = text.get(..node.directive.span.start).unwrap_or_default();
            (node.path.to_owned(), before.matches('\n').count() + 1)
        };
        let of_port =
            |(port, nodes): (&u16, &Vec<&Node<'_>>)| (*port, nodes.iter().map(place).collect());
        self.ports.iter().map(of_port).collect()
    }
}

/// Ports that nothing publishes, and ports that nothing proxies.
pub fn check(
    view: &View<'_>,
    published: &Published<'_>,
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
    published: &Published<'_>,
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
    let ports: BTreeSet<u16> = published.all.iter().map(|one| one.host).collect();
    let mentioned = mentioned(revision);
    let own: BTreeSet<u16> = revision
        .desired
        .sites
        .values()
        .flat_map(|site| &site.listens)
        .map(|listen| listen.port)
        .collect();
    let wanting = proxied.ports.iter().filter(|(port, _)| {
        !ports.contains(port) && !mentioned.contains(port) && !own.contains(port)
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

fn unproxied(view: &View<'_>, published: &Published<'_>, findings: &mut Vec<Finding>) {
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
    let known: BTreeSet<u16> = texts.flat_map(|file| numbers(&file.content)).collect();
    let mut told = BTreeSet::new();
    for one in &published.all {
        let port = one.host;
        // One at the web's own ports is a proxy itself.
        let web = matches!(port, 80 | 443);
        if !one.starts || one.udp || web || one.is_loopback() || known.contains(&port) {
            continue;
        }
        if !told.insert((one.service, port)) {
            continue;
        }
        let keys = ["services", one.service, "ports"];
        let span = locate(&one.document.source, &keys, Some(&one.text));
        let message = format!(
            "{} publishes port {port} to the network, and no site proxies it",
            one.service
        );
        let mut place = one.document.complain(span, message, "");
        let inside = one.inside.unwrap_or(port);
        place.help = Some(format!(
            "add a location with proxy_pass http://localhost:{port}; and publish \"127.0.0.1:{port}:{inside}\", or publish nothing"
        ));
        findings.push(Finding::at(&PORT_UNPROXIED, place));
    }
}

impl Publication<'_> {
    fn is_loopback(&self) -> bool {
        let address = self.address.as_deref().unwrap_or_default();
        let parsed = address.trim_matches(['[', ']']).parse::<IpAddr>();
        address == "localhost" || parsed.is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_ports_of_an_entry() {
        for (text, expected) in [
            ("'8000:80'", "- 8000 80"),
            ("'127.0.0.1:8000:80'", "127.0.0.1 8000 80"),
            ("'[::1]:8000:80/udp'", "[::1] 8000 80"),
            ("'8000-8001:80-81'", "- 8000 80, - 8001 81"),
            ("'127.0.0.1::80'", ""),
            ("8000", ""),
            (
                "{target: 80, published: 8000, host_ip: 127.0.0.1}",
                "127.0.0.1 8000 80",
            ),
            (
                "{target: 80, published: '8000-8001'}",
                "- 8000 80, - 8001 81",
            ),
            ("{target: 80}", ""),
            ("':80'", "?"),
            ("'${P}:80'", "?"),
            ("'9-8:1'", "?"),
            ("[1]", "?"),
        ] {
            let value: Value = serde_yaml::from_str(text).unwrap();
            let said = entry(&value).map(|ports| {
                let one = |port: &Entry| {
                    let address = port.address.as_deref().unwrap_or("-");
                    format!("{address} {} {}", port.host, port.inside.unwrap_or(0))
                };
                ports.iter().map(one).collect::<Vec<_>>().join(", ")
            });
            assert_eq!(said.as_deref().unwrap_or("?"), expected, "{text}");
        }
    }
}
