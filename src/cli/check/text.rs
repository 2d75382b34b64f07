//! Findings for a person.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::output::{Output, clean};
use super::super::snippet;
use super::counted;
use crate::check::Grouped;
use crate::model::Diagnostic;
use crate::source::Revision;

/// Those of a file together, then how many there are.
pub(super) fn show(output: &mut Output, findings: &[Grouped], off: usize, revision: &Revision) {
    for warning in &revision.warnings {
        output.aside(&format!("warning: {}", clean(warning)));
    }
    fn path(found: &Grouped) -> Option<&Path> {
        found.finding.place().map(Diagnostic::path)
    }
    let mut told = BTreeSet::new();
    for of_file in findings.chunk_by(|one, other| path(one) == path(other)) {
        // Why a rule matters is worth saying once.
        let with_why: Vec<(&Grouped, bool)> = of_file
            .iter()
            .map(|found| (found, told.insert(found.finding.rule.name)))
            .collect();
        output.line(&snippet::report(&with_why, output.width()));
        output.line("");
    }
    let files = revision.inputs.len();
    let found = counted(findings);
    let files = match files {
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    let off = match off {
        0 => String::new(),
        1 => "; [check] in watchme.toml switches 1 more off".to_owned(),
        many => format!("; [check] in watchme.toml switches {many} more off"),
    };
    output.line(&format!("{found} found in {files}{off}"));
    if let Some(first) = findings.first() {
        let name = first.finding.rule.name;
        output.line(&format!(
            "more about a rule: watchme-apply check --explain {name}"
        ));
    }
}
