//! Stacks of which compose starts nothing.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_nothing_starts, Error, run).fixed();

fn run(context: &Context, findings: &mut Findings) {
    findings.extend(context.refused(&RULE));
}
