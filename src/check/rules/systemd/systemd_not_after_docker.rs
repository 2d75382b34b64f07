//! Units that run containers and may start before Docker.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::systemd::docker::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "systemd-not-after-docker",
    Severity::Warning,
    include_str!("systemd_not_after_docker.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.docker(), Problem::NotAfterDocker);
}
