//! Names of networks.

use crate::source::ParsedStack;
use crate::source::compose::types::Network;

/// The engine's name of a network of a project.
pub(crate) fn name_of(stack: &ParsedStack, key: &str, definition: &Network) -> String {
    let own = || {
        definition
            .name
            .clone()
            .unwrap_or_else(|| format!("{}_{key}", stack.project))
    };
    definition.external_name(key).unwrap_or_else(own)
}
