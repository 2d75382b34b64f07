//! Sites must not go on passing requests to what a plan takes away.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::unserved;
use crate::effect::Effect;
use crate::kinds::unit::replacement;
use crate::model::{Container, Listener, Unit};
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
    let wanted = unserved::wanted(address);
    let desired = &draft.desired.units;
    let publishes =
        |unit: &Unit| unit.start && unit.published().iter().any(|port| port.collides(&wanted));
    let is_unknown = |name: &String| desired.get(name).is_some_and(unserved::is_unknown);
    if desired.values().any(publishes) || changed.iter().any(is_unknown) {
        return None;
    }
    let leaves = |unit: &String| stopped.contains(unit) || changed.contains(unit);
    let mut last = None;
    let holds = |container: &&Container| {
        let mut ports = container.published.iter();
        ports.any(|port| port.collides(&wanted))
    };
    for container in draft.observed.containers().filter(holds) {
        let owner = owner(draft, container).filter(leaves)?;
        last = Some(match stopped.contains(&owner) {
            true => format!(
                "removes {owner}, whose container {} listens there",
                container.name
            ),
            false => format!("changes {owner}, which no longer publishes it"),
        });
    }
    let listens =
        |one: &&Listener| !draft.observed.is_of_engine(one) && one.taken().collides(&wanted);
    for listener in draft.observed.listeners.iter().filter(listens) {
        let unit = listener.unit.as_ref();
        let unit = unit.filter(|unit| stopped.contains(*unit))?;
        last = Some(format!("removes {unit}, which listens there"));
    }
    last
}

/// The unit that runs a container, as it was before.
fn owner(draft: &Draft<'_>, container: &Container) -> Option<String> {
    let applied = draft.recorded.desired().into_iter();
    let applied = applied.flat_map(|applied| applied.units.keys());
    let names: BTreeSet<&String> = applied.chain(draft.observed.installed.keys()).collect();
    let engine = draft.observed.engine();
    let owns = |name: &&String| {
        replacement::before(draft, name).is_some_and(|unit| unit.owns_in(engine, container))
    };
    names.into_iter().find(owns).cloned()
}
