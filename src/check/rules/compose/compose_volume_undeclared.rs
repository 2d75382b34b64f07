//! Volumes that no file of the project declares.

use crate::check::compose::mounts::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_volume_undeclared, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.mounts(), Problem::Undeclared);
}
