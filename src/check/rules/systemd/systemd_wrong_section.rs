//! Keys that belong in another section.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::systemd::keys::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "systemd-wrong-section",
    Severity::Error,
    include_str!("systemd_wrong_section.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.keys(), Problem::WrongSection);
}
