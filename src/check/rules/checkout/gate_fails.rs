//! Gates that nginx itself answers otherwise.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::names::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(gate_fails, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.names(), Problem::GateFails);
}
