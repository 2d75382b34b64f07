//! The networks and volumes that a host's infrastructure file defines.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::types::{self, is_external};
use super::{Document, spans};
use crate::model::{Diagnostic, Network, Subnet, Volume};

/// What the infrastructure file defines.
#[derive(Clone, Debug, Default)]
pub struct Infra {
    /// Networks by name, those of others left out.
    pub networks: BTreeMap<String, Network>,
    /// Volumes by name, those of others left out.
    pub volumes: BTreeMap<String, Volume>,
}

/// Reads the infrastructure file as the compose project `project`.
pub fn read(document: &Document, project: &str) -> Result<Infra, Diagnostic> {
    let compose = &document.compose;
    let mut infra = Infra::default();
    let mut taken = Taken::new();
    for (key, definition) in &compose.networks {
        let definition = definition.clone().unwrap_or_default();
        if is_external(&definition.external) {
            continue;
        }
        let name = name_of(document, project, ("networks", key), &definition.name)?;
        let network = network(document, key, project, definition)?;
        check_overlap(document, &mut taken, &network, key, &name)?;
        if infra.networks.insert(name.clone(), network).is_some() {
            let span = spans(document.source(), &["networks", key, "name"], Some(&name));
            let message = format!("the network name {name:?} is used twice");
            return Err(document.complain(span, message, "expected another name"));
        }
    }
    for (key, definition) in &compose.volumes {
        let definition = definition.clone().unwrap_or_default();
        if is_external(&definition.external) {
            continue;
        }
        let name = name_of(document, project, ("volumes", key), &definition.name)?;
        let volume = Volume {
            key: key.clone(),
            project: project.into(),
            driver: definition.driver.unwrap_or_else(|| "local".into()),
            options: definition.driver_opts,
            labels: definition.labels,
        };
        infra.volumes.insert(name, volume);
    }
    Ok(infra)
}

/// What a network or volume is called, by the engine's own rule for names; they also become parts of messages and URLs.
fn name_of(
    document: &Document,
    project: &str,
    (kind, key): (&str, &str),
    written: &Option<String>,
) -> Result<String, Diagnostic> {
    let name = (written.clone()).unwrap_or_else(|| format!("{project}_{key}"));
    let is_usable = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_usable) {
        return Ok(name);
    }
    Err(document.complain(
        spans(document.source(), &[kind, key, "name"], Some(&name)),
        format!("{name:?} cannot be a name"),
        "expected letters, digits, \"_\", \".\" and \"-\", the first a letter or digit",
    ))
}

fn network(
    document: &Document,
    key: &str,
    project: &str,
    definition: types::Network,
) -> Result<Network, Diagnostic> {
    let mut subnets: Vec<Subnet> = Vec::new();
    for range in definition.ipam.unwrap_or_default().config {
        let addressing = Addressing { document, key };
        if let Some(subnet) = addressing.subnet(&range)? {
            let mut others = subnets.iter();
            if let Some(other) = others.find(|other| overlap(&other.subnet, &subnet.subnet)) {
                let text = range.subnet.unwrap_or_default();
                let message = format!("the subnet {text} overlaps {}", other.subnet);
                let expected = "expected another range";
                return Err(addressing.complain("subnet", &text, message, expected));
            }
            subnets.push(subnet);
        }
    }
    Ok(Network {
        key: key.into(),
        project: project.into(),
        driver: definition.driver.unwrap_or_else(|| "bridge".into()),
        options: definition.driver_opts,
        labels: definition.labels,
        internal: definition.internal,
        attachable: definition.attachable,
        ipv6: definition.enable_ipv6,
        subnets,
        owner: None,
        members: Vec::new(),
    })
}

/// The addresses of one network, as the file has them.
struct Addressing<'a> {
    document: &'a Document,
    key: &'a str,
}

impl Addressing<'_> {
    fn complain(
        &self,
        field: &str,
        text: &str,
        message: String,
        expected: impl Into<String>,
    ) -> Diagnostic {
        let path = ["networks", self.key, "ipam", "config", field];
        let span = spans(self.document.source(), &path, Some(text));
        self.document.complain(span, message, expected)
    }

    fn subnet(&self, range: &types::Range) -> Result<Option<Subnet>, Diagnostic> {
        let Some(text) = &range.subnet else {
            return match (&range.gateway, &range.ip_range) {
                (None, None) => Ok(None),
                (Some(text), _) | (None, Some(text)) => {
                    let is_gateway = range.gateway.is_some();
                    let field = if is_gateway { "gateway" } else { "ip_range" };
                    let message = format!("the {field} {text} has no subnet");
                    Err(self.complain(field, text, message, "expected subnet beside it"))
                }
            };
        };
        let subnet = self.range("subnet", text)?;
        let gateway = range.gateway.as_ref();
        let gateway = gateway.map(|text| self.inside("gateway", text, &subnet));
        let ip_range = range.ip_range.as_ref().map(|text| {
            let inner = self.range("ip_range", text)?;
            if !subnet.contains(&inner) {
                let message = format!("the ip_range {text} is outside the subnet {subnet}");
                let expected = format!("expected a part of {subnet}");
                return Err(self.complain("ip_range", text, message, expected));
            }
            Ok(inner)
        });
        Ok(Some(Subnet {
            subnet,
            gateway: gateway.transpose()?,
            ip_range: ip_range.transpose()?,
        }))
    }

    fn range(&self, field: &str, text: &str) -> Result<IpNet, Diagnostic> {
        let Ok(range) = text.trim().parse::<IpNet>() else {
            let message = format!("{text:?} is not a valid {field}");
            let expected = "expected ADDRESS/BITS such as 172.27.0.0/16";
            return Err(self.complain(field, text, message, expected));
        };
        if range.addr() != range.network() {
            let message = format!("{text} is an address in a subnet, not a subnet");
            return Err(self.complain(field, text, message, format!("expected {}", range.trunc())));
        }
        Ok(range)
    }

    fn inside(&self, field: &str, text: &str, subnet: &IpNet) -> Result<IpAddr, Diagnostic> {
        let Ok(address) = text.trim().parse::<IpAddr>() else {
            let message = format!("{text:?} is not an address");
            let expected = "expected an IP address such as 172.27.0.1";
            return Err(self.complain(field, text, message, expected));
        };
        if !usable(subnet, &address) {
            let message = format!("the {field} {address} is outside the subnet {subnet}");
            return Err(self.complain(field, text, message, expected_in(subnet)));
        }
        Ok(address)
    }
}

/// What an address in `subnet` may be, in words.
pub fn expected_in(subnet: &IpNet) -> String {
    let mut hosts = subnet.hosts();
    match (hosts.next(), subnet) {
        (Some(first), IpNet::V4(net)) if net.prefix_len() < 31 => {
            let last = u32::from(net.broadcast()).saturating_sub(1);
            format!("expected {first} to {}", std::net::Ipv4Addr::from(last))
        }
        _ => format!("expected an address in {subnet}"),
    }
}

/// Whether a container or the host can have the address: in the range, and neither its first
/// (the network itself) nor its last (broadcast).
pub fn usable(subnet: &IpNet, address: &IpAddr) -> bool {
    let reserved = match subnet {
        IpNet::V4(net) => {
            net.prefix_len() < 31 && (*address == net.network() || *address == net.broadcast())
        }
        IpNet::V6(_) => false,
    };
    subnet.contains(address) && !reserved
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// Subnets that networks have, by their first address. None of them overlaps another one.
type Taken = BTreeMap<IpAddr, (IpNet, String)>;

/// Fails where a subnet of a network, by its key and name, is in one of another network, or has one in it.
fn check_overlap(
    document: &Document,
    taken: &mut Taken,
    network: &Network,
    key: &str,
    name: &str,
) -> Result<(), Diagnostic> {
    for Subnet { subnet, .. } in &network.subnets {
        let first = subnet.network();
        let before = taken.range(..=first).next_back();
        let behind = taken.range(first..).next();
        let mut near = before.into_iter().chain(behind);
        if let Some((_, (other, of))) = near.find(|(_, (other, _))| overlap(other, subnet)) {
            let text = subnet.to_string();
            let message = format!("the subnet {text} overlaps {other} of {of}");
            let addressing = Addressing { document, key };
            return Err(addressing.complain("subnet", &text, message, "expected another range"));
        }
    }
    let subnets = network.subnets.iter().map(|subnet| subnet.subnet);
    taken.extend(subnets.map(|subnet| (subnet.network(), (subnet, name.to_owned()))));
    Ok(())
}
