//! Units that join a network and do not require the unit that makes it.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::systemd::docker::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(systemd_network_not_required, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.docker(), Problem::NetworkNotRequired);
}
