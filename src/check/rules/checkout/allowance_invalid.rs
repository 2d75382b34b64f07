//! Comments that allow no rule, or say no reason.

use crate::check::engine::Rule;
use crate::model::{RuleId, Severity};

/// The rule. `check/allow.rs` finds it when all other findings are there.
pub(crate) static RULE: Rule = Rule::reported(
    RuleId {
        name: "allowance-invalid",
        severity: Severity::Error,
    },
    include_str!("allowance_invalid.md"),
)
.fixed();
