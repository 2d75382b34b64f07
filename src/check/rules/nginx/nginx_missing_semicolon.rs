//! Directives that swallow the next line.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::directives::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-missing-semicolon",
    Severity::Error,
    include_str!("nginx_missing_semicolon.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.directives(), Problem::Semicolon);
}
