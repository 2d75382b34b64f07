//! Sections that a type of unit does not have.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::systemd::keys::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(systemd_unknown_section, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.keys(), Problem::UnknownSection);
}
