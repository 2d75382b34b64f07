//! The findings as JSON.

use serde::Serialize;

use crate::check::Grouped;
use crate::cli::json::{self, FORMAT_VERSION, Finding};

/// What `check` prints as JSON.
#[derive(Serialize)]
#[serde(untagged)]
pub(in crate::cli) enum Json {
    Check(Check),
    /// Its schema is that of SARIF.
    Sarif(serde_json::Value),
}

json::document!(Json: Check = "check");

/// `check --format json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Check {
    format_version: u32,
    /// By file and place.
    findings: Vec<Found>,
    /// How many more `[check]` in watchme.toml switches off.
    off: usize,
    /// What is worth knowing and is not a finding.
    warnings: Vec<String>,
}

impl Check {
    pub(super) fn new(findings: &[Grouped], off: usize, warnings: &[String]) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            findings: findings.iter().map(Found::from).collect(),
            off,
            warnings: warnings.to_vec(),
        }
    }
}

/// A finding, and where else in the file it applies.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Found {
    #[serde(flatten)]
    finding: Finding,
    /// Other places in this file with the same finding.
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
