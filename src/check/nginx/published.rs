//! Ports of the host that containers publish.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use serde_yaml::Value;

use crate::source::Revision;
use crate::source::compose::{Document, types};

/// Ports that are told apart: no host has more.
const MAX_PORTS: usize = 65_536;

/// A port of the host that leads to a container.
pub struct Publication<'a> {
    /// The compose file.
    pub document: &'a Document,
    /// The service.
    pub service: &'a str,
    /// Its `container_name`.
    pub container: Option<&'a str>,
    /// Whether a unit starts the service.
    pub starts: bool,
    /// The port.
    pub port: Port,
}

/// A fixed port of one entry of `ports:`.
pub struct Port {
    /// The entry as it is written, variables resolved.
    pub text: String,
    /// The address of the host; `None`: all.
    pub address: Option<String>,
    /// The port of the host.
    pub host: u16,
    /// The port of the container.
    pub inside: Option<u16>,
    /// Whether it is UDP.
    pub udp: bool,
}

/// What the containers of a desired state publish.
pub struct Published<'a> {
    /// All fixed ports.
    pub all: Vec<Publication<'a>>,
    /// Whether more may be published than is known.
    pub more: bool,
    /// Whether a container has no network of its own, so that it needs to publish nothing.
    pub on_host: bool,
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
                    found.more |= found.all.len() > MAX_PORTS;
                    let free = (MAX_PORTS + 1).saturating_sub(found.all.len());
                    let ports = ports.into_iter().take(free);
                    found.all.extend(ports.map(|port| Publication {
                        document,
                        service: name,
                        container: service.container_name.as_deref(),
                        starts,
                        port,
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
        let fits = |one: &Publication<'_>| port.is_none() || one.port.inside == port;
        named.find(|one| fits(one)).map(|one| one.port.host)
    }
}

/// The fixed ports of one entry of `ports:`,
/// <https://docs.docker.com/reference/compose-file/services/#ports>; none where Docker chooses.
/// `None`: it cannot be read.
fn entry(port: &Value) -> Option<Vec<Port>> {
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
    let one = |host: u16| Port {
        text: text.clone(),
        address: address.clone(),
        host,
        inside: first.and_then(|first| first.checked_add(host - from)),
        udp: protocol.as_deref() == Some("udp"),
    };
    Some((from..=to).map(one).collect())
}

impl Port {
    /// Whether only the host itself can reach it.
    pub fn is_loopback(&self) -> bool {
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
                let one = |port: &Port| {
                    let address = port.address.as_deref().unwrap_or("-");
                    format!("{address} {} {}", port.host, port.inside.unwrap_or(0))
                };
                ports.iter().map(one).collect::<Vec<_>>().join(", ")
            });
            assert_eq!(said.as_deref().unwrap_or("?"), expected, "{text}");
        }
    }
}
