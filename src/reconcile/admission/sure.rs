//! What `check` is sure of and a plan brings in, and what it finds about what stays as it is.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::check::{self, Subject};
use crate::effect::{Becomes, Effect};
use crate::model::{Finding, Kind, Stack};
use crate::reconcile::Planned;
use crate::source::{Checkout, Which};

/// Rules of `check` whose errors an engine refuses, or that break something for certain. What nginx and systemd say
/// themselves of a candidate is not among them, and nothing that is a matter of style.
const SURE: &[&str] = &[
    "compose-address-outside-subnet",
    "compose-address-twice",
    "compose-container-name-twice",
    "compose-dependency-cycle",
    "compose-invalid-value",
    "compose-network-undeclared",
    "compose-no-image",
    "compose-secret-undeclared",
    "compose-service-unknown",
    "compose-unknown-key",
    "compose-volume-undeclared",
    "compose-wrong-type",
    "port-published-twice",
    "port-taken",
];

/// Adds the errors that `check` is sure of to a plan that changes something: those that it brings in stop it, the
/// others are distinguished. One is brought in if the applied commit has none of the same rule and message; where that
/// commit is not there, if it is in a file that the plan changes or that a unit is started with.
pub(in crate::reconcile) fn report(planned: &mut Planned) {
    if planned.plan.is_empty() {
        return;
    }
    let Some(revision) = &planned.revision else {
        return;
    };
    let found = errors(&Subject {
        revision,
        wrong: &[],
    });
    if found.is_empty() {
        return;
    }
    let before = before(planned);
    let changed = changed(planned, &[]);
    for finding in found {
        let is_new = match &before {
            Some(before) => !before.iter().any(|known| is_same(known, &finding)),
            None => concerns(&finding, &changed),
        };
        match is_new {
            true => planned.findings.push(finding),
            false => planned.other_findings.push(finding),
        }
    }
}

fn errors(subject: &Subject) -> Vec<Finding> {
    let mut found = check::check(subject);
    found.retain(|finding| finding.is_error() && SURE.contains(&finding.rule.name));
    found
}

fn is_same(one: &Finding, other: &Finding) -> bool {
    one.rule == other.rule && one.message() == other.message()
}

/// What was wrong with the applied commit already.
fn before(planned: &Planned) -> Option<Vec<Finding>> {
    let (record, _) = planned.recorded.applied.as_ref()?;
    let commit = record.origin.commit.clone()?;
    if record.origin.worktree || planned.takes_over() {
        return None;
    }
    let trusted: Vec<u32> = planned.origin.owner.into_iter().collect();
    let checkout = Checkout::open(&planned.origin.folder, &trusted).ok()?;
    let host = planned
        .revision
        .as_ref()
        .and_then(|revision| revision.parsed.host.clone());
    let checkout = checkout.for_host(host);
    let (mut revision, wrong) = checkout.survey(&Which::Rev(commit)).ok()?;
    if let Some(planned) = &planned.revision {
        revision.host = planned.host;
    }
    Some(errors(&Subject {
        revision: &revision,
        wrong: &wrong,
    }))
}

/// The files that a plan changes or that a unit is started with, by their path in the checkout; those that lie
/// elsewhere by their own.
pub(in crate::reconcile) fn changed(
    planned: &Planned,
    external: &[(String, Stack)],
) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut units = BTreeSet::new();
    for change in &planned.plan.changes {
        if let Effect::Start(step) | Effect::Restart(step) | Effect::ReloadUnit(step) =
            &change.effect
        {
            units.insert(step.unit.as_str());
        }
        let written = change
            .effect
            .files()
            .into_iter()
            .find_map(|file| match file.becomes {
                Becomes::File { file, .. } => Some(file),
                _ => None,
            });
        if let Some(file) = written.filter(|_| change.diff.is_some()) {
            files.insert(file.source.clone());
            if change.id.kind == Kind::Unit {
                units.insert(change.id.name.as_str());
            }
        }
    }
    for (name, unit) in &planned.desired.units {
        if units.contains(name.as_str()) {
            let named = unit
                .names
                .iter()
                .filter_map(|path| planned.desired.files.get(path));
            let own = unit.file.iter().chain(unit.dropins.values()).chain(named);
            files.extend(own.map(|file| file.source.clone()));
        }
    }
    let outside = external
        .iter()
        .filter(|(unit, _)| units.contains(unit.as_str()));
    files.extend(outside.flat_map(|(_, stack)| stack.files.iter().cloned()));
    files
}

/// Whether a finding is about one of these files, or about none at all.
pub(in crate::reconcile) fn concerns(finding: &Finding, files: &BTreeSet<PathBuf>) -> bool {
    finding
        .place()
        .is_none_or(|place| files.contains(place.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sure_rules_are_errors_that_there_are() {
        let rules = check::rules();
        for name in SURE {
            let rule = rules.iter().find(|rule| rule.name == *name);
            assert!(
                rule.is_some_and(|rule| rule.severity == crate::model::Severity::Error),
                "{name}"
            );
        }
    }
}
