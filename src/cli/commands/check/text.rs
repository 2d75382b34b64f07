//! Findings as text.

use std::collections::BTreeSet;
use std::path::Path;

use super::checked::Checked;
use crate::check::Grouped;
use crate::cli::output::{Output, clean};
use crate::cli::snippet;
use crate::model::Diagnostic;

/// Those of a file together, then how many there are.
pub(super) fn show(output: &mut Output, findings: &[Grouped], checked: &Checked) {
    for warning in &checked.warnings {
        output.aside(&format!("warning: {}", clean(warning)));
    }
    fn path(found: &Grouped) -> Option<&Path> {
        found.finding.place().map(Diagnostic::path)
    }
    let mut explained = BTreeSet::new();
    for of_file in findings.chunk_by(|one, other| path(one) == path(other)) {
        // A rule is explained once.
        let of_file = of_file.iter();
        let with_why = of_file.map(|found| (found, explained.insert(found.finding.rule.name)));
        let with_why: Vec<(&Grouped, bool)> = with_why.collect();
        output.line(&snippet::report(&with_why, output.width()));
        output.line("");
    }
    let found = counted(findings);
    let files = match checked.files {
        // What is wrong kept them from being read.
        0 if !findings.is_empty() => String::new(),
        1 => " in 1 file".to_owned(),
        many => format!(" in {many} files"),
    };
    let off = match checked.off {
        0 => String::new(),
        1 => "; [check] in watchme.toml switches 1 more off".to_owned(),
        many => format!("; [check] in watchme.toml switches {many} more off"),
    };
    output.line(&format!("{found} found{files}{off}"));
    if let Some(first) = findings.first() {
        let name = first.finding.rule.name;
        output.line(&format!(
            "more about a rule: watchme-apply check --explain {name}"
        ));
    }
}

/// `one error and 2 warnings`, or `nothing`.
fn counted(findings: &[Grouped]) -> String {
    let errors = findings.iter().filter(|found| found.finding.is_error());
    let errors = errors.count();
    let words = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        many => Some(format!("{many} {word}s")),
    };
    let parts = [
        words(errors, "error"),
        words(findings.len() - errors, "warning"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(" and "),
    }
}
