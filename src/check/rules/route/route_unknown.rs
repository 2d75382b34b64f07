//! Expected routes of which the files do not tell where they come out.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::routes::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(route_unknown, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.routes(), Problem::Unknown);
}
