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

use crate::model::{ComposeCommand, Desired, File, Origin, Target, layout};
use error::Result;
use load::Places;
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
    repo: Option<git2::Repository>,
    owner: Option<u32>,
    /// Whether git's own settings let root in, whoever owns it.
    safe: bool,
    /// Where it is, here and on the host that it is read for.
    places: Places,
    /// Files that are read as if they had been written, by their path in it.
    written: BTreeMap<PathBuf, Vec<u8>>,
}

/// A state of a checkout.
#[derive(Debug, Default)]
pub struct Revision {
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
            return Ok(Self::at(canonical, PathBuf::new(), owner));
        };
        let (repo, owner) = git::open(&canonical, &root, &mut asker)?;
        let folder = canonical.strip_prefix(&root);
        let folder = folder.unwrap_or(Path::new("")).to_owned();
        Ok(Self {
            repo: Some(repo),
            safe: asker.safe,
            ..Self::at(root, folder, owner)
        })
    }

    /// A folder outside git.
    fn at(root: PathBuf, folder: PathBuf, owner: Option<u32>) -> Self {
        let places = Places {
            root,
            folder,
            program: layout::PROGRAMS[0].into(),
            ..Places::default()
        };
        Self {
            repo: None,
            owner,
            safe: false,
            places,
            written: BTreeMap::new(),
        }
    }

    /// The same for a host on which compose is called like this.
    pub fn with_compose(mut self, compose: ComposeCommand) -> Self {
        self.places.compose = compose;
        self
    }

    /// The same for a host that has this program there: units that are generated start it.
    pub fn with_program(mut self, program: PathBuf) -> Self {
        self.places.program = program;
        self
    }

    /// The same for a host that has what `applied` says, with the units that are paused there.
    pub fn after(mut self, applied: Option<&Desired>, paused: impl Fn(&str) -> bool) -> Self {
        let copies = applied.map(|applied| applied.copies(paused));
        self.places.copies = copies.unwrap_or_default();
        self
    }

    /// The same for this host, where units name the checkout by `known_at`, wherever it is. What is there beside
    /// the files that are in git, such as `.env`, is read there.
    pub fn on_this_host(mut self, known_at: Option<PathBuf>) -> Self {
        self.places.known_at = known_at;
        self.places.read_there = Some(self.own_asker());
        self
    }

    /// The same for a host: its files in `hosts/NAME/` of the desired state are over those of all hosts.
    pub fn for_host(mut self, host: Option<HostName>) -> Self {
        self.places.host = host;
        self
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
        &self.places.root
    }

    /// Who asks, where the owner of the checkout is trusted.
    fn own_asker(&self) -> Asker {
        Asker::current(&self.owner.into_iter().collect::<Vec<_>>())
    }

    /// The commits that `to` has and `from` has not, the youngest first and at most `limit`.
    ///
    /// # Errors
    /// When the folder is not in git, or one of the two is not there any more.
    pub fn log(&self, from: Option<&str>, to: &str, limit: usize) -> Result<Log> {
        match &self.repo {
            Some(repo) => git::log(repo, self.root(), from, to, limit),
            None => Err(SourceError::NotGit {
                folder: self.places.root.clone(),
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
            folder: self.places.desired_state(),
            owner: self.owner,
            ..Origin::default()
        }
    }
}

#[cfg(test)]
mod tests;
