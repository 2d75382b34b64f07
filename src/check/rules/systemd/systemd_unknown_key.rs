//! Keys that systemd does not know.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::systemd::keys::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "systemd-unknown-key",
    Severity::Warning,
    include_str!("systemd_unknown_key.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.keys(), Problem::UnknownKey);
}
