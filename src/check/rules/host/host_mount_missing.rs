//! File systems that are not mounted on this host.

use crate::check::rules::prelude::*;
use crate::model::finding::HOST_MOUNT_MISSING;

pub(crate) static RULE: Rule =
    Rule::reported(HOST_MOUNT_MISSING, include_str!("host_mount_missing.md"));
