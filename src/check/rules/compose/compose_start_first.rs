//! What two copies of a stack that updates start-first cannot both have.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_start_first, Error, run).fixed();

fn run(context: &Context, findings: &mut Findings) {
    findings.extend(context.refused(&RULE));
}
