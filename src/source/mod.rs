//! A checkout becomes a [`Desired`]: reading it safely, and parsing what it holds.
//!
//! `git`, `owner` and `tree` read; `policy`, `nginx`, `unit` and `compose` parse; `load`
//! combines what they found.

#![allow(
    clippy::result_large_err,
    reason = "an error ends the run, so that its size never costs anything"
)]

pub mod compose;
pub mod error;
mod git;
mod load;
mod needs;
pub mod nginx;
mod owner;
pub mod policy;
mod repository;
pub mod routes;
mod safe;
pub mod tree;
pub mod unit;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use error::SourceError;
pub use git::{Log, LogLine};
pub use load::{External, Parsed, ParsedStack, installed, is_env_file};
pub use repository::Kinship;
pub use variables::{Lacking, Look};

use source_text::SourceFile;

use crate::model::{Desired, Diagnostic, File, Hash, Origin};
use error::Result;
use git::Ignored;
use load::inputs::{Read, is_backup};
use load::{Inputs, Loaded, Places, Wrong};
use owner::{Asker, Part};
use tree::{CommitTree, FolderTree, Node, Tree};

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
    /// Where the checkout lies on the host that it is read for.
    server: Server,
}

/// Where a host has the checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Server {
    /// It is read for no host: it lies where it says so, or here.
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
    /// Copies beside the inputs that people and editors left: no resources.
    pub backups: BTreeSet<PathBuf>,
    /// Texts of inputs that somebody asked for.
    texts: Mutex<BTreeMap<PathBuf, Arc<SourceFile>>>,
}

impl Revision {
    /// The text of an input, as it was parsed; that of a file that is none is empty.
    pub fn text(&self, path: &Path) -> Arc<SourceFile> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = texts.get(path) {
            return known.clone();
        }
        let content = self.inputs.get(path).map(|file| &*file.content);
        let text = String::from_utf8_lossy(content.unwrap_or_default());
        let file = SourceFile::new(path, text);
        texts.insert(path.to_owned(), file.clone());
        file
    }
}

impl Checkout {
    /// Opens the desired state's folder, and the repository it lies in.
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
        })
    }

    /// The same for this host, where units name the checkout by `known_at`, wherever it lies. What lies there beside
    /// the files that are in git, such as `.env`, is read there.
    pub fn on_this_host(self, known_at: Option<PathBuf>) -> Self {
        Self {
            server: Server::This(known_at),
            ..self
        }
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

    /// Reads one state of the checkout. With [`Which::Head`], `origin.dirty` lists the inputs
    /// that lie differently in the work tree.
    pub fn read(&self, which: &Which) -> Result<Revision> {
        let (revision, _) = self.take(which, Wrong::Fails)?;
        Ok(revision)
    }

    /// The same of a commit in which there may be no desired state yet: then it wants nothing.
    pub fn read_base(&self, which: &Which) -> Result<Revision> {
        let (Which::Rev(rev), Some(repo)) = (which, &self.repo) else {
            return self.read(which);
        };
        match self.read(which) {
            Err(SourceError::NoDesiredState { .. }) => {
                let commit = git::commit(repo, &self.root, Some(rev))?;
                Ok(Revision {
                    origin: self.origin(Some(&commit)),
                    warnings: vec![format!("{rev} holds no desired state: all is new")],
                    ..Revision::default()
                })
            }
            read => read,
        }
    }

    /// Reads one state of the checkout as far as it can be read, for those who tell what is wrong
    /// with it: places that are wrong come back beside what was read without them.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn survey(&self, which: &Which) -> Result<(Revision, Vec<Diagnostic>)> {
        self.take(which, Wrong::IsCollected)
    }

    fn take(&self, which: &Which, wrong: Wrong) -> Result<(Revision, Vec<Diagnostic>)> {
        let work = Tree::Folder(FolderTree::new(&self.root));
        let rev = match (which, &self.repo) {
            (Which::Rev(rev), None) => {
                return Err(SourceError::NotGit {
                    folder: self.root.clone(),
                    rev: rev.clone(),
                });
            }
            (Which::Worktree, _) | (Which::Head, None) => return self.take_folder(&work, wrong),
            (Which::Rev(rev), Some(_)) => Some(rev.as_str()),
            (Which::Head, Some(_)) => None,
        };
        let Some(repo) = &self.repo else {
            return self.take_folder(&work, wrong);
        };
        let commit = git::commit(repo, &self.root, rev)?;
        let root = commit.tree().map_err(|source| SourceError::Object {
            path: self.root.clone(),
            source,
        })?;
        let tree = Tree::Commit(CommitTree::new(repo, &root));
        let inputs = Inputs::of_commit(&tree);
        let mut loaded = load::load(&inputs, Some(&work), &self.places(), wrong)?;
        let read = inputs.into_read();
        let mut origin = self.origin(Some(&commit));
        if *which == Which::Head {
            let ignored = Ignored::new(repo);
            let lies = Inputs::of_folder(&work, Some(&ignored));
            origin.dirty = dirty(&read, &lies, &loaded);
            match loaded.beside.take() {
                Some(root) => {
                    let there = Tree::Folder(FolderTree::new(&root));
                    let there = Inputs::of_folder(&there, Some(&ignored));
                    settle(&mut loaded, Some(&there), &origin.dirty);
                }
                None => settle(&mut loaded, Some(&lies), &origin.dirty),
            }
        } else {
            settle(&mut loaded, None, &[]);
        }
        let wrong = std::mem::take(&mut loaded.wrong);
        Ok((finish(loaded, read, origin), wrong))
    }

    fn take_folder(&self, work: &Tree, wrong: Wrong) -> Result<(Revision, Vec<Diagnostic>)> {
        let ignored = self.repo.as_ref().map(Ignored::new);
        let inputs = Inputs::of_folder(work, ignored.as_ref());
        let mut loaded = load::load(&inputs, Some(work), &self.places(), wrong)?;
        settle(&mut loaded, Some(&inputs), &[]);
        let read = inputs.into_read();
        self.check_owners(&read)?;
        let commit = self
            .repo
            .as_ref()
            .and_then(|repo| git::commit(repo, &self.root, None).ok());
        let origin = Origin {
            worktree: true,
            ..self.origin(commit.as_ref())
        };
        let wrong = std::mem::take(&mut loaded.wrong);
        Ok((finish(loaded, read, origin), wrong))
    }

    /// Files that lie in a folder come from whoever could write there: root follows none that
    /// anybody but the checkout's owner could have put there.
    fn check_owners(&self, read: &Read) -> Result<()> {
        let asker = Asker {
            safe: self.safe,
            repository: self.repo.is_some().then(|| self.root.clone()),
            ..Asker::current(&self.owner.into_iter().collect::<Vec<_>>())
        };
        if asker.euid != 0 {
            return Ok(());
        }
        let mut folders: BTreeSet<&Path> = BTreeSet::new();
        for path in read.found.keys() {
            // Those above a known one are known, too.
            for folder in path.ancestors().skip(1) {
                if !folders.insert(folder) {
                    break;
                }
            }
        }
        let files = read.found.keys().map(PathBuf::as_path);
        let paths = folders.into_iter().chain(files);
        let looked: Result<Vec<Part>> = paths
            .map(|path| Part::look(&self.root.join(path)))
            .collect();
        owner::check(&asker, &looked?).map(|_| ())
    }

    fn places(&self) -> Places {
        Places {
            folder: self.folder.clone(),
            root: self.root.clone(),
            known_at: match &self.server {
                Server::This(known_at) => known_at.clone(),
                Server::Any => None,
            },
            read_there: match self.server {
                Server::This(_) => {
                    Some(Asker::current(&self.owner.into_iter().collect::<Vec<_>>()))
                }
                Server::Any => None,
            },
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

/// Inputs of the commit that lie differently in the work tree, and files there that would be
/// inputs and are not in the commit.
fn dirty(read: &Read, lies: &Inputs, loaded: &Loaded) -> Vec<PathBuf> {
    let mut dirty = BTreeSet::new();
    for (path, file) in &read.found {
        // What cannot be read is not what the commit says, either.
        let same = matches!(
            lies.tree.read(path),
            Ok(Some((content, executable)))
                if *content == *file.content && executable == file.executable
        );
        if !same {
            dirty.insert(path.clone());
        }
    }
    let new = |path: &Path| {
        !lies.left_out(path) && !matches!(lies.node(path), Ok(None | Some((_, Node::Folder))))
    };
    let needed = loaded.missing.iter().filter(|missing| missing.needed);
    let missing = needed.map(|missing| &missing.relative).chain(&read.absent);
    dirty.extend(missing.filter(|path| new(path)).cloned());
    for (folder, known) in &read.folders {
        new_files(lies, folder, known, &mut dirty, 0);
    }
    dirty.into_iter().collect()
}

/// Files below a folder of the work tree that are not in the commit.
fn new_files(
    lies: &Inputs,
    folder: &Path,
    known: &BTreeSet<String>,
    dirty: &mut BTreeSet<PathBuf>,
    depth: usize,
) {
    // A name that is no name is an input as little as it is a resource: it is listed by git.
    let names = lies.tree.list(folder).unwrap_or_default();
    for name in names
        .into_iter()
        .filter(|name| !known.contains(name) && !is_backup(name))
    {
        let path = folder.join(name);
        if lies.left_out(&path) {
            continue;
        }
        match lies.node(&path) {
            Ok(Some((_, Node::Folder))) if depth < 16 => {
                new_files(lies, &path, &BTreeSet::new(), dirty, depth + 1);
            }
            Ok(None | Some((_, Node::Folder))) => {}
            Ok(Some(_)) | Err(_) => {
                dirty.insert(path);
            }
        }
    }
}

/// Decides about files that units name and the revision lacks: those that lie in the checkout
/// without being in git are watched, and about those that lie nowhere a warning is given.
fn settle(loaded: &mut Loaded, lies: Option<&Inputs>, dirty: &[PathBuf]) {
    for missing in std::mem::take(&mut loaded.missing) {
        let there = lies.is_some_and(|lies| {
            matches!(
                lies.node(&missing.relative),
                Ok(Some((_, Node::File { .. })))
            )
        });
        let ignored = there && lies.is_some_and(|lies| lies.left_out(&missing.relative));
        if ignored {
            if let Some(unit) = loaded.desired.units.get_mut(&missing.unit) {
                unit.watched.insert(missing.path.clone());
            }
        } else if missing.needed && !dirty.contains(&missing.relative) {
            loaded.warnings.push(missing.warning());
            if lies.is_some_and(|lies| !lies.left_out(&missing.relative)) {
                loaded.parsed.missing.push(missing);
            }
        }
    }
}

fn finish(loaded: Loaded, read: Read, mut origin: Origin) -> Revision {
    let mut parts: Vec<&[u8]> = Vec::with_capacity(read.found.len() * 3);
    for (path, file) in &read.found {
        use std::os::unix::ffi::OsStrExt;
        parts.push(path.as_os_str().as_bytes());
        parts.push(if file.executable { b"x" } else { b"-" });
        parts.push(file.hash.as_str().as_bytes());
    }
    origin.inputs = Hash::of_parts(parts);
    Revision {
        desired: loaded.desired,
        origin,
        warnings: loaded.warnings,
        takes_over_from: None,
        parsed: loaded.parsed,
        inputs: read.found,
        backups: read.backups,
        texts: Mutex::default(),
    }
}

#[cfg(test)]
mod tests;
