//! The files of one host over those that all hosts share: `hosts/NAME/` in the folder of the desired state.

use std::path::{Path, PathBuf};

use super::{Node, Tree};
use crate::source::error::Result;

/// The folder of the desired state that has a folder for each host.
pub const HOSTS: &str = "hosts";

/// Where the files of a host are.
#[derive(Clone, Debug)]
pub(super) struct Overlay {
    /// The folder of the desired state.
    folder: PathBuf,
    /// That of the host.
    own: PathBuf,
    /// A file that is not replaced: its keys are combined.
    combined: PathBuf,
}

impl Overlay {
    /// The folder of the host that stands for a folder.
    pub(super) fn folder(&self, folder: &Path) -> Option<PathBuf> {
        let relative = folder.strip_prefix(&self.folder).ok()?;
        (!relative.starts_with(HOSTS)).then(|| self.own.join(relative))
    }

    /// Where the host may have a file or folder of its own in the place of `path`.
    fn place(&self, path: &Path) -> Option<PathBuf> {
        let is_shared = path == self.folder || path == self.combined;
        self.folder(path).filter(|_| !is_shared)
    }
}

impl<'repo> Tree<'repo> {
    /// The same with the files of a host over the others, if it has any. `combined` is not replaced.
    pub fn over(self, folder: &Path, host: &str, combined: &Path) -> Result<Self> {
        let own = folder.join(HOSTS).join(host);
        match self.resolve(&own)? {
            Some((own, Node::Folder)) => Ok(Self {
                overlay: Some(Overlay {
                    folder: folder.to_owned(),
                    own,
                    combined: combined.to_owned(),
                }),
                ..self
            }),
            _ => Ok(self),
        }
    }

    /// The folder of the host, if it has one.
    pub fn own(&self) -> Option<&Path> {
        self.overlay.as_ref().map(|overlay| overlay.own.as_path())
    }

    /// Where an input is: in the folder of the host, or where all hosts have it.
    pub fn place(&self, path: &Path) -> Result<PathBuf> {
        Ok(match self.overlay {
            Some(_) => self.look(path.to_owned())?.0,
            None => path.to_owned(),
        })
    }

    /// What is at a path, links not followed, and where that is.
    pub(super) fn look(&self, path: PathBuf) -> Result<(PathBuf, Option<Node>)> {
        let shared = self.raw(&path)?;
        let overlay = self.overlay.as_ref();
        let Some(own) = overlay.and_then(|overlay| overlay.place(&path)) else {
            return Ok((path, shared));
        };
        Ok(match (self.raw(&own)?, shared) {
            (None, shared) => (path, shared),
            // What is in it is looked for in both.
            (Some(Node::Folder), None | Some(Node::Folder)) => (path, Some(Node::Folder)),
            (own_node, _) => (own, own_node),
        })
    }
}
