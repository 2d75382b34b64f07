//! Two stacks, or a stack and a unit, that are one compose project.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_project_twice, Error, run).fixed();

fn run(context: &Context, findings: &mut Findings) {
    findings.extend(context.refused(&RULE));
}
