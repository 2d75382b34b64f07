//! Paths that units need and this host does not have.

use crate::check::engine::Rule;
use crate::model::finding::HOST_PATH_MISSING;

/// The rule.
pub(crate) static RULE: Rule =
    Rule::reported(HOST_PATH_MISSING, include_str!("host_path_missing.md"));
