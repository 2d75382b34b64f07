//! Fixed addresses outside the subnet of their network.

use crate::check::compose::addresses::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "compose-address-outside-subnet",
    Severity::Error,
    include_str!("compose_address_outside_subnet.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.addresses(), Problem::Outside);
}
