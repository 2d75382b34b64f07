//! Paths that units need and this host does not have.

use crate::check::rules::prelude::*;
use crate::model::finding::HOST_PATH_MISSING;

pub(crate) static RULE: Rule =
    Rule::reported(HOST_PATH_MISSING, include_str!("host_path_missing.md"));
