//! Several things in one line of text.

use std::fmt::Display;

/// `a, b, c`.
pub fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    joined(items, ", ")
}

/// The same with another text between them.
pub fn joined(items: impl IntoIterator<Item = impl Display>, between: &str) -> String {
    let items = items.into_iter().map(|item| item.to_string());
    items.collect::<Vec<_>>().join(between)
}
