//! Keys that compose does not know.

use crate::check::compose::shapes::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "compose-unknown-key",
    Severity::Error,
    include_str!("compose_unknown_key.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.shapes(), Problem::UnknownKey);
}
