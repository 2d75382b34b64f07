//! Keys that belong in another section.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::systemd::keys::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(systemd_wrong_section, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.keys(), Problem::WrongSection);
}
