//! Sites must not go on passing requests to what a plan takes away.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::effect::Effect;
use crate::kinds::unit::replacement;
use crate::model::{Container, Listener, Publish, Stack, Unit};
use crate::plan::draft::Draft;

pub(super) fn plan(draft: &mut Draft<'_>) {
    let (stopped, changed) = (gone(draft), draft.starting());
    if stopped.is_empty() && changed.is_empty() {
        return;
    }
    let desired = draft.desired;
    for (address, ids) in desired.upstreams() {
        let Some(last) = last_publisher(draft, &stopped, &changed, address) else {
            continue;
        };
        let why = format!("it passes requests to {address}, and this plan {last}");
        let help = vec![
            "change the site in the same commit, or keep the port".to_owned(),
            format!("ss -ltnp 'sport = :{}' shows who listens", address.port()),
        ];
        for id in ids {
            draft.refuse(id, why.clone(), help.clone());
        }
    }
}

/// Units that a plan stops and does not start again.
fn gone(draft: &Draft<'_>) -> BTreeSet<String> {
    let stops = draft.changes().filter_map(|change| match &change.effect {
        Effect::Stop(step) => Some(step.unit.clone()),
        _ => None,
    });
    let starting = draft.starting();
    stops
        .filter(|unit| !starting.contains(unit) && !draft.paused(unit))
        .collect()
}

/// Who listens at an address now and will not any more, where nobody takes the place. Nothing is said where that is not
/// known for certain: a program that starts may listen anywhere, and is looked for once it runs.
fn last_publisher(
    draft: &Draft<'_>,
    stopped: &BTreeSet<String>,
    changed: &BTreeSet<String>,
    address: SocketAddr,
) -> Option<String> {
    let wanted = Publish {
        port: address.port(),
        protocol: "tcp".to_owned(),
        address: Some(address.ip()),
    };
    let desired = &draft.desired.units;
    let publishes =
        |unit: &Unit| unit.start && unit.published().iter().any(|port| port.collides(&wanted));
    // A program, or a compose file outside the checkout.
    let is_unknown = |name: &String| {
        desired.get(name).is_some_and(|unit| {
            let unread = |stack: &Stack| stack.services.is_empty();
            (unit.stacks.is_empty() && unit.runs.is_empty()) || unit.stacks.iter().any(unread)
        })
    };
    if desired.values().any(publishes) || changed.iter().any(is_unknown) {
        return None;
    }
    let leaves = |unit: &String| stopped.contains(unit) || changed.contains(unit);
    let mut last = None;
    for container in containers(draft, &wanted) {
        let owner = owner(draft, container).filter(leaves)?;
        last = Some(match stopped.contains(&owner) {
            true => format!(
                "removes {owner}, whose container {} listens there",
                container.name
            ),
            false => format!("changes {owner}, which no longer publishes it"),
        });
    }
    for listener in programs(draft, &wanted) {
        let unit = listener
            .unit
            .as_ref()
            .filter(|unit| stopped.contains(*unit))?;
        last = Some(format!("removes {unit}, which listens there"));
    }
    last
}

fn containers<'a>(draft: &Draft<'a>, wanted: &Publish) -> Vec<&'a Container> {
    let docker = draft.observed.docker.iter();
    let containers = docker.flat_map(|docker| &docker.containers);
    let holds =
        |container: &&Container| container.published.iter().any(|port| port.collides(wanted));
    containers.filter(holds).collect()
}

fn programs<'a>(draft: &Draft<'a>, wanted: &Publish) -> Vec<&'a Listener> {
    let listeners = draft.observed.listeners.iter();
    let is_of_engine = |one: &Listener| draft.observed.is_of_engine(one);
    let holds = |one: &&Listener| !is_of_engine(one) && one.taken().collides(wanted);
    listeners.filter(holds).collect()
}

/// The unit that runs a container, as it was before.
fn owner(draft: &Draft<'_>, container: &Container) -> Option<String> {
    let applied = draft.recorded.applied.iter();
    let applied = applied.flat_map(|(_, applied)| applied.units.keys());
    let names: BTreeSet<&String> = applied.chain(draft.observed.installed.keys()).collect();
    let engine = draft.observed.engine();
    let owns = |name: &&&String| {
        replacement::before(draft, name).is_some_and(|unit| unit.owns_in(engine, container))
    };
    names.iter().find(owns).map(|name| (*name).clone())
}
