//! Disk space that this host does not have.

use crate::check::rules::prelude::*;
use crate::model::finding::HOST_DISK_SHORT;

pub(crate) static RULE: Rule = Rule::reported(HOST_DISK_SHORT, include_str!("host_disk_short.md"));
