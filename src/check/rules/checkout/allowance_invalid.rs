//! Comments that allow no rule, or say no reason.

use crate::check::rules::prelude::*;

/// The rule. `check/allow.rs` finds it when all other findings are there.
pub(crate) static RULE: Rule = rule!(allowance_invalid, Error).fixed();
