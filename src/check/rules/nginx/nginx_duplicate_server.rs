//! Servers whose names others have on the same socket.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::servers::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-duplicate-server",
    Severity::Error,
    include_str!("nginx_duplicate_server.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.servers(), Problem::DuplicateServer);
}
