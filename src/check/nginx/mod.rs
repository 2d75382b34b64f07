//! The configuration of nginx, as the sites and the files that they include say it.

pub(super) mod arguments;
pub(super) mod captures;
pub(super) mod declared;
pub(super) mod directives;
pub(super) mod includes;
pub(super) mod listens;
pub(super) mod maps;
pub(super) mod paths;
pub(super) mod ports;
pub(super) mod published;
pub(super) mod said;
pub(super) mod servers;
pub(super) mod shared;
pub(super) mod target;
pub(super) mod view;

use crate::source::nginx::Node;

/// The name of the header that an `add_header` adds, in lower case.
pub(super) fn header(node: &Node<'_>) -> String {
    node.first().to_ascii_lowercase()
}

/// The value of an `add_header` or `proxy_set_header`.
pub(super) fn value<'n>(node: &'n Node<'_>) -> &'n str {
    node.located().word(1)
}

#[cfg(test)]
pub(super) mod tests;
