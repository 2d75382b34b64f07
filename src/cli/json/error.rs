//! Errors as JSON.

use serde::Serialize;

use super::{FORMAT_VERSION, Finding};
use crate::cli::Failure;
use crate::cli::errors::causes;

/// What any command prints instead when it fails.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Error {
    format_version: u32,
    error: String,
    caused_by: Vec<String>,
    hint: Option<String>,
    /// What nginx and systemd say about what would be applied, if they reject it.
    findings: Vec<Finding>,
    exit_status: u8,
}

impl Error {
    pub(in crate::cli) fn new(failure: &Failure) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            error: failure.told(),
            caused_by: causes(failure).map(ToString::to_string).collect(),
            hint: failure.hint(),
            findings: failure.findings().iter().map(Finding::from).collect(),
            exit_status: failure.exit_status(),
        }
    }
}
