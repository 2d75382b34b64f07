//! Some files of a tree, as if nothing else was there.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The files that are there; all, if none are named.
#[derive(Clone, Debug, Default)]
pub(super) struct Only(Vec<PathBuf>);

impl Only {
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        Self(paths.to_vec())
    }

    /// Whether a file is there, or one below a folder.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.0.is_empty() || self.0.iter().any(|one| one.starts_with(path))
    }

    /// The names in a folder; `None` where those are all that it has.
    pub(super) fn names(&self, folder: &Path) -> Option<Vec<Vec<u8>>> {
        if self.0.is_empty() {
            return None;
        }
        let names = self.0.iter().filter_map(|one| {
            let below = one.strip_prefix(folder).ok()?;
            below.components().next().map(|name| name.as_os_str())
        });
        let names: BTreeSet<&OsStr> = names.collect();
        Some(names.into_iter().map(|n| n.as_bytes().to_vec()).collect())
    }
}
