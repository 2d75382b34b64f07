//! Directives that nginx does not know.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::directives::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-unknown-directive",
    Severity::Error,
    include_str!("nginx_unknown_directive.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.directives(), Problem::Unknown);
}
