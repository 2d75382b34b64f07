//! Keys that compose does not know.

use crate::check::compose::shapes::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_unknown_key, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.shapes(), Problem::UnknownKey);
}
