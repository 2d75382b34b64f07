//! Memory that this host does not have.

use crate::check::engine::Rule;
use crate::model::finding::HOST_MEMORY_SHORT;

/// The rule.
pub(crate) static RULE: Rule =
    Rule::reported(HOST_MEMORY_SHORT, include_str!("host_memory_short.md"));
