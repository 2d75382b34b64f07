//! watchme.toml.

use std::path::Path;

use watchme_apply::source::policy;

/// Reads it, and holds what was read against its text.
pub(crate) fn run(source: &str) {
    if let Err(wrong) = policy::parse(Path::new("watchme.toml"), source) {
        assert!(source.get(wrong.span.clone()).is_some(), "{wrong}");
        assert!(wrong.position() <= wrong.end());
    }
}
