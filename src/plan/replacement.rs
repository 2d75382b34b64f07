//! What cannot run side by side: then the old one stops first, and that is an interruption.

use std::collections::BTreeSet;

use super::draft::Draft;
use crate::model::{Stack, Unit};

/// A unit that takes the place of `old`, and why the two cannot run beside each other.
pub(super) fn replaced_by(draft: &Draft<'_>, old: &Unit) -> Option<(String, String)> {
    let applied = draft.recorded.applied.as_ref().map(|(_, desired)| desired);
    let mut units = draft.desired.units.iter();
    units.find_map(|(name, unit)| {
        let is_new = applied.is_none_or(|applied| !applied.units.contains_key(name));
        let because = collision(old, unit)
            .or_else(|| renamed(old, unit).filter(|_| is_new))
            .or_else(|| too_large(draft, old, unit).filter(|_| is_new))?;
        Some((name.clone(), because))
    })
}

/// A renamed file: whatever it listens on or locks, both want it.
fn renamed(old: &Unit, new: &Unit) -> Option<String> {
    let (old, new) = (old.file.as_ref()?, new.file.as_ref()?);
    (old.hash == new.hash).then(|| "the same file under another name".to_owned())
}

/// What both want and only one can have.
fn collision(old: &Unit, new: &Unit) -> Option<String> {
    let mut pairs = (old.stacks.iter()).flat_map(|a| new.stacks.iter().map(move |b| (a, b)));
    if let Some((stack, _)) = pairs.find(|(a, b)| a.shares_services(b)) {
        return Some(format!("the same compose project, {}", stack.project));
    }
    let (names, others) = (old.container_names(), new.container_names());
    if let Some(name) = names.intersection(&others).next() {
        return Some(format!("the same container name, {name}"));
    }
    let ports = old.published();
    let others = new.published();
    let port = ports
        .iter()
        .find(|port| others.iter().any(|other| port.collides(other)))?;
    Some(format!("the same port, {}", port.port))
}

/// Whether all that is desired and the old unit do not fit the budget's memory together, by the
/// limits of their containers. A new unit without a limit may take anything, which says nothing.
fn too_large(draft: &Draft<'_>, old: &Unit, new: &Unit) -> Option<String> {
    let memory = |unit: &Unit| -> u64 { unit.stacks.iter().map(|stack| stack.memory).sum() };
    let budget = draft.desired.budget.memory?;
    if memory(old) == 0 || memory(new) == 0 {
        return None;
    }
    let desired = draft.desired.units.values().filter(|unit| unit.start);
    let together: u64 = desired.map(memory).sum::<u64>() + memory(old);
    (together > budget).then(|| {
        let mebibytes = |bytes: u64| bytes >> 20;
        format!(
            "{} MiB of memory together, and there are {}",
            mebibytes(together),
            mebibytes(budget)
        )
    })
}

/// Why a changed unit cannot just restart but has to stop before anything starts.
pub(super) fn stops_first(draft: &Draft<'_>, name: &str, new: &Unit) -> Option<String> {
    let applied = draft.recorded.applied.as_ref();
    let old = applied.and_then(|(_, applied)| applied.units.get(name))?;
    let dropped = dropped_services(old, new);
    if !dropped.is_empty() {
        let dropped: Vec<_> = dropped.into_iter().collect();
        return Some(format!(
            "only its old files can stop {}, which it runs no more",
            dropped.join(", ")
        ));
    }
    let mut others = draft.desired.units.iter();
    others.find_map(|(other, unit)| {
        let given = (other != name).then(|| given_up(old, new, unit))??;
        Some(format!("{other} takes {given}"))
    })
}

/// What `new` gives up of what `old` had, and `other` wants: neither order of two restarts works
/// where two units exchange something.
fn given_up(old: &Unit, new: &Unit, other: &Unit) -> Option<String> {
    let containers = |unit: &Unit| -> BTreeSet<String> {
        let of_stack = |stack: &Stack| stack.containers.clone();
        unit.stacks.iter().flat_map(of_stack).collect()
    };
    let ports = |unit: &Unit| -> BTreeSet<u16> {
        let of_stack = |stack: &Stack| stack.ports.clone();
        unit.stacks.iter().flat_map(of_stack).collect()
    };
    let free = &containers(old) - &containers(new);
    if let Some(name) = free.intersection(&containers(other)).next() {
        return Some(format!("its container name, {name}"));
    }
    let free = &ports(old) - &ports(new);
    let port = free.intersection(&ports(other)).next().copied()?;
    Some(format!("its port, {port}"))
}

/// Services that `new` runs no more. Only a stop with the old files takes their containers away:
/// `up` leaves them running, with their ports.
fn dropped_services(old: &Unit, new: &Unit) -> BTreeSet<String> {
    let services = |unit: &Unit| -> BTreeSet<(String, String)> {
        let of_stack = |stack: &Stack| -> Vec<(String, String)> {
            let services = stack.services.iter();
            services
                .map(|service| (stack.project.clone(), service.clone()))
                .collect()
        };
        unit.stacks.iter().flat_map(of_stack).collect()
    };
    services(old)
        .difference(&services(new))
        .map(|(_, service)| service.clone())
        .collect()
}
