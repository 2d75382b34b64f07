//! Expected routes that reach no upstream.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::routes::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "route-nowhere",
    Severity::Error,
    include_str!("route_nowhere.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.routes(), Problem::Nowhere);
}
