//! Fixed addresses that Docker may give to another container.

use crate::check::compose::addresses::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_address_in_dynamic_range, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.addresses(), Problem::Dynamic);
}
