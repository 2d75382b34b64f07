//! `check --format json`.

use serde::Serialize;

use super::{FORMAT_VERSION, Finding};
use crate::model;

/// `check --format json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Check {
    format_version: u32,
    /// By file and place.
    findings: Vec<Finding>,
    /// What somebody should know, and is no finding.
    warnings: Vec<String>,
}

impl Check {
    pub(in crate::cli) fn new(findings: &[model::Finding], warnings: &[String]) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            findings: findings.iter().map(Finding::from).collect(),
            warnings: warnings.to_vec(),
        }
    }
}
