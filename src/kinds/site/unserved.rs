//! A site that comes to pass requests to a port at which nothing listens answers 502.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::model::{Desired, Listener, Publish, Recorded, ResourceId, Stack, Unit};
use crate::plan::draft::Draft;

/// The addresses of this host that sites and files of nginx come to pass requests to, by what says so: those that it
/// did not name when it was applied last.
pub(crate) fn new_upstreams(
    desired: &Desired,
    recorded: &Recorded,
) -> BTreeMap<ResourceId, BTreeSet<SocketAddr>> {
    let known = recorded.desired().map(of_each).unwrap_or_default();
    let mut new = of_each(desired);
    for (id, addresses) in &mut new {
        let known = known.get(id);
        addresses.retain(|address| {
            address.ip().is_loopback() && known.is_none_or(|known| !known.contains(address))
        });
    }
    new.retain(|_, addresses| !addresses.is_empty());
    new
}

fn of_each(desired: &Desired) -> BTreeMap<ResourceId, BTreeSet<SocketAddr>> {
    let mut found: BTreeMap<ResourceId, BTreeSet<SocketAddr>> = BTreeMap::new();
    for (address, ids) in desired.upstreams() {
        for id in ids {
            found.entry(id).or_default().insert(address);
        }
    }
    found
}

pub(crate) fn plan(draft: &mut Draft<'_>) {
    // Nobody has looked: an offline root, or a plan that brings no such address.
    if draft.observed.listeners.is_empty() {
        return;
    }
    let known = (draft.recorded.desired()).map(of_each).unwrap_or_default();
    let now = of_each(draft.desired);
    for (id, new) in new_upstreams(draft.desired, draft.recorded) {
        let unserved: BTreeSet<SocketAddr> = new
            .iter()
            .copied()
            .filter(|address| !is_served(draft, *address) && !is_named(draft.desired, *address))
            .collect();
        let Some(first) = unserved.first() else {
            continue;
        };
        let left = known.get(&id).into_iter().flatten();
        let mut left =
            left.filter(|address| !now.get(&id).is_some_and(|now| now.contains(address)));
        let served = left.find(|address| listens(draft, **address));
        let to = "where nothing listens, and nothing that this revision runs publishes that port";
        let help = format!(
            "correct the port in the site, or first start what serves there; ss -ltnp 'sport = :{}' shows who listens",
            first.port()
        );
        match served {
            Some(old) if unserved == new && !starts_unknown(draft) => {
                let why =
                    format!("it passed requests to {old}, and would pass them to {first}, {to}");
                draft.refuse(id, why, vec![help]);
            }
            _ => {
                for address in unserved {
                    draft.note(
                        id.clone(),
                        None,
                        format!("it would pass requests to {address}, {to}: {help}"),
                    );
                }
            }
        }
    }
}

/// An address as a container would publish it.
pub(super) fn wanted(address: SocketAddr) -> Publish {
    Publish {
        port: address.port(),
        protocol: "tcp".to_owned(),
        address: Some(address.ip()),
    }
}

/// Whether somebody listens at an address now.
fn listens(draft: &Draft<'_>, address: SocketAddr) -> bool {
    let wanted = wanted(address);
    let mut listeners = draft.observed.listeners.iter().map(Listener::taken);
    let mut published = (draft.observed.containers()).flat_map(|container| &container.published);
    listeners.any(|one| one.collides(&wanted)) || published.any(|port| port.collides(&wanted))
}

/// Whether somebody listens at an address, or will.
fn is_served(draft: &Draft<'_>, address: SocketAddr) -> bool {
    let publishes = |unit: &Unit| {
        let published = unit.published();
        published.iter().any(|port| port.collides(&wanted(address)))
    };
    listens(draft, address) || draft.desired.units.values().any(publishes)
}

/// Whether a file of a unit, or what it names, has the port in it, or nginx itself is to listen there: a program of its
/// own says its port somewhere.
fn is_named(desired: &Desired, address: SocketAddr) -> bool {
    let port = address.port().to_string();
    let units = desired.units.values();
    let of_units = units.flat_map(|unit| unit.file.iter().chain(unit.dropins.values()));
    let mut files = of_units.chain(desired.files.values());
    let sites = desired.sites.values().map(|site| &site.file);
    let mut nginx = sites.chain(desired.etc.values().map(|etc| &etc.file));
    files.any(|file| has_number(&String::from_utf8_lossy(&file.content), &port))
        || nginx.any(|file| {
            let text = String::from_utf8_lossy(&file.content);
            let mut listens = text.split([';', '{', '}', '\n']);
            listens.any(|words| words.trim().starts_with("listen") && has_number(words, &port))
        })
}

/// Whether a text has a number, and not only as a part of a longer one.
fn has_number(text: &str, number: &str) -> bool {
    text.match_indices(number).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + number.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(|c| c.is_ascii_digit()) && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

/// Whether a program starts whose ports are not known.
fn starts_unknown(draft: &Draft<'_>) -> bool {
    let starting = draft.starting();
    let mut units = starting.iter();
    units.any(|name| draft.desired.units.get(name).is_some_and(is_unknown))
}

/// Whether the ports of a unit are not known: it runs a program, or a compose file outside the checkout.
pub(super) fn is_unknown(unit: &Unit) -> bool {
    let unread = |stack: &Stack| stack.services.is_empty();
    (unit.stacks.is_empty() && unit.runs.is_empty()) || unit.stacks.iter().any(unread)
}
