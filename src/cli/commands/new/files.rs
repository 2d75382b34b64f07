//! Files of the checkout that are written together, or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::NewFailure;
use crate::cli::Failure;
use crate::cli::session::Session;
use crate::effect::Diff;
use crate::root::Root;
use crate::root::work_tree::{Writing, demand_plain_folders};

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::commands) struct Edit {
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
    Ok(write_below(session.checkout()?.root(), edits)?)
}

/// Makes sure that no link is on the way to any of them.
pub(super) fn demand_plain(session: &Session<'_>, edits: &[Edit]) -> Result<(), Failure> {
    plain_root(session.checkout()?.root(), edits)?;
    Ok(())
}

fn plain_root(folder: &Path, edits: &[Edit]) -> Result<Root, NewFailure> {
    let root = Root::open(folder)?;
    demand_plain_folders(&root, edits.iter().map(|edit| &edit.path))?;
    Ok(root)
}

fn write_below(folder: &Path, edits: &[Edit]) -> Result<(), NewFailure> {
    let root = plain_root(folder, edits)?;
    for edit in edits {
        // A link that leads nowhere is somebody's, too.
        let is_there = root.is_there(&Path::new("/").join(&edit.path));
        if edit.old.is_none() && is_there {
            return Err(NewFailure::FileExists {
                path: edit.path.clone(),
            });
        }
    }
    let mut writing = Writing::new(&root);
    for edit in edits {
        if let Err(error) = writing.write(&edit.path, edit.new.as_bytes(), 0o644) {
            writing.undo();
            return Err(error.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

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
        let site = folder.path().join("site");
        std::fs::write(&site, "old\n").unwrap();
        if nix::unistd::Uid::effective().is_root() {
            std::os::unix::fs::chown(&site, Some(12345), Some(12346)).unwrap();
        }
        let owner = || {
            let found = std::fs::metadata(&site).unwrap();
            (found.uid(), found.gid(), found.mode())
        };
        let before = owner();
        // The last one cannot be written: a file is where its folder would be.
        let edits = [
            edit("compose/a/compose.yaml", None, "a\n"),
            edit("site", Some("old\n"), "new\n"),
            edit("site/below", None, "b\n"),
        ];
        let failed = write_below(folder.path(), &edits).unwrap_err().to_string();
        assert!(failed.contains("site"), "{failed}");
        assert_eq!(read("site").as_deref(), Some("old\n"));
        assert_eq!(owner(), before);
        assert!(!folder.path().join("compose").exists());

        write_below(folder.path(), &edits[..2]).unwrap();
        assert_eq!(read("site").as_deref(), Some("new\n"));
        assert_eq!(read("compose/a/compose.yaml").as_deref(), Some("a\n"));
        let again = write_below(folder.path(), &edits[..2]).unwrap_err();
        assert_eq!(again.to_string(), "compose/a/compose.yaml already exists");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("compose")).unwrap();
        let edits = [edit("compose/a/compose.yaml", None, "a\n")];
        let refused = write_below(folder.path(), &edits).unwrap_err();
        let words = format!(
            "{0}/compose is a link to {1}, and nothing is written through a link",
            folder.path().display(),
            outside.path().display()
        );
        assert_eq!(refused.to_string(), words);
        assert!(
            refused
                .hint()
                .unwrap()
                .contains("put a folder in its place")
        );
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
