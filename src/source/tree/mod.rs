//! The files of a checkout, in a commit or as they lie, behind one set of questions.
//!
//! Links are resolved here and never by the kernel: what a link of the checkout names is read
//! only when it is in the checkout, in the same commit.

mod commit;
mod digest;
mod folder;
mod only;
mod overlay;

use std::collections::VecDeque;
use std::path::{Component, Path, PathBuf};

pub use commit::CommitTree;
pub use folder::{FolderTree, Readers};
use only::Only;
pub use overlay::HOSTS;
use overlay::Overlay;

use super::error::{Result, SourceError};

/// Inputs larger than this are a mistake: the largest real ones have some tens of KiB.
pub const MAX_SIZE: u64 = 1024 * 1024;
/// As in Linux, path_resolution(7).
const MAX_LINKS: usize = 40;

/// What is at a path, links not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A file and whether it is executable.
    File {
        /// Whether its owner may execute it.
        executable: bool,
    },
    Folder,
    /// A link and what it says.
    Link(PathBuf),
    /// Anything else, in words.
    Special(&'static str),
}

/// The files of a commit or of a folder, with those of a host over them.
pub struct Tree<'repo> {
    files: Files<'repo>,
    only: Only,
    overlay: Option<Overlay>,
}

/// Where the files are.
enum Files<'repo> {
    Commit(CommitTree<'repo>),
    Folder(FolderTree),
}

impl<'repo> From<CommitTree<'repo>> for Tree<'repo> {
    fn from(tree: CommitTree<'repo>) -> Self {
        Self::of(Files::Commit(tree))
    }
}

impl From<FolderTree> for Tree<'_> {
    fn from(tree: FolderTree) -> Self {
        Self::of(Files::Folder(tree))
    }
}

impl<'repo> Tree<'repo> {
    fn of(files: Files<'repo>) -> Self {
        Self {
            files,
            only: Only::default(),
            overlay: None,
        }
    }

    /// The same with some files, as if nothing else was there.
    pub fn with_only(self, paths: &[PathBuf]) -> Self {
        let only = Only::new(paths);
        Self { only, ..self }
    }

    /// What is at `path` (no links on the way), itself not followed.
    fn raw(&self, path: &Path) -> Result<Option<Node>> {
        match &self.files {
            _ if !self.only.has(path) => Ok(None),
            Files::Commit(tree) => tree.node(path),
            Files::Folder(tree) => tree.node(path),
        }
    }

    /// Whether it is all that there is, so that an absolute link and `..` at its top stay in it.
    fn is_a_hosts(&self) -> bool {
        matches!(&self.files, Files::Folder(tree) if tree.is_a_hosts())
    }

    /// Where `path` leads after all links, and what is there. `None` when nothing does.
    pub fn resolve(&self, path: &Path) -> Result<Option<(PathBuf, Node)>> {
        let mut pending: VecDeque<Step> = steps(path).collect();
        let mut at = PathBuf::new();
        let mut node = Node::Folder;
        // Each with the number of steps that are left when its target is reached.
        let mut links: Vec<(PathBuf, PathBuf, usize)> = Vec::new();
        while let Some(step) = pending.pop_front() {
            let name = match step {
                Step::Up => {
                    if !at.pop() && !self.is_a_hosts() {
                        let last = links.pop();
                        let (link, target, _) =
                            last.unwrap_or_else(|| (path.into(), path.into(), 0));
                        return Err(SourceError::LinkLeaves { link, target });
                    }
                    node = Node::Folder;
                    continue;
                }
                Step::Into(name) => name,
            };
            let (here, found) = match name == ".git" {
                true => (at.join(&name), None),
                false => self.look(at.join(&name))?,
            };
            match found {
                None => {
                    return match links.pop() {
                        Some((link, target, left)) if pending.len() >= left => {
                            let how = ", which is not there";
                            Err(SourceError::LinkBroken { link, target, how })
                        }
                        _ => Ok(None),
                    };
                }
                Some(Node::Link(target)) => {
                    if target.is_absolute() && !self.is_a_hosts() {
                        return Err(SourceError::LinkLeaves { link: here, target });
                    }
                    if links.len() >= MAX_LINKS {
                        let (link, how) = (here, " and never ends");
                        return Err(SourceError::LinkBroken { link, target, how });
                    }
                    at = match here.parent() {
                        Some(folder) if target.is_relative() => folder.to_owned(),
                        _ => PathBuf::new(),
                    };
                    let left = pending.len();
                    for step in steps(&target).rev() {
                        pending.push_front(step);
                    }
                    links.push((here, target, left));
                    node = Node::Folder;
                }
                Some(found) => {
                    at = here;
                    node = found;
                }
            }
        }
        Ok(Some((at, node)))
    }

    /// Names in a folder, sorted; empty when there is no such folder.
    pub fn list(&self, folder: &Path) -> Result<Vec<String>> {
        let resolved = match self.resolve(folder)? {
            Some((resolved, Node::Folder)) => resolved,
            Some((_, node)) => {
                return Err(SourceError::Special {
                    path: folder.into(),
                    what: match node {
                        Node::Special(what) => what,
                        _ => "a file, where a folder belongs",
                    },
                });
            }
            None => return Ok(Vec::new()),
        };
        let of = |folder: &Path| match (self.only.names(folder), &self.files) {
            (Some(names), _) => Ok(names),
            (None, Files::Commit(tree)) => tree.names(folder),
            (None, Files::Folder(tree)) => tree.names(folder),
        };
        let mut names = of(&resolved)?;
        let overlay = self.overlay.as_ref();
        if let Some(own) = overlay.and_then(|overlay| overlay.folder(&resolved)) {
            names.extend(of(&own)?);
            names.sort_unstable();
            names.dedup();
        }
        names
            .into_iter()
            .filter(|name| name != b".git")
            .map(|name| checked_name(folder, &name))
            .collect()
    }

    /// A file's content and whether it is executable, links followed. `None` when nothing is
    /// there or when it is a folder.
    pub fn read(&self, path: &Path) -> Result<Option<(Vec<u8>, bool)>> {
        match self.resolve(path)? {
            Some((resolved, Node::File { .. })) => match &self.files {
                Files::Commit(tree) => tree.read(&resolved, path).map(Some),
                Files::Folder(tree) => tree.read(&resolved, path).map(Some),
            },
            Some((_, Node::Special(what))) => Err(SourceError::Special {
                path: path.into(),
                what,
            }),
            _ => Ok(None),
        }
    }
}

enum Step {
    Up,
    Into(std::ffi::OsString),
}

fn steps(path: &Path) -> impl DoubleEndedIterator<Item = Step> {
    path.components().filter_map(|part| match part {
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Into(name.to_owned())),
        _ => None,
    })
}

/// A name of the checkout as text. git itself refuses most of the bad ones, but only when it
/// makes a work tree, and here the objects are read.
fn checked_name(folder: &Path, name: &[u8]) -> Result<String> {
    let bad = |why: &str| SourceError::Name {
        path: folder.join(String::from_utf8_lossy(name).as_ref()),
        why: why.into(),
    };
    let text = std::str::from_utf8(name).map_err(|_| bad("the name is not UTF-8"))?;
    match text {
        "" | "." | ".." => Err(bad("this is not a file name")),
        _ if text.contains('/') => Err(bad("the name has a slash")),
        _ if text.chars().any(char::is_control) => Err(bad("the name has a control character")),
        _ if text.starts_with('-') => Err(bad("the name begins with a dash, as options do")),
        _ => Ok(text.to_owned()),
    }
}

fn too_large(path: &Path, size: u64) -> SourceError {
    SourceError::TooLarge {
        path: path.into(),
        size,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
