//! What is at paths that containers mount.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Host;
use crate::model::{BindSource, Hash, Observed};

/// Larger files are compared by which file they are.
const COMPARED: u64 = 1 << 20;

impl Host {
    /// Fills in what is at these paths. What this user may not look at is left out.
    pub(crate) fn observe_binds(&self, observed: &mut Observed, paths: BTreeSet<PathBuf>) {
        let found = paths
            .into_iter()
            .filter_map(|path| Some((path.clone(), look(&path)?)));
        observed.binds = found.collect();
    }
}

fn look(path: &Path) -> Option<BindSource> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Some(BindSource::Missing);
        }
        Err(_) => return None,
    };
    let id = (found.dev(), found.ino());
    if found.is_dir() {
        let is_empty = fs::read_dir(path).ok()?.next().is_none();
        return Some(match is_empty {
            true => BindSource::Empty(id),
            false => BindSource::Other(id),
        });
    }
    if found.is_file() && found.len() <= COMPARED {
        return Some(BindSource::File(Hash::of(&fs::read(path).ok()?)));
    }
    Some(BindSource::Other(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_at_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("full/x")).unwrap();
        fs::create_dir(at("empty")).unwrap();
        for name in ["a", "b"] {
            fs::write(at(name), "same").unwrap();
        }
        std::os::unix::fs::symlink("full", at("link")).unwrap();
        assert_eq!(look(&at("none")), Some(BindSource::Missing));
        assert_eq!(look(&at("a")), look(&at("b")));
        assert_eq!(look(&at("link")), look(&at("full")));
        assert!(matches!(look(&at("empty")), Some(BindSource::Empty(_))));
        assert!(matches!(look(&at("full")), Some(BindSource::Other(_))));
    }
}
