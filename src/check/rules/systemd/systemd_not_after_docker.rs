//! Units that run containers and may start before Docker.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::systemd::docker::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(systemd_not_after_docker, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.docker(), Problem::NotAfterDocker);
}
