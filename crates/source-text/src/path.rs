//! Paths that texts name.

use std::path::{Component, Path, PathBuf};

/// An absolute path without `.`, `..` and double slashes; `None` for a relative one.
pub fn normal_path(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::from("/");
    if !path.is_absolute() {
        return None;
    }
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::Normal(name) => clean.push(name),
            _ => {}
        }
    }
    Some(clean)
}
