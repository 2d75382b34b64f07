//! A capture as JSON.

use serde::Serialize;

use super::text::shown;
use crate::capture;
use crate::cli::json::{self, FORMAT_VERSION};

/// `capture --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Captured {
    format_version: u32,
    /// Where the files are.
    checkout: String,
    /// Whether the files were written.
    written: bool,
    files: Vec<File>,
    /// Files of the checkout that have the edit of the host already.
    already: Vec<String>,
    /// What differs and is not captured.
    left: Vec<capture::Left>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct File {
    /// In the checkout.
    path: String,
    /// `kind/name`, as in plans.
    resource: String,
    /// Where the host has it.
    from: String,
    /// Whether the checkout has no such file yet.
    new: bool,
    /// Whether the checkout had changed, too, and both changes were merged.
    merged: bool,
    /// The change, as a unified diff.
    diff: String,
}

json::document!(Captured = "capture");

impl Captured {
    pub(super) fn new(captured: &capture::Captured, written: bool, show_secrets: bool) -> Self {
        let files = captured.edits.iter().map(|(path, edit)| File {
            path: path.to_string_lossy().into_owned(),
            resource: edit.id.to_string(),
            from: edit.from.clone(),
            new: edit.old.is_none(),
            merged: edit.merged,
            diff: json::unified(&shown(path, edit), show_secrets),
        });
        Self {
            format_version: FORMAT_VERSION,
            checkout: captured.checkout.to_string_lossy().into_owned(),
            written,
            files: files.collect(),
            already: (captured.already.iter())
                .map(|path| path.to_string_lossy().into_owned())
                .collect(),
            left: captured.left.clone(),
            warnings: captured.warnings.clone(),
        }
    }
}
