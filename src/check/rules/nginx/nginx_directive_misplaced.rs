//! Directives where nginx does not take them.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::directives::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-directive-misplaced",
    Severity::Error,
    include_str!("nginx_directive_misplaced.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.directives(), Problem::Misplaced);
}
