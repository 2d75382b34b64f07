//! Opening a repository as root that another user owns, without doing what its settings say.
//!
//! libgit2 runs no hooks, filters or fsmonitor. What is left is where the repository says its
//! work tree is, and settings of whoever called: neither is followed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use git2::{ConfigLevel, Repository, RepositoryOpenFlags};

use super::error::{Result, SourceError};
use super::owner::{self, Asker, Part};
use super::safe;

/// libgit2 keeps its search paths in global state, and the environment is global too.
static LIBGIT2: Mutex<()> = Mutex::new(());

/// The folder at or above `folder` that holds `.git`, a folder or a work tree's file.
pub(super) fn find(folder: &Path) -> Option<PathBuf> {
    let is_root = |above: &&Path| above.join(".git").symlink_metadata().is_ok();
    folder.ancestors().find(is_root).map(Path::to_owned)
}

/// Opens the repository whose `.git` is in `root` after checking who owns it, and says who. Where the owner alone
/// speaks against it, root's own settings are asked, as git does.
pub(super) fn open(
    folder: &Path,
    root: &Path,
    asker: &mut Asker,
) -> Result<(Repository, Option<u32>)> {
    asker.repository = Some(root.into());
    let mut parts = vec![Part::look(folder)?, Part::look(root)?];
    parts.push(Part::look(&root.join(".git"))?);
    // Who can write these decides what HEAD is.
    for inside in ["HEAD", "refs", "refs/heads", "packed-refs", "objects"] {
        let path = root.join(".git").join(inside);
        if path.exists() {
            parts.push(Part::look(&path)?);
        }
    }
    if let Err(SourceError::Owner { .. }) = owner::check(asker, &parts)
        && asker.euid == 0
    {
        asker.safe = safe::is_safe(root);
    }
    owner::check(asker, &parts)?;
    let repo = open_trusting(root, &parts).map_err(|source| SourceError::Repository {
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

/// Opens with no setting of the system or the user. libgit2 has its own rule about owners, and
/// switching it off would let `core.worktree=/etc` through: it is said that the owner, whom we
/// have checked, is fine.
fn open_trusting(root: &Path, parts: &[Part]) -> std::result::Result<Repository, git2::Error> {
    let _guard = LIBGIT2.lock().unwrap_or_else(PoisonError::into_inner);
    let open = |global: &Path| {
        search_paths(global)?;
        let none = std::iter::empty::<&Path>();
        let opened = Repository::open_ext(root, RepositoryOpenFlags::NO_SEARCH, none);
        search_paths(Path::new(""))?;
        opened
    };
    if parts.iter().all(Part::is_mine) {
        return open(Path::new(""));
    }
    match parts.first().filter(|_| nix::unistd::geteuid().is_root()) {
        Some(folder) => as_called_by(folder.owner(), || open(Path::new(""))),
        None => open_with_safe_directory(root, open),
    }
}

/// For root, libgit2 takes the owner that `SUDO_UID` names, `git_fs_path_owner_is` in its
/// fs_path.c. A unit has no such variable, and a run that has nothing to do must not write a
/// settings file.
#[allow(unsafe_code)]
fn as_called_by<T>(owner: u32, open: impl FnOnce() -> T) -> T {
    const NAME: &str = "SUDO_UID";
    let before = std::env::var_os(NAME);
    // SAFETY: the program has one thread while it reads a checkout, and tests that run several
    // hold LIBGIT2 here and read no environment elsewhere.
    unsafe { std::env::set_var(NAME, owner.to_string()) };
    let opened = open();
    // SAFETY: as above.
    match before {
        Some(before) => unsafe { std::env::set_var(NAME, before) },
        None => unsafe { std::env::remove_var(NAME) },
    }
    opened
}

/// For anybody else, `safe.directory` with `root` alone, in a settings file of our own.
fn open_with_safe_directory(
    root: &Path,
    open: impl FnOnce(&Path) -> std::result::Result<Repository, git2::Error>,
) -> std::result::Result<Repository, git2::Error> {
    let failed = |error: std::io::Error| git2::Error::from_str(&error.to_string());
    let settings = tempfile::tempdir().map_err(failed)?;
    let text = format!("[safe]\n\tdirectory = {}\n", quoted(root));
    std::fs::write(settings.path().join(".gitconfig"), text).map_err(failed)?;
    open(settings.path())
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
        // only caller holds LIBGIT2.
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
pub(super) fn commit<'repo>(
    repo: &'repo Repository,
    root: &Path,
    rev: Option<&str>,
) -> Result<git2::Commit<'repo>> {
    match rev {
        Some(rev) => repo
            .revparse_single(rev)
            .and_then(|object| object.peel_to_commit())
            .map_err(|_| SourceError::UnknownRevision {
                rev: rev.into(),
                root: root.into(),
                shallow: repo.is_shallow(),
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

/// Commits that one commit has and another has not.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Log {
    /// The newest of them, newest first.
    pub commits: Vec<LogLine>,
    /// How many more there are.
    pub more: usize,
    /// How many it lacks that the other one has.
    pub lacks: usize,
}

/// A commit of a [`Log`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogLine {
    /// Its full id.
    pub commit: String,
    /// When it was committed.
    #[cfg_attr(test, schemars(with = "String"))]
    pub time: jiff::Timestamp,
    /// Name of its author.
    pub author: String,
    /// First line of its message.
    pub subject: String,
}

/// The commits that are reachable from `to` and not from `from`, at most `limit` of them.
pub(super) fn log(
    repo: &Repository,
    root: &Path,
    from: Option<&str>,
    to: &str,
    limit: usize,
) -> Result<Log> {
    let to = commit(repo, root, Some(to))?.id();
    let from = from.map(|from| commit(repo, root, Some(from)).map(|from| from.id()));
    let from = from.transpose()?;
    let walk = |has: git2::Oid, has_not: Option<git2::Oid>| {
        let mut walk = repo.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME)?;
        walk.push(has)?;
        has_not.map_or(Ok(()), |has_not| walk.hide(has_not))?;
        walk.collect::<std::result::Result<Vec<git2::Oid>, git2::Error>>()
    };
    let read = || {
        let ids = walk(to, from)?;
        let lines = ids.iter().take(limit);
        Ok(Log {
            commits: lines
                .map(|id| repo.find_commit(*id).map(|commit| line(&commit)))
                .collect::<std::result::Result<_, git2::Error>>()?,
            more: ids.len().saturating_sub(limit),
            lacks: match from {
                Some(from) => walk(from, Some(to))?.len(),
                None => 0,
            },
        })
    };
    read().map_err(|source| SourceError::Repository {
        root: root.into(),
        source,
    })
}

fn line(commit: &git2::Commit<'_>) -> LogLine {
    let seconds = commit.time().seconds();
    LogLine {
        commit: commit.id().to_string(),
        time: jiff::Timestamp::from_second(seconds).unwrap_or_default(),
        author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
        subject: subject(commit),
    }
}

/// The first line of a commit's message.
pub(super) fn subject(commit: &git2::Commit<'_>) -> String {
    let line = commit.message_bytes().split(|byte| *byte == b'\n').next();
    String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
}

/// Tells which files of the work tree git leaves out.
pub(crate) struct Ignored<'repo> {
    repo: &'repo Repository,
    index: Option<git2::Index>,
}

impl<'repo> Ignored<'repo> {
    /// The rules of `.gitignore` and the index, which overrules them.
    pub(super) fn new(repo: &'repo Repository) -> Self {
        Self {
            repo,
            index: repo.index().ok(),
        }
    }

    /// Whether `path` (relative to the work tree) is in the index; of a folder, whether a file below it is.
    pub(super) fn tracked(&self, path: &Path, is_folder: bool) -> bool {
        self.index.as_ref().is_some_and(|index| match is_folder {
            true => index.find_prefix(&*path.join("")).is_ok(),
            false => index.get_path(path, 0).is_some(),
        })
    }

    /// Whether `path` (relative to the work tree) is ignored and not tracked.
    pub(super) fn contains(&self, path: &Path, is_folder: bool) -> bool {
        !self.tracked(path, is_folder) && self.repo.is_path_ignored(path).unwrap_or(false)
    }

    /// Files in a folder of the work tree that differ from the commit that is checked out, and new ones that git does not
    /// ignore; of a new folder, its own name.
    pub(super) fn changed_below(&self, folder: &Path) -> Vec<PathBuf> {
        let mut options = git2::StatusOptions::new();
        options
            .include_untracked(true)
            .exclude_submodules(true)
            .disable_pathspec_match(true);
        if !folder.as_os_str().is_empty() {
            options.pathspec(folder);
        }
        let statuses = self.repo.statuses(Some(&mut options));
        let statuses = statuses.iter().flat_map(|statuses| statuses.iter());
        let paths = statuses.map(|entry| PathBuf::from(OsStr::from_bytes(entry.path_bytes())));
        paths.collect()
    }
}
