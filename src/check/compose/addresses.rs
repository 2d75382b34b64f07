//! Fixed addresses of containers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::networks::name_of;
use super::view::{View, say};
use crate::check::rules::compose::rule::{
    compose_address_in_dynamic_range, compose_address_outside_subnet, compose_address_twice,
};
use crate::model::{Diagnostic, Finding, MemberName};
use crate::source::ParsedStack;
use crate::source::compose::infra::{expected_in, usable};
use crate::source::compose::types::is_external;

/// A network with the ranges of its addresses.
#[derive(Default)]
struct Ranges {
    subnets: Vec<(IpNet, Option<IpNet>)>,
    gateways: Vec<IpAddr>,
    /// Whether some container on it gets an address from Docker.
    dynamic: bool,
    pins: Vec<Pin>,
}

/// A fixed address.
struct Pin {
    address: IpAddr,
    who: String,
    place: Diagnostic,
    /// Whether the container gets it from the start, or only is expected to have it.
    fixed: bool,
}

/// Looks at all addresses of all networks.
pub(crate) fn walk(view: &View) -> Vec<Finding> {
    let mut networks = infra(view);
    for stack in &view.stacks {
        own(stack, &mut networks);
    }
    for stack in &view.stacks {
        pins(view, stack, &mut networks);
    }
    members(view, &mut networks);
    let found = networks
        .iter()
        .flat_map(|(name, ranges)| of_network(name, ranges));
    found.collect()
}

fn infra(view: &View) -> BTreeMap<String, Ranges> {
    let infra = view.subject.revision.desired.networks.iter();
    let ranges = |(name, network): (&String, &crate::model::Network)| {
        let subnets = network.subnets.iter();
        let ranges = Ranges {
            subnets: subnets
                .clone()
                .map(|subnet| (subnet.subnet, subnet.ip_range))
                .collect(),
            gateways: subnets.filter_map(|subnet| subnet.gateway).collect(),
            // Whoever joins it later gets one.
            dynamic: true,
            pins: Vec::new(),
        };
        (name.clone(), ranges)
    };
    infra.map(ranges).collect()
}

/// The networks that a project makes for itself.
fn own(stack: &ParsedStack, networks: &mut BTreeMap<String, Ranges>) {
    for (key, definition) in &stack.compose.networks {
        let definition = definition.as_ref();
        let name = name_of(stack, key);
        let is_others = definition.is_some_and(|definition| is_external(&definition.external));
        if is_others || networks.contains_key(&name) {
            continue;
        }
        let mut ranges = Ranges::default();
        let ipam = definition.and_then(|definition| definition.ipam.as_ref());
        for range in ipam.into_iter().flat_map(|ipam| &ipam.config) {
            let net = |text: &Option<String>| {
                text.as_deref()
                    .and_then(|text| text.trim().parse::<IpNet>().ok())
            };
            if let Some(subnet) = net(&range.subnet) {
                ranges.subnets.push((subnet, net(&range.ip_range)));
            }
            let gateway: Option<IpAddr> = range
                .gateway
                .as_deref()
                .and_then(|text| text.trim().parse().ok());
            ranges.gateways.extend(gateway);
        }
        networks.insert(name, ranges);
    }
}

fn pins(view: &View, stack: &ParsedStack, networks: &mut BTreeMap<String, Ranges>) {
    for (service, definition) in &stack.compose.services {
        for (key, attachment) in definition.networks.entries() {
            let is_declared = stack.compose.networks.contains_key(key);
            let ranges = networks.get_mut(&name_of(stack, key));
            let Some(ranges) = ranges.filter(|_| is_declared) else {
                continue;
            };
            let fields = attachment.map(|attachment| {
                let fields = [
                    ("ipv4_address", &attachment.ipv4_address),
                    ("ipv6_address", &attachment.ipv6_address),
                ];
                fields.map(|(field, text)| (field, text.clone()))
            });
            let pinned = fields
                .into_iter()
                .flatten()
                .filter_map(|(field, text)| Some((field, text?)));
            let mut any = false;
            for (field, text) in pinned {
                any = true;
                let place = view.at(stack, service, &["networks", key, field]);
                if let Ok(address) = text.trim().parse() {
                    let who = match &definition.container_name {
                        Some(container) => container.clone(),
                        None => format!("{}:{service}", stack.project),
                    };
                    let known = ranges
                        .pins
                        .iter()
                        .any(|pin| pin.who == who && pin.address == address);
                    if !known {
                        ranges.pins.push(Pin {
                            address,
                            who,
                            place,
                            fixed: true,
                        });
                    }
                }
            }
            ranges.dynamic |= !any;
        }
    }
}

/// Addresses that only watchme.toml says: what compose files say about the same container goes before it.
fn members(view: &View, networks: &mut BTreeMap<String, Ranges>) {
    let policy = &view.subject.revision.parsed.policy;
    for (name, network) in &policy.networks {
        let Some(ranges) = networks.get_mut(name.as_str()) else {
            continue;
        };
        for (member, span) in network.members() {
            let Some(address) = member.address else {
                continue;
            };
            let who = match &member.name {
                MemberName::Container(container) => container.clone(),
                MemberName::Service { project, service } => format!("{project}:{service}"),
            };
            if ranges.pins.iter().any(|pin| pin.who == who) {
                continue;
            }
            let place = policy.file.complain(span, "", "", None);
            ranges.pins.push(Pin {
                address,
                who,
                place,
                fixed: member.pin,
            });
        }
    }
}

fn of_network(name: &str, ranges: &Ranges) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut holders: BTreeMap<IpAddr, &str> = BTreeMap::new();
    holders.extend(
        ranges
            .gateways
            .iter()
            .map(|address| (*address, "the gateway")),
    );
    for pin in &ranges.pins {
        let Pin {
            address,
            who,
            place,
            fixed,
        } = pin;
        if let Some(other) = holders.get(address) {
            let message =
                format!("the address {address} on {name} is given twice: to {other} and to {who}");
            let expected = "the second one does not start";
            let help = "choose an address that is free";
            let place = say(place.clone(), message, expected, help);
            findings.push(compose_address_twice::RULE.at(place));
            continue;
        }
        holders.insert(*address, who);
        let inside = ranges
            .subnets
            .iter()
            .find(|(subnet, _)| usable(subnet, address));
        match (inside, ranges.subnets.first()) {
            (None, Some((first, _))) => {
                let message = format!(
                    "the address {address} of {who} is outside the subnet {first} of {name}"
                );
                let help = format!(
                    "choose one in it, {}",
                    expected_in(first).replacen("expected ", "", 1)
                );
                findings.push(compose_address_outside_subnet::RULE.at(say(
                    place.clone(),
                    message,
                    "",
                    help,
                )));
            }
            (None, None) if *fixed => {
                let message =
                    format!("the address {address} of {who} needs a subnet, and {name} has none");
                let help = "give the network ipam: config: - subnet: 172.27.0.0/16";
                findings.push(compose_address_outside_subnet::RULE.at(say(
                    place.clone(),
                    message,
                    "",
                    help,
                )));
            }
            (Some((subnet, range)), _) if *fixed && ranges.dynamic => {
                findings.extend(dynamic(name, pin, subnet, range.as_ref()));
            }
            _ => {}
        }
    }
    findings
}

/// A fixed address that Docker may have given to another container that started before.
fn dynamic(name: &str, pin: &Pin, subnet: &IpNet, range: Option<&IpNet>) -> Option<Finding> {
    let Pin {
        address,
        who,
        place,
        ..
    } = pin;
    let (message, help) = match range {
        Some(range) if range.contains(address) => (
            format!(
                "the address {address} of {who} is in the ip_range {range}, from which Docker assigns addresses on {name}"
            ),
            format!("choose one in {subnet} that is outside {range}"),
        ),
        Some(_) => return None,
        None => {
            let upper = subnet
                .subnets(subnet.prefix_len().saturating_add(1))
                .ok()
                .and_then(Iterator::last);
            let range = upper.map_or_else(
                || "the upper half of the subnet".to_owned(),
                |upper| format!("ip_range: {upper}"),
            );
            (
                format!(
                    "Docker may assign the address {address} of {who} to another container: {name} has no ip_range"
                ),
                format!("write {range} beside the subnet, and choose fixed addresses below it"),
            )
        }
    };
    let place = say(place.clone(), message, "", help);
    Some(compose_address_in_dynamic_range::RULE.at(place))
}
