//! `check --format json`.

use serde::Serialize;

use super::{FORMAT_VERSION, Finding};
use crate::check::Grouped;

/// `check --format json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Check {
    format_version: u32,
    /// By file and place.
    findings: Vec<Found>,
    /// How many more there are that `[check]` in watchme.toml switches off.
    off: usize,
    /// What somebody should know, and is no finding.
    warnings: Vec<String>,
}

impl Check {
    pub(in crate::cli) fn new(findings: &[Grouped], off: usize, warnings: &[String]) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            findings: findings.iter().map(Found::from).collect(),
            off,
            warnings: warnings.to_vec(),
        }
    }
}

/// A finding, with the others that it stands for.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Found {
    #[serde(flatten)]
    finding: Finding,
    /// Where the same is in this file, too.
    others: Vec<Other>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Other {
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
}

impl From<&Grouped> for Found {
    fn from(found: &Grouped) -> Self {
        let others = found.others.iter().map(|place| {
            let at = place.position();
            Other {
                line: at.line,
                column: at.column,
            }
        });
        Self {
            finding: Finding::from(&found.finding),
            others: others.collect(),
        }
    }
}
