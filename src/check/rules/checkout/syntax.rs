//! What cannot be read at all: an apply refuses it too.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::includes::broken;
use crate::model::Severity;

/// The rule.
pub(crate) static RULE: Rule =
    Rule::new("syntax", Severity::Error, include_str!("syntax.md"), run).fixed();

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    let wrong = context.subject.wrong.iter().cloned();
    findings.extend(wrong.map(|place| RULE.at(place)));
    findings.extend(broken(context.nginx()).map(|(place, is_loaded)| {
        let finding = RULE.at(place.clone());
        match is_loaded {
            true => finding,
            false => finding.weighing(Severity::Warning),
        }
    }));
}
