//! Units that join a network and may start before it is there.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::systemd::docker::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(systemd_not_after_network, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.docker(), Problem::NotAfterNetwork);
}
