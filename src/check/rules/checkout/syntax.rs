//! What cannot be read at all: an apply refuses it too.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::model::Severity;

/// The rule.
pub static RULE: Rule =
    Rule::new("syntax", Severity::Error, include_str!("syntax.md"), run).fixed();

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    let wrong = context.subject.wrong.iter().cloned();
    findings.extend(wrong.map(|place| RULE.at(place)));
}
