//! Expected routes that reach no upstream.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::routes::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(route_nowhere, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.routes(), Problem::Nowhere);
}
