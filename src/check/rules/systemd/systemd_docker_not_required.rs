//! Units that run containers and do not require Docker.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::systemd::docker::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(systemd_docker_not_required, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.docker(), Problem::DockerNotRequired);
}
