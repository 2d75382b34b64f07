//! Port 443 without TLS.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::servers::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-443-without-ssl",
    Severity::Error,
    include_str!("nginx_443_without_ssl.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.servers(), Problem::Plain443);
}
