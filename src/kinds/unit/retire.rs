//! Units that left the desired state: they stop, then their links and files go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{replacement, take_down};
use crate::effect::{Effect, UnitStep};
use crate::model::{Kind, ResourceId, Unit, layout};
use crate::plan::draft::{Draft, Stage, change};
use crate::plan::{files, prune};

/// Plans the end of each, with those of the unwanted paths that are its own.
pub(super) fn plan(draft: &mut Draft<'_>, unwanted: &mut BTreeMap<PathBuf, ResourceId>) {
    for name in last_first(draft, &departing_units(draft, unwanted)) {
        retire_unit(draft, &name, unwanted);
    }
}

/// The units in the order in which systemd would stop them together: first those that start `After=` others, systemd.unit(5).
fn last_first(draft: &Draft<'_>, units: &BTreeSet<String>) -> Vec<String> {
    let mut later: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for name in units {
        for earlier in replacement::before(draft, name)
            .iter()
            .flat_map(|unit| after(unit))
        {
            later.entry(earlier).or_default().push(name);
        }
    }
    let (mut seen, mut ordered) = (BTreeSet::new(), Vec::new());
    // A unit is taken when all that start after it were: so it is looked at twice.
    let mut open: Vec<(&String, bool)> = units.iter().rev().map(|name| (name, false)).collect();
    while let Some((name, is_last)) = open.pop() {
        if is_last {
            ordered.push(name.clone());
        } else if seen.insert(name) {
            open.push((name, true));
            let later = later.get(name).into_iter().flatten().rev();
            open.extend(later.map(|name| (*name, false)));
        }
    }
    ordered
}

/// What a unit's files say that it starts after.
fn after(unit: &Unit) -> Vec<String> {
    let files = unit.file.iter().chain(unit.dropins.values());
    let texts = files.filter_map(|file| std::str::from_utf8(&file.content).ok());
    let sections = texts.flat_map(|text| systemd_unit::parse(text).sections);
    let own = sections.filter(|section| section.name == "Unit");
    let entries = own.flat_map(|section| section.entries);
    let after = entries.filter(|entry| entry.key == "After");
    after
        .flat_map(|entry| {
            let names = entry.value.split_whitespace();
            names.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Units of ours that are no longer desired.
fn departing_units(
    draft: &Draft<'_>,
    unwanted: &BTreeMap<PathBuf, ResourceId>,
) -> BTreeSet<String> {
    let linked = unwanted.iter().filter(|(path, id)| {
        id.kind == Kind::Unit && path.parent() == Some(Path::new(layout::SYSTEMD))
    });
    let linked = linked.map(|(_, id)| &id.name);
    // A unit of this program whose file the package has is still enabled.
    let is_enabled = |name: &str| {
        let id = ResourceId::new(Kind::Unit, name);
        draft.wanted.values().any(|wanted| *wanted == id)
    };
    let is_ours = |name: &str| draft.desired.units.get(name).is_some_and(Unit::is_ours);
    let known = draft.recorded.inventory.units.iter().chain(linked);
    known
        .filter(|name| !is_ours(name) && !is_enabled(name))
        .cloned()
        .collect()
}

/// Stop, then disable, then remove: a unit whose file is gone cannot be stopped in order.
fn retire_unit(draft: &mut Draft<'_>, name: &str, unwanted: &mut BTreeMap<PathBuf, ResourceId>) {
    let id = ResourceId::new(Kind::Unit, name);
    let observed = draft.observed;
    let state = observed.unit_state(name);
    let old = replacement::before(draft, name).unwrap_or_default();
    let runs =
        state.is_some_and(|state| !matches!(state.active.as_str(), "inactive" | "failed" | ""));
    // Containers that live by their restart policies run though their unit is inactive.
    let replaced = replacement::replaced_by(draft, name, &old).filter(|_| runs || old.alone);
    if runs || replaced.is_some() {
        let mut step = UnitStep::of(name, &old);
        step.timeout = step.timeout.max(STOP_TIMEOUT);
        let mut planned = change(id.clone(), Effect::Stop(step), prune::left(draft, &id));
        let dependents = state.map(|state| state.dependents.clone());
        planned.interrupts = dependents.unwrap_or_default();
        let stage = match replaced {
            Some((new, because)) => {
                planned.why = format!("{new} replaces it and cannot run beside it ({because})");
                Stage::MakeRoom
            }
            None => Stage::Retire,
        };
        draft.change(stage, planned);
    }
    take_down::retire(draft, name, &old);
    let links = super::plan::enabling_links(draft, name).into_iter();
    let own = unwanted.iter().filter(|(_, owner)| **owner == id);
    let own = own.map(|(path, _)| path.clone());
    for path in links.chain(own).collect::<BTreeSet<PathBuf>>() {
        unwanted.remove(&path);
        let why = prune::why(draft, &id, &path);
        files::remove(draft, Stage::Retire, &id, &path, &why);
    }
}

/// Bound of stopping an old unit.
const STOP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(120);
