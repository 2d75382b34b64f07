//! Units that join a network and may start before it is there.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::systemd::docker::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "systemd-not-after-network",
    Severity::Warning,
    include_str!("systemd_not_after_network.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.docker(), Problem::NotAfterNetwork);
}
