//! File systems that are not mounted on this host.

use crate::check::engine::Rule;
use crate::model::finding::HOST_MOUNT_MISSING;

/// The rule.
pub(crate) static RULE: Rule =
    Rule::reported(HOST_MOUNT_MISSING, include_str!("host_mount_missing.md"));
