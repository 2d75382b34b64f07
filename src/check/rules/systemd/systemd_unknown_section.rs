//! Sections that a type of unit does not have.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::systemd::keys::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "systemd-unknown-section",
    Severity::Error,
    include_str!("systemd_unknown_section.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.keys(), Problem::UnknownSection);
}
