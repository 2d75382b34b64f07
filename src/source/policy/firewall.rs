//! `[firewall]`: who may reach which port.

use std::collections::BTreeMap;
use std::ops::Range;

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

use super::ConfigFile;
use super::spanned::Spanned;
use super::values::{Cidr, Interface, Source};
use crate::model::{self, Diagnostic, Firewall, OpenTo, Opening, Transport, UfwMode, Verdict};
use crate::source::error::nearest;

/// How everybody is named.
const WORLD: &str = "world";
/// Letters that a name may have at most: nftables keeps it together with a version of IP.
const NAME: usize = 32;

/// `[firewall]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FirewallPolicy {
    /// Ports of the host that `allow` does not name: `deny` drops new connections to them.
    #[cfg_attr(test, schemars(example = &"allow"))]
    pub default: Spanned<Verdict>,
    /// Ports that containers publish and that `allow` does not name, likewise.
    #[cfg_attr(test, schemars(example = &"allow"))]
    pub published: Verdict,
    /// Names for ranges of addresses.
    #[cfg_attr(test, schemars(example = serde_json::json!({"vpn": ["100.64.0.0/10"], "lan": ["192.168.0.0/16"]})))]
    pub sources: BTreeMap<Spanned<String>, Vec<Spanned<Cidr>>>,
    /// Who may reach a port, whether a program of the host listens on it or a container publishes it. Nobody else may. A
    /// port is `22`, `"53/udp"` or `"8000-8010"`; it is TCP unless it says otherwise. An empty list means nobody.
    #[cfg_attr(test, schemars(example = serde_json::json!({"22": ["vpn", "lan"], "80": ["world"]})))]
    pub allow: BTreeMap<Spanned<String>, Vec<Spanned<Source>>>,
    /// Interfaces from which all traffic is allowed: those of container networks. `*` at the end matches any letters.
    #[cfg_attr(test, schemars(example = ["docker0", "br-*", "tailscale0"]))]
    pub trusted: Vec<Spanned<Interface>>,
    /// What to do if ufw is active: `refuse` changes nothing; `drive` gives ufw a rule for each port of the host, and leaves other ports to ufw. See [other firewalls](firewall.md#other-firewalls).
    #[cfg_attr(test, schemars(example = &"drive"))]
    pub ufw: UfwMode,
}

impl Default for FirewallPolicy {
    fn default() -> Self {
        Self {
            default: Spanned::unwritten(Verdict::default()),
            published: Verdict::default(),
            sources: BTreeMap::new(),
            allow: BTreeMap::new(),
            // Those that Docker and Podman make.
            trusted: [
                "docker0",
                "docker_gwbridge",
                "br-*",
                "podman*",
                "cni-podman*",
            ]
            .map(|name| Spanned::unwritten(Interface::new(name)))
            .into(),
            ufw: UfwMode::default(),
        }
    }
}

impl FirewallPolicy {
    /// What it wants, or the first error in it.
    pub(super) fn read(&self, file: &ConfigFile) -> Result<Firewall, Diagnostic> {
        if self.ufw == UfwMode::Drive && *self.default == Verdict::Allow {
            let message = "with drive, ufw decides about ports that are not named";
            let expected = "expected no default together with ufw = \"drive\"";
            return Err(file.complain(self.default.span(), message, expected, None));
        }
        let mut sources = BTreeMap::new();
        for (name, ranges) in &self.sources {
            sources.insert(name.to_string(), self.source(file, name, ranges)?);
        }
        let mut openings: Vec<Opening> = Vec::new();
        for (port, to) in &self.allow {
            let (transport, first, last) = read_port(port).ok_or_else(|| {
                let message = format!("{:?} is not a port", port.as_str());
                let expected = "expected a port such as 22, \"53/udp\" or \"8000-8010/tcp\"";
                file.complain(port.span(), message, expected, None)
            })?;
            let twice = openings
                .iter()
                .find(|one| one.transport == transport && one.first <= last && first <= one.last);
            if let Some(other) = twice {
                let message = format!("port {} is also in {other}", port.as_str());
                let expected = "expected each port once";
                return Err(file.complain(port.span(), message, expected, None));
            }
            let to: Result<Vec<OpenTo>, Diagnostic> =
                to.iter().map(|source| self.open_to(file, source)).collect();
            openings.push(Opening {
                transport,
                first,
                last,
                to: to?,
            });
        }
        openings.sort_by_key(|one| (one.first, one.last, one.transport));
        Ok(Firewall {
            default: *self.default,
            published: self.published,
            trusted: self.trusted.iter().map(|name| (***name).clone()).collect(),
            ufw: self.ufw,
            sources,
            openings,
        })
    }

    /// Every range that is written, with its place.
    pub fn ranges(&self) -> impl Iterator<Item = (IpNet, Range<usize>)> {
        let sources = self.sources.values().flatten();
        let of_sources = sources.map(|range| (***range, range.span()));
        let allowed = self.allow.values().flatten();
        let literal = allowed.filter_map(|source| {
            let mut names = self.sources.keys();
            let is_name = names.any(|name| name.as_str() == source.as_str());
            let range = model::address_range(source).filter(|_| !is_name)?;
            Some((range, source.span()))
        });
        of_sources.chain(literal)
    }

    /// The openings that can be read, each with the places of those who may reach it.
    pub fn openings(&self, file: &ConfigFile) -> Vec<(Opening, Vec<Range<usize>>)> {
        let read = |(port, to): (&Spanned<String>, &Vec<Spanned<Source>>)| {
            let (transport, first, last) = read_port(port)?;
            let places = to.iter().map(Spanned::span).collect();
            let to: Result<Vec<OpenTo>, Diagnostic> =
                to.iter().map(|source| self.open_to(file, source)).collect();
            let opening = Opening {
                transport,
                first,
                last,
                to: to.ok()?,
            };
            Some((opening, places))
        };
        self.allow.iter().filter_map(read).collect()
    }

    fn source(
        &self,
        file: &ConfigFile,
        name: &Spanned<String>,
        ranges: &[Spanned<Cidr>],
    ) -> Result<Vec<IpNet>, Diagnostic> {
        let is_usable = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins || name.len() > NAME || !name.chars().all(is_usable) || **name == WORLD {
            let message = format!("{:?} cannot be the name of a source", name.as_str());
            let expected = match **name == WORLD {
                true => "world is everybody",
                false => "expected a letter, then letters, digits, - and _, 32 at most",
            };
            return Err(file.complain(name.span(), message, expected, None));
        }
        if ranges.is_empty() {
            let message = format!("the source {} has no addresses", name.as_str());
            let expected = "expected ranges such as [\"100.64.0.0/10\"]";
            return Err(file.complain(name.span(), message, expected, None));
        }
        let ranges = ranges.iter();
        ranges
            .map(|range| whole(file, range.span(), ***range))
            .collect()
    }

    fn open_to(&self, file: &ConfigFile, source: &Spanned<Source>) -> Result<OpenTo, Diagnostic> {
        let text = source.as_str();
        if text == WORLD {
            return Ok(OpenTo::World);
        }
        if let Some(name) = self.sources.keys().find(|name| name.as_str() == text) {
            return Ok(OpenTo::Source(name.to_string()));
        }
        if let Some(range) = model::address_range(text) {
            return Ok(OpenTo::Range(whole(file, source.span(), range)?));
        }
        let known = self.sources.keys().map(|name| name.as_str());
        let known: Vec<&str> = known.chain([WORLD]).collect();
        let near = nearest(text, known.iter().copied());
        Err(file.complain(
            source.span(),
            format!("there is no source {text}"),
            format!(
                "expected a name of [firewall.sources], world, or a range such as \"192.168.0.0/16\": {} are known",
                known.join(", ")
            ),
            near.map(|name| format!("did you mean {name}?")),
        ))
    }
}

/// A range that begins where it says: `192.168.7.5/16` may be meant as one address or as all of them.
fn whole(file: &ConfigFile, span: Range<usize>, range: IpNet) -> Result<IpNet, Diagnostic> {
    if let Some(plain) = mapped(range) {
        let message =
            format!("{range} has IPv4 addresses as IPv6 writes them, which no packet has");
        return Err(file.complain(span, message, "", Some(format!("write {plain}"))));
    }
    if range.addr() == range.network() {
        return Ok(range);
    }
    let message = format!("{range} does not begin a range of that length");
    let help = format!("write {} for all of it, or {}", range.trunc(), range.addr());
    Err(file.complain(span, message, "", Some(help)))
}

/// The range of IPv4 that an IPv4-mapped one of IPv6 stands for, RFC 4291 section 2.5.5.2.
fn mapped(range: IpNet) -> Option<IpNet> {
    let IpNet::V6(range) = range else {
        return None;
    };
    let address = range.addr().to_ipv4_mapped()?;
    let length = range.prefix_len().checked_sub(96)?;
    let plain = Ipv4Net::new(address, length).ok()?;
    Some(IpNet::V4(plain.trunc()))
}

/// `22`, `53/udp`, `8000-8010/tcp`.
fn read_port(text: &str) -> Option<(Transport, u16, u16)> {
    let (span, transport) = match text.split_once('/') {
        None => (text, Transport::Tcp),
        Some((span, "tcp")) => (span, Transport::Tcp),
        Some((span, "udp")) => (span, Transport::Udp),
        Some(_) => return None,
    };
    let (first, last) = span.split_once('-').unwrap_or((span, span));
    let number = |text: &str| -> Option<u16> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|port| *port > 0 && is_number)
    };
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((transport, first, last))
}
