//! Keys that systemd does not know.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::systemd::keys::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(systemd_unknown_key, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.keys(), Problem::UnknownKey);
}
