//! Units that join a network and do not require the unit that makes it.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::systemd::docker::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "systemd-network-not-required",
    Severity::Warning,
    include_str!("systemd_network_not_required.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.docker(), Problem::NetworkNotRequired);
}
