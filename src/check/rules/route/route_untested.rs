//! Locations that no expected route tests.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::routes::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "route-untested",
    Severity::Warning,
    include_str!("route_untested.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.routes(), Problem::Untested);
}
