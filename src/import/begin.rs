//! `init`: the smallest desired state, with comments.

use std::path::{Path, PathBuf};

use super::ImportError;
use super::texts::{GITIGNORE, README, SCHEMA, WATCHME};
use crate::root::Root;
use crate::source::{commit_all, is_in_git};

/// The folder of the desired state in a checkout.
pub(super) const FOLDER: &str = "desired-state";
/// The subject of the first commit of `init`.
const SUBJECT: &str = "An empty desired state";

/// What `init` has written.
#[derive(Debug)]
pub(crate) struct Begun {
    /// The checkout.
    pub checkout: PathBuf,
    /// Files, relative to it.
    pub files: Vec<PathBuf>,
    /// Whether the checkout is a new repository with a first commit.
    pub committed: bool,
}

/// Writes a desired state without anything in it, and makes the folder a repository if it is in none.
///
/// # Errors
/// When there is a desired state already, and when something cannot be written.
pub(crate) fn init(folder: &Path) -> Result<Begun, ImportError> {
    let checkout = absolute(folder)?;
    let state = checkout.join(FOLDER);
    for sign in [state.clone(), checkout.join("watchme.toml")] {
        if sign.symlink_metadata().is_ok() {
            return Err(ImportError::Exists { path: sign });
        }
    }
    let in_git = is_in_git(&checkout);
    let root = Root::open("/")?;
    root.make_folder(&state)?;
    let mut files = Vec::new();
    for (name, text) in [
        ("watchme.toml", WATCHME),
        ("watchme.schema.json", SCHEMA),
        ("README.md", README),
        (".gitignore", GITIGNORE),
    ] {
        root.write(&state.join(name), text.as_bytes(), 0o644)?;
        files.push(Path::new(FOLDER).join(name));
    }
    if !in_git {
        commit_all(&checkout, SUBJECT)?;
    }
    Ok(Begun {
        checkout,
        files,
        committed: !in_git,
    })
}

/// Where a folder is or will be: what is there of it with links followed.
pub(super) fn absolute(folder: &Path) -> Result<PathBuf, ImportError> {
    let failed = |source| ImportError::Folder {
        folder: folder.to_owned(),
        source,
    };
    let written = std::path::absolute(folder).map_err(failed)?;
    let there = written.ancestors().find(|above| above.exists());
    let there = there.unwrap_or(Path::new("/"));
    let rest = written.strip_prefix(there).unwrap_or(Path::new(""));
    let found = there.canonicalize().map_err(failed)?;
    // Joining an empty path would add a slash.
    Ok(found.components().chain(rest.components()).collect())
}
