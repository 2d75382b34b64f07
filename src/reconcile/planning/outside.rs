//! Compose files that lie outside the checkout: they are read where units name them, and never part of what is desired.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::host::Host;
use crate::model::{Desired, Recorded, Unit};
use crate::reconcile::Planned;
use crate::source::{Revision, installed};

/// Compose files outside the checkout name environment files, which only a look into them tells.
pub(in crate::reconcile) fn watch(host: &Host, revision: &mut Revision, recorded: &Recorded) {
    let mut units = revision.desired.units.values();
    let any = units.any(|unit| {
        let mut files = unit.stacks.iter().flat_map(|stack| &stack.files);
        files.any(|file| unit.outside.contains(file))
    });
    if !any || !host.is_live() {
        return;
    }
    let known = named_before(host, &revision.desired, recorded);
    let found = revision.external(host.root().directory(), &known);
    let found = found.env_files();
    for (name, path) in found {
        if let Some(unit) = revision.desired.units.get_mut(&name)
            && !unit.watched.contains(&path)
            && !unit.names.contains(&path)
        {
            unit.outside.insert(path);
        }
    }
}

/// The compose files that units name by what was applied, or by their files on the host: whoever put those there is root.
pub(in crate::reconcile) fn named_before(
    host: &Host,
    desired: &Desired,
    recorded: &Recorded,
) -> BTreeSet<PathBuf> {
    let names = desired.units.keys().cloned().collect();
    let installed = installed(host.root().directory(), &names);
    let applied = recorded.applied.iter();
    let applied = applied.flat_map(|(_, applied)| applied.units.values());
    let stacks = applied
        .chain(installed.values())
        .flat_map(|unit| &unit.stacks);
    stacks.flat_map(|stack| stack.files.clone()).collect()
}

/// Reads the compose files outside the checkout that installed units run: which services should have containers.
pub(in crate::reconcile) fn observe(host: &Host, planned: &mut Planned) {
    if !host.is_live() || planned.observed.docker.is_none() {
        return;
    }
    let is_outside = |unit: &Unit| unit.stacks.iter().any(|stack| stack.services.is_empty());
    let units = planned.desired.units.iter();
    let names = units.filter(|(_, unit)| is_outside(unit));
    let names: BTreeSet<String> = names.map(|(name, _)| name.clone()).collect();
    if names.is_empty() {
        return;
    }
    let found = installed(host.root().directory(), &names).into_iter();
    planned.observed.outside = found.map(|(name, unit)| (name, unit.stacks)).collect();
}
