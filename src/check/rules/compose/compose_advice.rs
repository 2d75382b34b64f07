//! Advice about compose files that no unit runs, as one finding.

use crate::check::engine::Rule;
use crate::model::{RuleId, Severity};

/// The rule. `check/advice.rs` makes it of the findings of other rules.
pub(crate) static RULE: Rule = Rule::reported(
    RuleId {
        name: "compose-advice",
        severity: Severity::Warning,
    },
    include_str!("compose_advice.md"),
);
