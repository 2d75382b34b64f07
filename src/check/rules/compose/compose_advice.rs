//! Advice about compose files that no unit runs, as one finding.

use crate::check::rules::compose::prelude::*;

/// The rule. `check/advice.rs` makes it of the findings of other rules.
pub(crate) static RULE: Rule = rule!(compose_advice, Warning);
