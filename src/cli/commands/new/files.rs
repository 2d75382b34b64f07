//! Files of the checkout that are written together, or not at all.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::NewFailure;
use crate::cli::Failure;
use crate::cli::session::Session;
use crate::effect::Diff;
use crate::root::{Root, RootError};

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::commands) struct Edit {
    /// Its path in the checkout.
    pub(in crate::cli::commands) path: PathBuf,
    /// What is there; `None` for a new file.
    pub(in crate::cli::commands) old: Option<String>,
    /// What is to be there.
    pub(in crate::cli::commands) new: String,
}

impl Edit {
    /// As a list of changes marks it.
    pub(super) fn sign(&self) -> char {
        match self.old {
            Some(_) => '~',
            None => '+',
        }
    }

    pub(in crate::cli::commands) fn diff(&self) -> Diff {
        Diff {
            old_path: self.path.clone(),
            new_path: self.path.clone(),
            old: self.old.clone(),
            new: Some(self.new.clone()),
        }
    }

    /// Where it is below a root at the checkout.
    fn place(&self) -> PathBuf {
        Path::new("/").join(&self.path)
    }
}

/// The files as they would be.
pub(super) fn contents(edits: &[Edit]) -> BTreeMap<PathBuf, Vec<u8>> {
    let contents = edits
        .iter()
        .map(|edit| (edit.path.clone(), edit.new.clone().into_bytes()));
    contents.collect()
}

/// Writes all files; if one cannot be written, the others are as they were.
pub(in crate::cli::commands) fn write(
    session: &Session<'_>,
    edits: &[Edit],
) -> Result<(), Failure> {
    let checkout = session.checkout()?;
    Ok(write_below(checkout.root(), edits)?)
}

fn write_below(folder: &Path, edits: &[Edit]) -> Result<(), NewFailure> {
    let root = Root::open(folder)?;
    for edit in edits {
        // A link that leads nowhere is somebody's, too.
        let is_there = root.is_there(&edit.place());
        if edit.old.is_none() && is_there {
            return Err(NewFailure::FileExists {
                path: edit.path.clone(),
            });
        }
    }
    // Root writes for whom the checkout belongs to.
    let owner = std::fs::metadata(folder).ok();
    let owner = owner.map(|owner| (owner.uid(), owner.gid()));
    let owner = owner.filter(|_| Uid::effective().is_root());
    let mut done = Done::default();
    for edit in edits {
        if let Err(error) = done.write(&root, edit, owner) {
            done.undo(&root);
            return Err(error.into());
        }
    }
    Ok(())
}

/// What was written so far.
#[derive(Default)]
struct Done<'e> {
    folders: Vec<PathBuf>,
    files: Vec<(&'e Edit, u32)>,
}

impl<'e> Done<'e> {
    fn write(
        &mut self,
        root: &Root,
        edit: &'e Edit,
        owner: Option<(u32, u32)>,
    ) -> Result<(), RootError> {
        let place = edit.place();
        let above: Vec<&Path> = place.ancestors().skip(1).collect();
        for folder in above.into_iter().rev() {
            if !root.is_folder(folder) {
                root.make_folder(folder)?;
                self.folders.push(folder.to_owned());
                if let Some(owner) = owner {
                    root.set_owner(folder, owner)?;
                }
            }
        }
        let mode = root
            .metadata(&place)
            .map_or(0o644, |there| there.mode() & 0o777);
        let owner = match root.metadata(&place) {
            Some(there) => owner.map(|_| (there.uid(), there.gid())),
            None => owner,
        };
        root.write_owned(&place, edit.new.as_bytes(), mode, owner)?;
        self.files.push((edit, mode));
        Ok(())
    }

    /// Best effort: what cannot be undone shows in `git status`.
    fn undo(self, root: &Root) {
        for (edit, mode) in self.files.into_iter().rev() {
            let undone = match &edit.old {
                Some(old) => root.write(&edit.place(), old.as_bytes(), mode),
                None => root.remove(&edit.place()),
            };
            if let Err(error) = undone {
                tracing::warn!(%error, "a file could not be brought back");
            }
        }
        for folder in self.folders.iter().rev() {
            root.remove_empty(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(path: &str, old: Option<&str>, new: &str) -> Edit {
        Edit {
            path: path.into(),
            old: old.map(str::to_owned),
            new: new.to_owned(),
        }
    }

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).ok();
        std::fs::write(folder.path().join("site"), "old\n").unwrap();
        // The last one cannot be written: a file is where its folder would be.
        let edits = [
            edit("compose/a/compose.yaml", None, "a\n"),
            edit("site", Some("old\n"), "new\n"),
            edit("site/below", None, "b\n"),
        ];
        let failed = write_below(folder.path(), &edits).unwrap_err().to_string();
        assert!(failed.contains("site"), "{failed}");
        assert_eq!(read("site").as_deref(), Some("old\n"));
        assert!(!folder.path().join("compose").exists());

        write_below(folder.path(), &edits[..2]).unwrap();
        assert_eq!(read("site").as_deref(), Some("new\n"));
        assert_eq!(read("compose/a/compose.yaml").as_deref(), Some("a\n"));
        let again = write_below(folder.path(), &edits[..2]).unwrap_err();
        assert_eq!(again.to_string(), "compose/a/compose.yaml is there already");
    }

    #[test]
    fn nothing_is_written_through_a_link_out_of_the_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("compose")).unwrap();
        let edits = [edit("compose/a/compose.yaml", None, "a\n")];
        let _ = write_below(folder.path(), &edits);
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
