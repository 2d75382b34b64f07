//! Values of a type that their key does not take.

use crate::check::compose::shapes::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "compose-wrong-type",
    Severity::Error,
    include_str!("compose_wrong_type.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.shapes(), Problem::WrongType);
}
