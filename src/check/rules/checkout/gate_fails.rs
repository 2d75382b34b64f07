//! Gates that nginx itself answers otherwise.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::names::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "gate-fails",
    Severity::Error,
    include_str!("gate_fails.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.names(), Problem::GateFails);
}
