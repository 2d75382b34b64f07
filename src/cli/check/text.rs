//! Findings for a person.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::output::{Output, clean};
use super::super::snippet;
use super::counted;
use crate::model::{Diagnostic, Finding};
use crate::source::Revision;

/// Those of a file together, then how many there are.
pub(super) fn show(output: &mut Output, findings: &[Finding], revision: &Revision) {
    for warning in &revision.warnings {
        output.aside(&format!("warning: {}", clean(warning)));
    }
    fn path(finding: &Finding) -> Option<&Path> {
        finding.place().map(Diagnostic::path)
    }
    let mut told = BTreeSet::new();
    for of_file in findings.chunk_by(|one, other| path(one) == path(other)) {
        // Why a rule matters is worth saying once.
        let with_why: Vec<(&Finding, bool)> = of_file
            .iter()
            .map(|finding| (finding, told.insert(finding.rule.name)))
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
    output.line(&format!("{found} found in {files}"));
    if let Some(finding) = findings.first() {
        let name = finding.rule.name;
        output.line(&format!(
            "more about a rule: watchme-apply check --explain {name}"
        ));
    }
}
