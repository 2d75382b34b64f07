//! systemd units: what systemd would pass over or refuse, and what would not run as it is meant.

mod cycles;
mod docker;
mod exec;
mod files;
mod index;
mod keys;
mod lines;
mod order;
mod percent;
mod references;
mod service;
mod table;
mod values;
mod waiting;

use std::collections::BTreeSet;

use super::Subject;
use crate::model::{Finding, Rule};
use index::Units;

/// The rules of this family, by file.
pub const RULES: &[&[&Rule]] = &[
    lines::RULES,
    keys::RULES,
    values::RULES,
    exec::RULES,
    percent::RULES,
    service::RULES,
    waiting::RULES,
    docker::RULES,
    cycles::RULES,
    references::RULES,
    files::RULES,
];

/// All findings about units. What instances of one template share is told once.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let units = Units::new(subject.revision);
    let mut findings = lines::check(&units);
    findings.extend(keys::check(&units));
    for unit in &units.all {
        findings.extend(values::check(unit));
        findings.extend(exec::check(unit));
        findings.extend(percent::check(unit));
        findings.extend(service::check(unit, &units));
        findings.extend(waiting::check(unit));
    }
    let order = order::Order::new(&units);
    findings.extend(docker::check(&units, &order));
    findings.extend(cycles::check(&order));
    findings.extend(files::check(&units));
    if subject.is_whole() {
        findings.extend(references::check(&units));
    }
    let mut seen = BTreeSet::new();
    findings.retain(|finding| {
        let place = finding.place();
        let at = place.map(|place| (place.path.clone(), place.span.start, place.span.end));
        seen.insert((finding.rule.name, at))
    });
    findings
}

#[cfg(test)]
mod tests;
