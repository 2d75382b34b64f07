//! Comments that allow nothing.

use crate::check::engine::Rule;
use crate::model::{RuleId, Severity};

/// The rule. `check/allow.rs` finds it when all other findings are there.
pub(crate) static RULE: Rule = Rule::reported(
    RuleId {
        name: "allowance-unused",
        severity: Severity::Warning,
    },
    include_str!("allowance_unused.md"),
);
