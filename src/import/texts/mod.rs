//! What a new checkout says of itself.

/// What the folders are for.
pub(super) const README: &str = include_str!("README.md");
/// What stays out of git.
pub(super) const GITIGNORE: &str = include_str!("gitignore");
/// The keys of watchme.toml, as comments.
pub(super) const WATCHME: &str = include_str!("watchme.toml");
/// The schema of watchme.toml, for editors.
pub(super) const SCHEMA: &str = include_str!("../../../schema/watchme.schema.json");
