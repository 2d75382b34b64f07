//! What can be wrong with a checkout.

use std::path::{Path, PathBuf};

use source_text::SourceFile;
pub(crate) use source_text::{Speller, misspelt, nearest, suggest};

use super::load::Unread;
use super::tree::MAX_SIZE;
use crate::model::Diagnostic;

/// Shorthand of this stage.
pub type Result<T> = std::result::Result<T, SourceError>;

/// Why a checkout could not be read. `Display` leaves the cause to [`std::error::Error::source`].
/// Where nothing else is said, `path` is the one in the checkout, and `source` what the system or libgit2 said.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A place in a file is wrong.
    #[error("{0}")]
    Syntax(Box<Diagnostic>),
    /// A place in a file that can be read, and says something that cannot run.
    #[error("{place}")]
    Refused {
        /// The rule of `check` that reports it.
        rule: &'static str,
        place: Box<Diagnostic>,
    },
    /// The folder is not there, or is no folder.
    #[error("cannot open the folder {}", path.display())]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The folder holds none of the known inputs.
    #[error("{} contains no desired state: looked for {}", folder.display(), looked_for.join(", "))]
    NoDesiredState {
        /// The folder, for git relative to the checkout.
        folder: PathBuf,
        looked_for: Vec<String>,
        /// Folders that look like a part of one.
        instead: Vec<Unread>,
    },
    /// A host was named that has no files of its own.
    #[error("{} has no folder for the host {host}", folder.display())]
    UnknownHost {
        host: String,
        /// The folder of the hosts, for git relative to the checkout.
        folder: PathBuf,
        /// Those that have one.
        known: Vec<String>,
    },
    /// Somebody who may not decide about this host owns the checkout or a part of it.
    #[error("{} belongs to user id {owner}, not to {expected}", path.display())]
    Owner {
        path: PathBuf,
        owner: u32,
        /// Whom it may belong to, in words.
        expected: String,
        help: String,
    },
    /// Everybody may write to the checkout.
    #[error("{} is writable by every user of this machine (mode {mode:04o})", path.display())]
    WorldWritable { path: PathBuf, mode: u32 },
    /// The repository's own settings point its work tree somewhere else.
    #[error("the repository in {} has its work tree in {}", root.display(), worktree.display())]
    ForeignWorktree {
        /// Where `.git` was found.
        root: PathBuf,
        /// Where it says its work tree is.
        worktree: PathBuf,
    },
    /// libgit2 does not open the repository.
    #[error("cannot open the git repository in {}", root.display())]
    Repository {
        /// Where `.git` was found.
        root: PathBuf,
        source: git2::Error,
    },
    /// libgit2 makes no repository.
    #[error("cannot create a git repository in {}", folder.display())]
    Begin {
        /// The folder that is to be its work tree.
        folder: PathBuf,
        source: git2::Error,
    },
    /// The repository has no commit yet.
    #[error("the git repository in {} has no commit yet", root.display())]
    NoCommit { root: PathBuf },
    /// No commit goes by that name. `git log --oneline` lists them.
    #[error("no revision {rev:?} in {}", root.display())]
    UnknownRevision {
        rev: String,
        root: PathBuf,
        /// Whether the clone has only the last commits.
        shallow: bool,
    },
    /// A revision of a folder that is not in git.
    #[error("{} is not in a git repository, so it has no revision {rev:?}", folder.display())]
    NotGit { folder: PathBuf, rev: String },
    /// git cannot read an object.
    #[error("cannot read {} from git", path.display())]
    Object { path: PathBuf, source: git2::Error },
    /// The file system cannot read a file.
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A name that is no valid name.
    #[error("{}: {why}", escaped(path))]
    Name { path: PathBuf, why: String },
    /// A link that leads out of the checkout.
    #[error(
        "the link {} points to {}, outside the checkout",
        escaped(link),
        escaped(target)
    )]
    LinkLeaves { link: PathBuf, target: PathBuf },
    /// A link to nothing, or links that lead to each other.
    #[error("the link {} points to {}{how}", escaped(link), escaped(target))]
    LinkBroken {
        link: PathBuf,
        target: PathBuf,
        how: &'static str,
    },
    /// Neither a file, a folder, nor a link.
    #[error("{} is {what}", escaped(path))]
    Special { path: PathBuf, what: &'static str },
    /// A file, or a folder on the way to it, that only some users may read; see [`super::tree::Readers`].
    #[error(
        "{} is not read: not everybody may read it, and no unit that was applied or installed names it",
        escaped(path)
    )]
    Private { path: PathBuf },
    /// A file beyond the limit.
    #[error("{} has {size} bytes; the limit is {MAX_SIZE}", escaped(path))]
    TooLarge { path: PathBuf, size: u64 },
    /// Two files that stand for the same resource.
    #[error(
        "{kind} {name} is defined twice: by {} and by {}",
        escaped(first),
        escaped(second)
    )]
    Duplicate {
        /// `site` or `unit`.
        kind: &'static str,
        name: String,
        first: PathBuf,
        second: PathBuf,
    },
    /// A file among the units that is no unit.
    #[error("{} is not a unit: {why}", escaped(path))]
    NotAUnit { path: PathBuf, why: String },
}

impl SourceError {
    /// What to do about it, if more can be said than the message does.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax(place) | Self::Refused { place, .. } => place.help.clone(),
            Self::Owner { help, .. } => Some(help.clone()),
            Self::WorldWritable { path, .. } => Some(format!("chmod o-w {}", path.display())),
            Self::UnknownRevision {
                root,
                shallow: true,
                ..
            } => Some(format!(
                "this clone has only the last commits: git -C {} fetch --unshallow (fetch-depth: 0 for actions/checkout)",
                root.display()
            )),
            Self::UnknownRevision { root, .. } => Some(format!(
                "git -C {} log --oneline lists the revisions; git fetch brings new ones",
                root.display()
            )),
            Self::NoCommit { .. } => {
                Some("commit something, or use --worktree to read the uncommitted files".into())
            }
            Self::NotGit { .. } => Some("leave --rev out to read the files of the folder".into()),
            Self::ForeignWorktree { root, .. } => Some(format!(
                "remove core.worktree from {}",
                root.join(".git/config").display()
            )),
            Self::NoDesiredState { instead, .. } => Some(match stated(instead) {
                Some(keys) => {
                    format!("write a watchme.toml there that names the folders: [folders] {keys}")
                }
                None => {
                    "put one of them there, or name another folder with --desired-state DIR".into()
                }
            }),
            Self::UnknownHost { known, .. } => Some(match known.is_empty() {
                true => "no host has files of its own: leave out --host".to_owned(),
                false => format!("the hosts are {}", known.join(", ")),
            }),
            Self::LinkLeaves { .. } => {
                Some("only relative links to files of the same checkout can be applied".into())
            }
            _ => None,
        }
    }

    /// The complaint about the one file that is wrong, if it is one: without a place in its text where that cannot be
    /// read. Any other error is about the checkout as a whole, and is given back.
    pub fn into_diagnostic(self) -> std::result::Result<Diagnostic, Self> {
        let error = match self {
            Self::Syntax(place) | Self::Refused { place, .. } => return Ok(*place),
            other => other,
        };
        let path = match &error {
            Self::Read { path, .. }
            | Self::Name { path, .. }
            | Self::LinkLeaves { link: path, .. }
            | Self::LinkBroken { link: path, .. }
            | Self::Special { path, .. }
            | Self::Private { path }
            | Self::TooLarge { path, .. }
            | Self::Duplicate { second: path, .. }
            | Self::NotAUnit { path, .. } => path.clone(),
            _ => return Err(error),
        };
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        let message = format!("{error}{}", cause.unwrap_or_default());
        Ok(Diagnostic {
            help: error.hint(),
            ..Diagnostic::at(&SourceFile::new(path, ""), 0..0, message, "")
        })
    }
}

/// What `[folders]` has to say so that they are read: the first folder for each key.
fn stated(instead: &[Unread]) -> Option<String> {
    let first = |key: &str| instead.iter().find(|one| one.key == key);
    let keys = ["sites", "units"].into_iter().filter_map(first);
    let keys = keys.map(|one| format!("{} = {:?}", one.key, one.folder.to_string_lossy()));
    let keys: Vec<String> = keys.collect();
    (!keys.is_empty()).then(|| keys.join(", "))
}

impl From<Diagnostic> for SourceError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Syntax(Box::new(diagnostic))
    }
}

/// A path without control characters: it goes to a terminal.
fn escaped(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .flat_map(|c| match c.is_control() {
            true => c.escape_default().collect::<Vec<_>>(),
            false => vec![c],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_never_reach_a_terminal() {
        let error = SourceError::Name {
            path: PathBuf::from("systemd/a\u{1b}[31m.service"),
            why: "has a control character".into(),
        };
        assert_eq!(
            error.to_string(),
            "systemd/a\\u{1b}[31m.service: has a control character"
        );
    }
}
