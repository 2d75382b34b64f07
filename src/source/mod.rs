//! A checkout becomes a [`Desired`]: reading it safely, and parsing what it holds.
//!
//! `git`, `owner`, `tree` and `alone` read; `policy`, `nginx`, `unit` and `compose` parse; `load`
//! combines what they found.

#![allow(
    clippy::result_large_err,
    reason = "an error ends the run, so that its size never costs anything"
)]

mod alone;
mod begin;
pub mod compose;
mod differences;
pub mod error;
mod git;
pub(crate) mod load;
mod merge;
mod needs;
pub mod nginx;
mod owner;
pub mod policy;
mod read;
mod repository;
pub mod routes;
mod safe;
pub mod tree;
pub mod unit;
pub(crate) mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use begin::{commit_all, is_in_git};
pub use error::SourceError;
pub use git::{Log, LogLine};
pub(crate) use load::{
    DEFAULT_FILES as DEFAULT_COMPOSE_FILES, ParsedStack, installed, is_env_file,
};
pub use load::{External, HostName, Parsed, Unread};
pub(crate) use merge::merge;
pub use repository::Kinship;
pub use variables::{Lacking, Look};

use rustc_hash::FxHashMap;
use source_text::SourceFile;

use crate::model::{ComposeCommand, Copies, Desired, File, Origin, Target, layout};
use alone::Alone;
use error::Result;
use owner::{Asker, Part};

/// Which state of a checkout is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The commit that is checked out.
    Head,
    /// A commit, by anything that `git rev-parse` takes.
    Rev(String),
    /// The files as they lie.
    Worktree,
}

/// A desired state's folder, in git or not, whose owner was checked.
pub struct Checkout {
    root: PathBuf,
    folder: PathBuf,
    repo: Option<git2::Repository>,
    owner: Option<u32>,
    /// Whether git's own settings let root in, whoever owns it.
    safe: bool,
    /// Where the checkout is on the host that it is read for.
    server: Server,
    /// How compose is called on that host.
    compose: ComposeCommand,
    /// Where this program is on that host.
    program: PathBuf,
    /// The copies that it has of stacks that update start-first.
    copies: Copies,
    /// The host whose files are over those of all hosts.
    host: Option<HostName>,
    /// The one file that it has.
    alone: Option<Alone>,
    /// Files that are read as if they had been written, by their path in it.
    written: BTreeMap<PathBuf, Vec<u8>>,
}

/// Where a host has the checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Server {
    /// It is read for no host: it is where it says so, or here.
    #[default]
    Any,
    /// It is read for this host, on which it is known to lie there, or here.
    This(Option<PathBuf>),
}

/// A state of a checkout.
#[derive(Debug, Default)]
pub struct Revision {
    /// What it wants.
    pub desired: Desired,
    /// Where it came from.
    pub origin: Origin,
    /// What somebody should know, and nothing fails for.
    pub warnings: Vec<String>,
    /// Whose desired state the host has, if this one is to take it over.
    pub takes_over_from: Option<String>,
    /// Its inputs, parsed.
    pub parsed: Parsed,
    /// Its inputs by their path in the checkout.
    pub inputs: BTreeMap<PathBuf, File>,
    /// The versions of the host's programs, if it was asked for them.
    pub host: Target,
    /// Copies beside the inputs that people and editors left: no resources.
    pub backups: BTreeSet<PathBuf>,
    /// Texts of inputs that somebody asked for.
    /// By the bytes of their path: that is asked for each finding, and takes long by the components of a path.
    texts: Mutex<FxHashMap<OsString, Arc<SourceFile>>>,
}

impl Revision {
    /// The versions of the server's programs: those of watchme.toml, else those of the host.
    pub fn target(&self) -> Target {
        Target::from(&self.parsed.policy.host).or(self.host)
    }

    /// The files of each part of the checkout that is outside the inputs and is surveyed by itself.
    pub(crate) fn loose(&self) -> impl Iterator<Item = &[PathBuf]> {
        self.parsed.loose.iter().map(|alone| alone.paths.as_slice())
    }

    /// The text of an input, as it was parsed; that of a file that is none is empty.
    pub fn text(&self, path: &Path) -> Arc<SourceFile> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = texts.get(path.as_os_str()) {
            return known.clone();
        }
        let content = self.inputs.get(path).map(|file| &*file.content);
        let text = String::from_utf8_lossy(content.unwrap_or_default());
        let file = SourceFile::new(path, text);
        texts.insert(path.as_os_str().to_owned(), file.clone());
        file
    }
}

impl Checkout {
    /// Opens the desired state's folder, and the repository it is in.
    ///
    /// For root, folder, work tree and `.git` need one owner: root, the user who called sudo,
    /// or one of `trusted`.
    pub fn open(folder: &Path, trusted: &[u32]) -> Result<Self> {
        let failed = |source| SourceError::Folder {
            path: folder.into(),
            source,
        };
        let canonical = folder.canonicalize().map_err(failed)?;
        if !canonical.is_dir() {
            return Err(failed(std::io::ErrorKind::NotADirectory.into()));
        }
        let mut asker = Asker::current(trusted);
        let Some(root) = git::find(&canonical) else {
            let owner = owner::check(&asker, &[Part::look(&canonical)?])?;
            return Ok(Self {
                root: canonical,
                folder: PathBuf::new(),
                repo: None,
                owner,
                safe: false,
                server: Server::Any,
                compose: ComposeCommand::default(),
                program: layout::PROGRAMS[0].into(),
                copies: Copies::default(),
                host: None,
                alone: None,
                written: BTreeMap::new(),
            });
        };
        let (repo, owner) = git::open(&canonical, &root, &mut asker)?;
        let folder = canonical
            .strip_prefix(&root)
            .unwrap_or(Path::new(""))
            .to_owned();
        Ok(Self {
            root,
            folder,
            repo: Some(repo),
            owner,
            safe: asker.safe,
            server: Server::Any,
            compose: ComposeCommand::default(),
            program: layout::PROGRAMS[0].into(),
            copies: Copies::default(),
            host: None,
            alone: None,
            written: BTreeMap::new(),
        })
    }

    /// The same for a host on which compose is called like this.
    pub fn with_compose(self, compose: ComposeCommand) -> Self {
        Self { compose, ..self }
    }

    /// The same for a host that has this program there: units that are generated start it.
    pub fn with_program(self, program: PathBuf) -> Self {
        Self { program, ..self }
    }

    /// The same for a host that has what `applied` says, with the units that are paused there.
    pub fn after(self, applied: Option<&Desired>, paused: impl Fn(&str) -> bool) -> Self {
        let copies = applied.map(|applied| applied.copies(paused));
        let copies = copies.unwrap_or_default();
        Self { copies, ..self }
    }

    /// The same for this host, where units name the checkout by `known_at`, wherever it is. What is there beside
    /// the files that are in git, such as `.env`, is read there.
    pub fn on_this_host(self, known_at: Option<PathBuf>) -> Self {
        Self {
            server: Server::This(known_at),
            ..self
        }
    }

    /// The same for a host: its files in `hosts/NAME/` of the desired state are over those of all hosts.
    pub fn for_host(self, host: Option<HostName>) -> Self {
        Self { host, ..self }
    }

    /// The same as if these files of its work tree had been written, by their path in it.
    pub(crate) fn with_written(self, written: BTreeMap<PathBuf, Vec<u8>>) -> Self {
        Self { written, ..self }
    }

    /// Whether the folder is in git.
    pub fn is_git(&self) -> bool {
        self.repo.is_some()
    }

    /// The work tree, or the folder itself outside git.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commits that `to` has and `from` has not, the youngest first and at most `limit`.
    ///
    /// # Errors
    /// When the folder is not in git, or one of the two is not there any more.
    pub fn log(&self, from: Option<&str>, to: &str, limit: usize) -> Result<Log> {
        match &self.repo {
            Some(repo) => git::log(repo, &self.root, from, to, limit),
            None => Err(SourceError::NotGit {
                folder: self.root.clone(),
                rev: to.to_owned(),
            }),
        }
    }

    fn origin(&self, commit: Option<&git2::Commit>) -> Origin {
        Origin {
            commit: commit.map(|commit| commit.id().to_string()),
            subject: commit.map(git::subject),
            author: commit.map(|commit| {
                let author = commit.author();
                let name = String::from_utf8_lossy(author.name_bytes()).into_owned();
                format!("{name} <{}>", String::from_utf8_lossy(author.email_bytes()))
            }),
            // Joining an empty path would add a slash.
            folder: match self.folder.as_os_str().is_empty() {
                true => self.root.clone(),
                false => self.root.join(&self.folder),
            },
            owner: self.owner,
            ..Origin::default()
        }
    }
}

#[cfg(test)]
mod tests;
