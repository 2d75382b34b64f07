//! Names that nothing here has.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::names::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "name-misspelt",
    Severity::Error,
    include_str!("name_misspelt.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.names(), Problem::Misspelt);
}
