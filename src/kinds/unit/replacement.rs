//! What cannot run side by side: then the old one stops first, and that is an interruption.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::model::{Stack, Unit, UnitState, list};
use crate::plan::draft::Draft;

/// A unit that takes the place of `old`, and why the two cannot run beside each other.
pub(crate) fn replaced_by(
    draft: &Draft<'_>,
    old_name: &str,
    old: &Unit,
) -> Option<(String, String)> {
    let mut units = draft.desired.units.iter();
    units.find_map(|(name, unit)| {
        let is_new = draft.recorded.unit(name).is_none();
        let same_port = || {
            let port = listened(draft, old_name, unit)?;
            Some(format!("the same port, {port}"))
        };
        let because = collision(old, unit)
            .or_else(same_port)
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
    let (ports, others) = (old.published(), new.published());
    let mut ports = ports.iter();
    let port = ports.find(|port| others.iter().any(|other| port.collides(other)))?;
    Some(format!("the same port, {}", port.port))
}

/// Whether all that is desired and the old unit do not fit the budget's memory together, by the
/// limits of their containers. A new unit without a limit may take anything, which says nothing.
fn too_large(draft: &Draft<'_>, old: &Unit, new: &Unit) -> Option<String> {
    let memory = |unit: &Unit| -> u64 { unit.stacks.iter().map(|stack| stack.memory).sum() };
    let budget = draft.desired.memory?;
    if memory(old) == 0 || memory(new) == 0 {
        return None;
    }
    let desired = draft.desired.units.values().filter(|unit| unit.start);
    let together: u64 = desired.map(memory).sum::<u64>() + memory(old);
    (together > budget).then(|| {
        let (together, budget) = (together >> 20, budget >> 20);
        format!("{together} MiB of memory together, and there are {budget}")
    })
}

/// The stacks that a plan starts or reloads and that ran before, with what they were.
pub(super) fn stacks_that_go_on<'a>(draft: &Draft<'a>) -> Vec<(&'a str, &'a Unit, Cow<'a, Unit>)> {
    let starting = draft.starting();
    let units = draft.desired.units.iter();
    let stacks = units.filter(|(name, unit)| unit.stack.is_some() && starting.contains(*name));
    stacks
        .filter_map(|(name, unit)| Some((name.as_str(), unit, before(draft, name)?)))
        .collect()
}

/// What a unit was before: as it was applied, or as its files on the host say where others put them. Compose files that
/// lie outside the checkout are known by the look at the host alone.
pub(crate) fn before<'a>(draft: &Draft<'a>, name: &str) -> Option<Cow<'a, Unit>> {
    let installed = draft.observed.installed.get(name);
    let Some(applied) = draft.recorded.unit(name) else {
        return installed.map(Cow::Borrowed);
    };
    let unread = |stack: &&Stack| stack.services.is_empty();
    let mut unit = Cow::Borrowed(applied);
    // Records of earlier versions have none.
    if let Some(installed) =
        installed.filter(|installed| applied.runs.is_empty() && !installed.runs.is_empty())
    {
        unit.to_mut().runs = installed.runs.clone();
    }
    for stack in applied.stacks.iter().filter(unread) {
        let same = |other: &&Stack| other.files == stack.files && other.project == stack.project;
        let read = installed.and_then(|installed| installed.stacks.iter().find(same));
        if let Some(read) = read {
            let mut known = unit.to_mut().stacks.iter_mut();
            let known = known.find(|known| *known == stack);
            known.into_iter().for_each(|known| *known = read.clone());
        }
    }
    Some(unit)
}

/// Why a changed unit cannot just restart but has to stop before anything starts: systemd stops a unit with what its
/// files say at that time, so that after the switch nobody stops what it ran before.
pub(crate) fn stops_first(draft: &Draft<'_>, name: &str, new: &Unit) -> Option<String> {
    let old = before(draft, name)?;
    let mut dropped = dropped(&old, new);
    // What a stack runs no more is taken down by the plan.
    if old.stack.is_some() && new.stack.is_some() {
        let goes_on = |stack: &Stack| new.project(&stack.project).is_some();
        if old.stacks.iter().all(goes_on) {
            dropped.clear();
        }
    }
    if !dropped.is_empty() {
        return Some(format!(
            "stop it first: the new unit no longer runs {}",
            dropped.join(", ")
        ));
    }
    let mut others = draft.desired.units.iter();
    others.find_map(|(other, unit)| {
        let given =
            (other != name).then(|| given_up(draft, (name, &old), new, (other, unit)))??;
        Some(format!("{other} takes {given}"))
    })
}

/// What `new` gives up of what `old` had, and `other` wants: neither order of two restarts works
/// where two units exchange something.
fn given_up(
    draft: &Draft<'_>,
    (name, old): (&str, &Unit),
    new: &Unit,
    (other_name, other): (&str, &Unit),
) -> Option<String> {
    let free = &old.container_names() - &new.container_names();
    if let Some(name) = free.intersection(&other.container_names()).next() {
        return Some(format!("its container name, {name}"));
    }
    let (wanted, kept) = (other.published(), new.published());
    let free = old.published().into_iter();
    let mut free = free.filter(|port| !kept.iter().any(|kept| kept.collides(port)));
    if let Some(port) = free.find(|port| wanted.iter().any(|wanted| wanted.collides(port))) {
        return Some(format!("its port, {}", port.port));
    }
    // A program of the unit itself that listens there, and a unit that does not run yet.
    let other_state = draft.observed.unit_state(other_name);
    let is_active = other_state.is_some_and(UnitState::is_active);
    let port = listened(draft, name, other).filter(|_| !is_active)?;
    Some(format!("its port, {port}"))
}

/// A port on which a program of a unit listens, and which `other` publishes.
fn listened(draft: &Draft<'_>, unit: &str, other: &Unit) -> Option<u16> {
    let wanted = other.published();
    let own = draft.observed.listeners.iter();
    let own = own.filter(|one| one.unit.as_deref() == Some(unit));
    let mut own = own.filter(|one| !draft.observed.is_of_engine(one));
    own.find(|one| wanted.iter().any(|wanted| wanted.collides(&one.taken())))
        .map(|one| one.port)
}

/// What `new` runs no more. Only a stop with the old files takes its containers away: `up` leaves them running, with
/// their names and ports.
fn dropped(old: &Unit, new: &Unit) -> Vec<String> {
    let mut dropped = Vec::new();
    for stack in &old.stacks {
        let same: Vec<&Stack> = (new.stacks.iter())
            .filter(|new| new.project == stack.project)
            .collect();
        let is_kept = |service: &&String| same.iter().any(|new| new.services.contains(*service));
        let is_known =
            !stack.services.is_empty() && same.iter().all(|new| !new.services.is_empty());
        if same.is_empty() {
            dropped.push(format!("the compose project {}", stack.project));
        } else if is_known {
            let services = stack.services.iter();
            dropped.extend(services.filter(|service| !is_kept(service)).cloned());
        } else if !same.iter().any(|new| new.files == stack.files) {
            let files = list(stack.files.iter().map(|file| file.display()));
            dropped.push(format!("what {files} says"));
        }
    }
    let names = |unit: &Unit| -> BTreeSet<String> {
        let runs = unit.runs.iter();
        runs.filter_map(|run| run.name.clone()).collect()
    };
    let gone = &names(old) - &names(new);
    dropped.extend(gone.into_iter().map(|name| format!("the container {name}")));
    dropped
}
