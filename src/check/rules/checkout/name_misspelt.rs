//! Names that nothing here has.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::names::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(name_misspelt, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.names(), Problem::Misspelt);
}
