//! The files of a commit, from git's objects.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{MAX_SIZE, Node, too_large};
use crate::source::error::{Result, SourceError};

type Entries = BTreeMap<Vec<u8>, (git2::Oid, i32)>;

/// The files of a commit.
pub struct CommitTree<'repo> {
    repo: &'repo git2::Repository,
    root: git2::Oid,
    // libgit2 caches no tree object beyond 4 KiB, so that asking for the files of a large
    // folder one by one would inflate it once for each.
    folders: RefCell<HashMap<PathBuf, Option<Rc<Entries>>>>,
}

impl<'repo> CommitTree<'repo> {
    /// The tree of a commit.
    pub fn new(repo: &'repo git2::Repository, tree: &git2::Tree) -> Self {
        Self {
            repo,
            root: tree.id(),
            folders: RefCell::default(),
        }
    }

    fn entries(&self, folder: &Path) -> Result<Option<Rc<Entries>>> {
        if let Some(known) = self.folders.borrow().get(folder) {
            return Ok(known.clone());
        }
        let id = match (folder.parent(), folder.file_name()) {
            (Some(_), Some(_)) => match self.entry(folder)? {
                Some((id, 0o040000)) => Some(id),
                _ => None,
            },
            _ => Some(self.root),
        };
        let tree = id.map(|id| self.repo.find_tree(id)).transpose();
        let tree = tree.map_err(|source| object(folder, source))?;
        let entry = |e: git2::TreeEntry| (e.name_bytes().to_vec(), (e.id(), e.filemode()));
        let entries = tree.map(|tree| Rc::new(tree.iter().map(entry).collect::<Entries>()));
        self.folders
            .borrow_mut()
            .insert(folder.into(), entries.clone());
        Ok(entries)
    }

    fn entry(&self, path: &Path) -> Result<Option<(git2::Oid, i32)>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        let entries = self.entries(parent)?;
        Ok(entries.and_then(|entries| entries.get(name.as_bytes()).copied()))
    }

    /// The id of a folder's tree.
    pub(super) fn id_of(&self, folder: &Path) -> Result<Option<git2::Oid>> {
        match folder.as_os_str().is_empty() {
            true => Ok(Some(self.root)),
            false => Ok(self.entry(folder)?.map(|(id, _)| id)),
        }
    }

    pub(super) fn node(&self, path: &Path) -> Result<Option<Node>> {
        let Some((id, mode)) = self.entry(path)? else {
            return Ok(None);
        };
        Ok(Some(match mode {
            0o040000 => Node::Folder,
            0o120000 => {
                let blob = self.repo.find_blob(id);
                let blob = blob.map_err(|source| object(path, source))?;
                Node::Link(PathBuf::from(std::ffi::OsStr::from_bytes(blob.content())))
            }
            0o160000 => Node::Special("a submodule, not a file"),
            _ => Node::File {
                executable: mode & 0o111 != 0,
            },
        }))
    }

    pub(super) fn names(&self, folder: &Path) -> Result<Vec<Vec<u8>>> {
        let entries = self.entries(folder)?;
        Ok(entries.map_or_else(Vec::new, |entries| entries.keys().cloned().collect()))
    }

    pub(super) fn read(&self, resolved: &Path, asked: &Path) -> Result<(Vec<u8>, bool)> {
        let Some((id, mode)) = self.entry(resolved)? else {
            return Ok((Vec::new(), false));
        };
        let failed = |source| object(asked, source);
        let odb = self.repo.odb().map_err(failed)?;
        let (size, _) = odb.read_header(id).map_err(failed)?;
        if size as u64 > MAX_SIZE {
            return Err(too_large(asked, size as u64));
        }
        let blob = self.repo.find_blob(id).map_err(failed)?;
        Ok((blob.content().to_vec(), mode & 0o111 != 0))
    }
}

fn object(path: &Path, source: git2::Error) -> SourceError {
    SourceError::Object {
        path: path.into(),
        source,
    }
}
