//! Volumes that no file of the project declares.

use crate::check::compose::mounts::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "compose-volume-undeclared",
    Severity::Error,
    include_str!("compose_volume_undeclared.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.mounts(), Problem::Undeclared);
}
