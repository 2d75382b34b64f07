//! The configuration of nginx, as the sites and the files that they include say it.

pub mod directives;
pub mod listens;
pub mod paths;
pub mod ports;
pub mod published;
pub mod servers;
pub mod target;
pub mod view;

use crate::source::nginx::Node;

/// The name of the header that an `add_header` adds, in lower case.
pub fn header(node: &Node<'_>) -> String {
    node.first().to_ascii_lowercase()
}

/// The value of an `add_header` or `proxy_set_header`.
pub fn value<'n>(node: &'n Node<'_>) -> &'n str {
    let value = node.directive.args.get(1);
    value.map_or("", |word| word.text.as_str())
}

#[cfg(test)]
pub(super) mod tests;
