//! Files that a unit is started with and that are not in git.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{OnHost, is_adopted, is_newer};
use crate::model::{Entry, Hash, LoadedUnit, Observed, Unit};
use crate::plan::Inputs;

/// A file outside the checkout that changed since a unit started with it. What this program itself puts below /etc has
/// its own action.
pub(super) fn changed_outside<'u>(inputs: &Inputs<'_>, of: OnHost<'u>) -> Option<&'u PathBuf> {
    let record = of_this_run(inputs, of);
    let mut paths = of.unit.outside.iter().filter(|path| {
        let below = path.strip_prefix("/etc").ok();
        !below.is_some_and(|below| inputs.desired.etc.contains_key(below))
    });
    paths.find(|path| {
        let Some(content) = inputs.observed.content(path) else {
            return false;
        };
        match record.and_then(|record| record.outside.get(*path)) {
            Some(known) => Hash::of(content) != *known,
            // Nobody has looked before: what is older than the start is what it was started with.
            None => !is_adopted(inputs, of.name) && is_newer(inputs, path, of.state),
        }
    })
}

/// What is on record of the run in which a unit is.
fn of_this_run<'a>(inputs: &Inputs<'a>, of: OnHost<'_>) -> Option<&'a LoadedUnit> {
    let record = inputs.recorded.loaded.units.get(of.name);
    record.filter(|record| record.invocation == of.state.invocation)
}

/// Whether a unit may run with other files outside git than those that are there now.
pub(crate) fn may_differ_outside_git(inputs: &Inputs<'_>, of: OnHost<'_>) -> bool {
    let is_new = |path: &PathBuf| of.state.started.is_none() || is_newer(inputs, path, of.state);
    of.unit.watched.iter().any(is_new) || changed_outside(inputs, of).is_some()
}

/// A file outside the checkout that a running unit was started with and that is gone. A restart would not bring it back,
/// and fails where the unit cannot do without it.
pub(crate) fn gone(inputs: &Inputs<'_>, of: OnHost<'_>) -> Option<String> {
    let (unit, record) = (of.unit, of_this_run(inputs, of));
    let is_gone = |path: &&PathBuf| {
        let entry = inputs.observed.files.get(*path);
        matches!(
            entry,
            Some(Entry::Missing | Entry::Link { leads_to: None, .. })
        )
    };
    let is_required = |path: &Path| {
        let files = unit.environment_files.iter().map(Path::new);
        let stacks = unit.stacks.iter().flat_map(|stack| &stack.files);
        files
            .chain(stacks.map(PathBuf::as_path))
            .any(|file| file == path)
    };
    let was_there = |path: &&PathBuf| {
        let known = record.is_some_and(|record| record.outside.contains_key(*path));
        known || is_required(path)
    };
    let path = unit.outside.iter().filter(is_gone).find(was_there)?;
    let then = match is_required(path) {
        true => "its next start fails",
        false => "it is missing at its next start",
    };
    Some(format!(
        "it names {}, which is gone: {then}",
        path.display()
    ))
}

/// Hashes of the files outside the checkout that a unit names and that are there.
pub(crate) fn outside_hashes(observed: &Observed, unit: &Unit) -> BTreeMap<PathBuf, Hash> {
    let there = unit.outside.iter().filter_map(|path| {
        let content = observed.content(path)?;
        Some((path.clone(), Hash::of(content)))
    });
    there.collect()
}
