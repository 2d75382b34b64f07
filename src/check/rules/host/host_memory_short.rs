//! Memory that this host does not have.

use crate::check::rules::prelude::*;
use crate::model::finding::HOST_MEMORY_SHORT;

pub(crate) static RULE: Rule =
    Rule::reported(HOST_MEMORY_SHORT, include_str!("host_memory_short.md"));
