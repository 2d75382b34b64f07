//! Opening a repository as root that another user owns, without doing what its settings say.
//!
//! libgit2 runs no hooks, filters or fsmonitor. What is left is where the repository says its
//! work tree is, and settings of whoever called: neither is followed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use git2::{ConfigLevel, Repository, RepositoryOpenFlags};

use super::error::{Result, SourceError};
use super::owner::{self, Asker, Part};

/// libgit2 keeps its search paths in global state.
static SEARCH_PATHS: Mutex<()> = Mutex::new(());

/// The folder at or above `folder` that holds `.git`, a folder or a work tree's file.
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|above| above.join(".git").symlink_metadata().is_ok())
        .map(Path::to_owned)
}

/// Opens the repository whose `.git` lies in `root` after checking who owns it, and says who.
pub fn open(folder: &Path, root: &Path, asker: &Asker) -> Result<(Repository, Option<u32>)> {
    let mut parts = vec![Part::look(folder)?, Part::look(root)?];
    parts.push(Part::look(&root.join(".git"))?);
    owner::check(asker, &parts)?;
    let mine = parts.iter().all(Part::is_mine);
    let repo = open_trusting(root, mine).map_err(|source| SourceError::Repository {
        root: root.into(),
        source,
    })?;
    let worktree = repo.workdir().unwrap_or(repo.path());
    let worktree = worktree.canonicalize().unwrap_or_else(|_| worktree.into());
    if worktree != root {
        return Err(SourceError::ForeignWorktree {
            root: root.into(),
            worktree,
        });
    }
    // In an added work tree or a submodule `.git` is a file that names these.
    for path in [repo.path(), repo.commondir()] {
        parts.push(Part::look(path)?);
    }
    let owner = owner::check(asker, &parts)?;
    Ok((repo, owner))
}

/// Opens with `safe.directory` set to `root` alone, and with no other setting of the system or
/// the user. Switching libgit2's check off would let `core.worktree=/etc` through.
fn open_trusting(root: &Path, mine: bool) -> std::result::Result<Repository, git2::Error> {
    let failed = |error: std::io::Error| git2::Error::from_str(&error.to_string());
    let _guard = SEARCH_PATHS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut settings = None;
    if !mine {
        let folder = tempfile::tempdir().map_err(failed)?;
        let text = format!("[safe]\n\tdirectory = {}\n", quoted(root));
        std::fs::write(folder.path().join(".gitconfig"), text).map_err(failed)?;
        settings = Some(folder);
    }
    let global = settings
        .as_ref()
        .map_or(Path::new(""), |folder| folder.path());
    search_paths(global)?;
    let opened = Repository::open_ext(
        root,
        RepositoryOpenFlags::NO_SEARCH,
        std::iter::empty::<&Path>(),
    );
    search_paths(Path::new(""))?;
    opened
}

/// Sets where libgit2 looks for settings outside the repository.
#[allow(unsafe_code)]
fn search_paths(global: &Path) -> std::result::Result<(), git2::Error> {
    use ConfigLevel::{Global, ProgramData, System, XDG};
    for (level, path) in [
        (System, Path::new("")),
        (ProgramData, Path::new("")),
        (XDG, Path::new("")),
        (Global, global),
    ] {
        // SAFETY: the paths are global state of libgit2; this module alone sets them, and its
        // only caller holds SEARCH_PATHS.
        unsafe { git2::opts::set_search_path(level, path)? };
    }
    Ok(())
}

/// A path as a value of git-config(1).
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The commit that `rev` names.
pub fn commit<'repo>(
    repo: &'repo Repository,
    root: &Path,
    rev: Option<&str>,
) -> Result<git2::Commit<'repo>> {
    match rev {
        Some(rev) => repo
            .revparse_single(rev)
            .and_then(|object| object.peel_to_commit())
            .map_err(|source| SourceError::UnknownRevision {
                rev: rev.into(),
                root: root.into(),
                source,
            }),
        None => match repo.head().and_then(|head| head.peel_to_commit()) {
            Ok(commit) => Ok(commit),
            Err(error) if error.code() == git2::ErrorCode::UnbornBranch => {
                Err(SourceError::NoCommit { root: root.into() })
            }
            Err(source) => Err(SourceError::Repository {
                root: root.into(),
                source,
            }),
        },
    }
}

/// Tells which files of the work tree git leaves out.
pub struct Ignored<'repo> {
    repo: &'repo Repository,
    index: Option<git2::Index>,
}

impl<'repo> Ignored<'repo> {
    /// The rules of `.gitignore` and the index, which overrules them.
    pub fn new(repo: &'repo Repository) -> Self {
        Self {
            repo,
            index: repo.index().ok(),
        }
    }

    /// Whether `path` (relative to the work tree) is in the index.
    pub fn tracked(&self, path: &Path) -> bool {
        let entry = |index: &git2::Index| index.get_path(path, 0).is_some();
        self.index.as_ref().is_some_and(entry)
    }

    /// Whether `path` (relative to the work tree) is ignored and not tracked.
    pub fn contains(&self, path: &Path) -> bool {
        !self.tracked(path) && self.repo.is_path_ignored(path).unwrap_or(false)
    }
}
