//! Names of networks.

use crate::source::ParsedStack;

/// The engine's name of a network that a project declares.
pub(crate) fn name_of(stack: &ParsedStack, key: &str) -> String {
    let definition = stack.compose.networks.get(key).and_then(Option::as_ref);
    let external = definition.and_then(|definition| definition.external_name(key));
    let named = || definition?.name.clone();
    external
        .or_else(named)
        .unwrap_or_else(|| format!("{}_{key}", stack.project))
}
