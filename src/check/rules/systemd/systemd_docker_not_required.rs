//! Units that run containers and do not require Docker.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::systemd::docker::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "systemd-docker-not-required",
    Severity::Warning,
    include_str!("systemd_docker_not_required.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.docker(), Problem::DockerNotRequired);
}
