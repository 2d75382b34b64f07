//! Files of a work tree that are written together, or not at all, as the user who owns it has files there.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::Uid;

use super::{Root, RootError};
use crate::model::Entry;
use crate::model::shell::word;

/// A link where the checkout should have a folder.
#[derive(Debug, thiserror::Error)]
#[error("{} is a link to {}, and nothing is written through a link", path.display(), target.display())]
pub(crate) struct LinkedFolder {
    /// The link, as this process sees it.
    path: PathBuf,
    /// What it says.
    target: PathBuf,
}

impl LinkedFolder {
    /// What helps.
    pub(crate) fn hint(&self) -> String {
        let path = word(&self.path.to_string_lossy());
        format!("ls -ld {path}; put a folder in its place, and run this again")
    }
}

/// The first link among the folders above `path`, by its path in the root.
pub(crate) fn link_above(root: &Root, path: &Path) -> Option<PathBuf> {
    let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
    // From the top, so that none is looked at through a link.
    folders.reverse();
    let is_link = |folder: &&Path| {
        let found = std::fs::symlink_metadata(root.join(folder));
        folder.parent().is_some() && found.is_ok_and(|found| found.is_symlink())
    };
    folders.into_iter().find(is_link).map(Path::to_owned)
}

/// Makes sure that the way to each path of a work tree has no link.
///
/// # Errors
/// Names the link.
pub(crate) fn demand_plain_folders<'p>(
    root: &Root,
    paths: impl IntoIterator<Item = &'p PathBuf>,
) -> Result<(), LinkedFolder> {
    for path in paths {
        if let Some(link) = link_above(root, &Path::new("/").join(path)) {
            let path = root.join(&link);
            let target = std::fs::read_link(&path).unwrap_or_default();
            return Err(LinkedFolder { path, target });
        }
    }
    Ok(())
}

/// What was at a path: content, mode, owner and group.
type Was = Option<(Arc<[u8]>, u32, (u32, u32))>;

/// What was written so far, with what was there before.
pub(crate) struct Writing<'r> {
    root: &'r Root,
    /// Whom new files belong to; `None` unless root writes.
    owner: Option<(u32, u32)>,
    before: Vec<(PathBuf, Was)>,
    folders: Vec<PathBuf>,
}

impl<'r> Writing<'r> {
    /// Nothing is written yet below the root of a work tree.
    pub(crate) fn new(root: &'r Root) -> Self {
        let top = root.metadata(Path::new("/"));
        let owner = top.map(|found| (found.uid(), found.gid()));
        Self {
            root,
            owner: owner.filter(|_| Uid::effective().is_root()),
            before: Vec::new(),
            folders: Vec::new(),
        }
    }

    /// Writes a file of the work tree; one that is there keeps its mode and its owner.
    ///
    /// # Errors
    /// When something else than a regular file is there, and when the file system refuses.
    pub(crate) fn write(&mut self, path: &Path, new: &[u8], mode: u32) -> Result<(), RootError> {
        let place = Path::new("/").join(path);
        let was = match self.root.entry(&place)? {
            Entry::File {
                content,
                mode,
                owner,
                ..
            } => Some((content, mode & 0o7777, owner)),
            Entry::Missing => None,
            _ => {
                return Err(RootError {
                    doing: "write",
                    path: self.root.join(&place),
                    source: std::io::Error::other("it is not a regular file"),
                });
            }
        };
        let above: Vec<&Path> = place.ancestors().skip(1).collect();
        for folder in above.into_iter().rev() {
            if !self.root.is_folder(folder) {
                self.root.make_folder(folder)?;
                self.folders.push(folder.to_owned());
                if let Some(owner) = self.owner {
                    self.root.set_owner(folder, owner)?;
                }
            }
        }
        let known = was.as_ref();
        let mode = known.map_or(mode, |(_, mode, _)| *mode);
        let owner = self
            .owner
            .map(|owner| known.map_or(owner, |(.., owner)| *owner));
        self.before.push((place.clone(), was));
        self.root.write_owned(&place, new, mode, owner)
    }

    /// Brings back what was there, as far as that goes: what cannot be undone shows in `git status`.
    pub(crate) fn undo(self) {
        for (place, was) in self.before.iter().rev() {
            let undone = match was {
                Some((content, mode, owner)) => {
                    let owner = self.owner.map(|_| *owner);
                    self.root.write_owned(place, content, *mode, owner)
                }
                None => self.root.remove(place),
            };
            if let Err(error) = undone {
                tracing::warn!(%error, "a file of the checkout was not restored");
            }
        }
        for folder in self.folders.iter().rev() {
            self.root.remove_empty(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    #[test]
    fn a_file_that_is_brought_back_has_its_owner_and_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        fs::write(&file, "old\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
        if Uid::effective().is_root() {
            chown(&file, Some(12345), Some(12346)).unwrap();
        }
        let looks = || {
            let found = fs::metadata(&file).unwrap();
            let content = fs::read_to_string(&file).unwrap();
            (content, found.mode() & 0o7777, found.uid(), found.gid())
        };
        let before = looks();
        let root = Root::open(folder.path()).unwrap();
        let mut writing = Writing::new(&root);
        writing
            .write(Path::new("page.md"), b"new\n", 0o644)
            .unwrap();
        assert_eq!(looks(), ("new\n".into(), before.1, before.2, before.3));
        writing.write(Path::new("a/b"), b"b\n", 0o644).unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        let failed = writing.write(Path::new("folder"), b"", 0o644).unwrap_err();
        assert_eq!(failed.source.to_string(), "it is not a regular file");
        writing.undo();
        assert_eq!(looks(), before);
        assert!(!folder.path().join("a").exists());
    }

    #[test]
    fn a_link_among_the_folders_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/real")).unwrap();
        symlink("../other", folder.path().join("etc/lnk")).unwrap();
        let root = Root::open(folder.path()).unwrap();
        let demand = |path: &str| demand_plain_folders(&root, [&PathBuf::from(path)]);
        for plain in ["a", "etc/real/a", "etc/none/a", "etc/lnk"] {
            demand(plain).unwrap();
        }
        let refused = demand("etc/lnk/below/a").unwrap_err();
        let link = folder.path().join("etc/lnk");
        let words = format!("{} is a link to ../other, and", link.display());
        assert!(refused.to_string().starts_with(&words), "{refused}");
        let hint = format!("ls -ld {}; put a folder in its place", link.display());
        assert!(refused.hint().starts_with(&hint), "{}", refused.hint());
    }
}
