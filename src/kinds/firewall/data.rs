//! What is wanted of the firewall: who may reach which port of the host.

mod rules;
mod ufw;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
pub use ufw::{UFW_COMMENT, UfwLine, UfwPlaces, UfwRule, ufw_count, ufw_lines, ufw_places};

use crate::model::{Kind, Resource, list};

/// The table of nftables that is ours, of the family `inet`.
pub const FIREWALL_TABLE: &str = "watchme_apply";

/// Who may reach which port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firewall {
    /// What becomes of ports of the host that no opening names.
    pub default: Verdict,
    /// The same for ports that containers publish.
    pub published: Verdict,
    /// Interfaces from which everything may come, as nftables writes them: `docker0`, `br-*`.
    pub trusted: Vec<String>,
    /// What is done where ufw is active.
    pub ufw: UfwMode,
    /// Ranges of addresses by the names that openings have for them.
    pub sources: BTreeMap<String, Vec<IpNet>>,
    /// Who may reach which ports, by protocol and port; none is named twice.
    pub openings: Vec<Opening>,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Verdict {
    /// It is dropped.
    #[default]
    Deny,
    /// It is let through.
    Allow,
}

/// What is done where ufw is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum UfwMode {
    /// Nothing: the plan refuses.
    #[default]
    Refuse,
    /// It gets the rules about ports of the host.
    Drive,
}

/// The protocols whose ports can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// As nftables and watchme.toml write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Ports, and who may reach them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Their protocol.
    pub transport: Transport,
    /// The first one.
    pub first: u16,
    /// The last one.
    pub last: u16,
    /// Who; nobody where it is empty.
    pub to: Vec<OpenTo>,
}

/// Who may reach a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenTo {
    /// Everybody.
    World,
    /// The addresses of a named source.
    Source(String),
    /// These addresses.
    Range(IpNet),
}

impl fmt::Display for OpenTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World => f.write_str("world"),
            Self::Source(name) => f.write_str(name),
            Self::Range(range) => f.write_str(&shown(range)),
        }
    }
}

/// A range as it is written; a single address without its length.
fn shown(range: &IpNet) -> String {
    match range.prefix_len() == range.max_prefix_len() {
        true => range.addr().to_string(),
        false => range.to_string(),
    }
}

/// A range of addresses, or one address as a range of its own.
pub fn address_range(text: &str) -> Option<IpNet> {
    let one = text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or(one).ok()
}

impl Opening {
    /// Its ports.
    pub fn ports(&self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// Its ports as they are written: `8000` or `8000-8010`.
    pub fn span(&self) -> String {
        match self.first == self.last {
            true => self.first.to_string(),
            false => format!("{}-{}", self.first, self.last),
        }
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.span(), self.transport.as_str())
    }
}

impl Firewall {
    /// The opening that names a port.
    pub fn opening(&self, transport: Transport, port: u16) -> Option<&Opening> {
        let mut openings = self.openings.iter();
        openings.find(|one| one.transport == transport && one.ports().contains(&port))
    }

    /// Whether a new connection from an address to a port of the host is let through.
    pub fn lets_in(&self, transport: Transport, port: u16, from: IpAddr) -> bool {
        match self.opening(transport, port) {
            None => self.default == Verdict::Allow,
            Some(opening) => opening.to.iter().any(|to| self.has(to, from)),
        }
    }

    fn has(&self, to: &OpenTo, address: IpAddr) -> bool {
        let ranges = match to {
            OpenTo::World => return true,
            OpenTo::Range(range) => std::slice::from_ref(range),
            OpenTo::Source(name) => self.sources.get(name).map_or(&[][..], Vec::as_slice),
        };
        ranges.iter().any(|range| range.contains(&address))
    }

    /// Whether an interface is one of those from which everything may come.
    pub fn trusts(&self, interface: &str) -> bool {
        let mut patterns = self.trusted.iter();
        patterns.any(|pattern| match pattern.strip_suffix('*') {
            Some(begin) => interface.starts_with(begin),
            None => interface == pattern,
        })
    }

    /// Who may reach what, for people: a line for each port, then what the names stand for.
    pub fn reach(&self) -> String {
        let mut lines = Vec::new();
        for opening in &self.openings {
            let to = match opening.to.is_empty() {
                true => "nobody".to_owned(),
                false => list(&opening.to),
            };
            lines.push((opening.to_string(), to));
        }
        let others = |verdict| match verdict {
            Verdict::Deny => "nobody",
            Verdict::Allow => "world",
        };
        let of_host = match self.ufw {
            UfwMode::Refuse => others(self.default),
            UfwMode::Drive => "as ufw says",
        };
        lines.push(("other ports".to_owned(), of_host.to_owned()));
        let published = others(self.published).to_owned();
        lines.push(("other published ports".to_owned(), published));
        let trusted = self.trusted.join(", ");
        lines.push(("everything, by interface".to_owned(), trusted));
        let named = self.sources.iter();
        let named = named.map(|(name, of)| (format!("{name} is"), list(of.iter().map(shown))));
        lines.extend(named);
        let line = |(what, who): &(String, String)| format!("{what:<25} {who}\n");
        lines.iter().map(line).collect()
    }
}

impl Resource for Firewall {
    type Key = String;
    const KIND: Kind = Kind::Firewall;
}
