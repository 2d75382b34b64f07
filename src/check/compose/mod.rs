//! Compose projects: those that units run, the infrastructure file, and files that no unit names yet.
//! What is judged is what compose makes of several files; what is shown is where it is written.

mod addresses;
mod limits;
mod members;
mod mounts;
mod names;
mod networks;
mod ports;
mod running;
mod secrets;
mod shapes;
mod values;
mod variables;
pub(super) mod view;

use std::collections::BTreeSet;

use super::Subject;
use crate::model::{Finding, Rule};
use view::View;

/// The rules of this family.
pub const RULES: &[&[&Rule]] = &[
    addresses::RULES,
    limits::RULES,
    members::RULES,
    mounts::RULES,
    names::RULES,
    networks::RULES,
    ports::RULES,
    running::RULES,
    secrets::RULES,
    shapes::RULES,
    values::RULES,
    variables::RULES,
];

/// Findings about compose projects.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let view = View::new(subject);
    let mut findings = Vec::new();
    for family in [
        networks::check,
        members::check,
        addresses::check,
        ports::check,
        limits::check,
        names::check,
        mounts::check,
        running::check,
        secrets::check,
        shapes::check,
        values::check,
        variables::check,
    ] {
        findings.extend(family(&view));
    }
    // Two projects may be made of the same file, and a place in it is told once.
    let mut seen = BTreeSet::new();
    findings.retain(|finding| {
        let place = finding.place();
        let at = place.map(|place| (place.path.clone(), place.span.start));
        seen.insert((finding.rule.name, at, finding.message().to_owned()))
    });
    findings
}

#[cfg(test)]
mod tests;
