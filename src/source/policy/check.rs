//! `[check]`: how the findings of a rule or a family count.

use serde::Deserialize;

use super::spanned::Spanned;
use super::values::{Pattern, Reason};
use crate::model::Severity;

/// `[check]`: a rule or a family.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckPolicy {
    /// How its findings count: `error` makes `check` exit with 2, and lets `host-*` rules stop an apply.
    #[cfg_attr(test, schemars(example = &"off"))]
    pub level: Level,
    /// Why; `check --explain RULE` prints it.
    #[cfg_attr(test, schemars(example = &"the old services have none"))]
    pub reason: Reason,
    /// The files to which it applies.
    ///
    /// Default: the whole checkout
    #[serde(default)]
    #[cfg_attr(test, schemars(example = ["compose/legacy/**"]))]
    pub paths: Vec<Spanned<Pattern>>,
}

/// How the findings of a rule count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Level {
    /// They are left out.
    Off,
    /// They are reported.
    Warning,
    /// They make `check` fail.
    Error,
}

impl Level {
    /// The severity of its findings; `None` leaves them out.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}
