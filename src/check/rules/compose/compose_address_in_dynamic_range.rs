//! Fixed addresses that Docker may give to another container.

use crate::check::compose::addresses::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "compose-address-in-dynamic-range",
    Severity::Warning,
    include_str!("compose_address_in_dynamic_range.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.addresses(), Problem::Dynamic);
}
