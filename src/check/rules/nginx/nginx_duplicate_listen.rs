//! Servers that listen on a socket twice.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::servers::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-duplicate-listen",
    Severity::Error,
    include_str!("nginx_duplicate_listen.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.servers(), Problem::DuplicateListen);
}
