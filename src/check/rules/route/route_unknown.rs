//! Expected routes of which the files do not tell where they come out.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::routes::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "route-unknown",
    Severity::Warning,
    include_str!("route_unknown.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.routes(), Problem::Unknown);
}
