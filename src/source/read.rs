//! Reading one state of a checkout: a commit, or the files as they lie.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::alone::Alone;
use super::differences::{dirty, resolve_missing};
use super::error::{Result, SourceError};
use super::git::{self, Ignored};
use super::load::inputs::Read;
use super::load::{self, HostName, Inputs, Loaded, Places, Wrong};
use super::owner::{self, Asker, Part};
use super::policy::FILE_NAME;
use super::tree::{CommitTree, FolderTree, Tree};
use super::{Checkout, Revision, Which};
use crate::model::{Desired, Diagnostic, Hash, Origin, Target};

impl Checkout {
    /// Reads one state of the checkout. With [`Which::Head`], `origin.dirty` lists the inputs
    /// that lie differently in the work tree.
    pub fn read(&self, which: &Which) -> Result<Revision> {
        Ok(self.take(which, Wrong::Fails, &self.places)?.0)
    }

    /// The same for a host that has what `applied` says.
    pub fn read_after(&self, which: &Which, applied: &Desired) -> Result<Revision> {
        let places = Places {
            copies: applied.copies(|_| false),
            ..self.places.clone()
        };
        Ok(self.take(which, Wrong::Fails, &places)?.0)
    }

    /// The same of a commit in which there may be no desired state yet: then it wants nothing.
    pub fn read_base(&self, which: &Which) -> Result<Revision> {
        let (Which::Rev(rev), Some(repo)) = (which, &self.repo) else {
            return self.read(which);
        };
        match self.read(which) {
            Err(SourceError::NoDesiredState { .. }) => {
                let commit = git::commit(repo, self.root(), Some(rev))?;
                Ok(Revision {
                    origin: self.origin(Some(&commit)),
                    warnings: vec![format!(
                        "{rev} contains no desired state: everything is new"
                    )],
                    ..Revision::default()
                })
            }
            read => read,
        }
    }

    /// A hash of the inputs of a host that has files of its own.
    pub fn inputs_of(&self, host: &str, which: &Which) -> Result<Hash> {
        let places = self.places_of(host);
        Ok(self.take(which, Wrong::Fails, &places)?.0.origin.inputs)
    }

    /// Reads one state of the checkout as far as it can be read, for those who tell what is wrong
    /// with it: places that are wrong come back beside what was read without them.
    pub fn survey(&self, which: &Which) -> Result<(Revision, Vec<Diagnostic>)> {
        self.take(which, Wrong::IsCollected, &self.places)
    }

    /// The same for a host that has files of its own.
    pub fn survey_of(&self, host: &str, which: &Which) -> Result<(Revision, Vec<Diagnostic>)> {
        self.take(which, Wrong::IsCollected, &self.places_of(host))
    }

    /// Surveys what a survey has found elsewhere than the inputs, each part by itself. What they are checked against is
    /// that revision's: its watchme.toml, and the versions of its server.
    pub fn survey_loose(
        &self,
        which: &Which,
        revision: &Revision,
    ) -> Result<Vec<(Revision, Vec<Diagnostic>)>> {
        let survey = |alone: &Alone| {
            let places = Places {
                folder: alone.folder.clone(),
                alone: Some(alone.clone()),
                ..self.places.clone()
            };
            let (mut loose, wrong) = self.take(which, Wrong::IsCollected, &places)?;
            loose.host = revision.target();
            Ok((loose, wrong))
        };
        revision.parsed.loose.iter().map(survey).collect()
    }

    fn take(
        &self,
        which: &Which,
        wrong: Wrong,
        places: &Places,
    ) -> Result<(Revision, Vec<Diagnostic>)> {
        let work = FolderTree::new(self.root()).with_written(self.written.clone());
        let work = as_meant(work.into(), places)?;
        let (repo, rev) = match (which, &self.repo) {
            (Which::Rev(rev), None) => {
                return Err(SourceError::NotGit {
                    folder: self.places.root.clone(),
                    rev: rev.clone(),
                });
            }
            (Which::Worktree, _) | (Which::Head, None) => {
                return self.take_folder(&work, wrong, places);
            }
            (Which::Rev(rev), Some(repo)) => (repo, Some(rev.as_str())),
            (Which::Head, Some(repo)) => (repo, None),
        };
        let commit = git::commit(repo, self.root(), rev)?;
        let root = commit.tree().map_err(|source| SourceError::Object {
            path: self.places.root.clone(),
            source,
        })?;
        let tree = as_meant(CommitTree::new(repo, &root).into(), places)?;
        let inputs = Inputs::of_commit(&tree);
        let mut loaded = load::load(&inputs, Some(&work), places, wrong)?;
        let read = inputs.into_read();
        let mut origin = self.origin(Some(&commit));
        if *which == Which::Head {
            let ignored = Ignored::new(repo);
            let lies = Inputs::of_folder(&work, Some(&ignored));
            origin.dirty = dirty(&read, &lies, &loaded);
            match loaded.beside.take() {
                Some(root) => {
                    let there = Tree::from(FolderTree::new(&root));
                    let there = Inputs::of_folder(&there, Some(&ignored));
                    resolve_missing(&mut loaded, Some(&there), &origin.dirty);
                }
                None => resolve_missing(&mut loaded, Some(&lies), &origin.dirty),
            }
        } else {
            resolve_missing(&mut loaded, None, &[]);
        }
        Ok(finish(loaded, read, origin))
    }

    fn take_folder(
        &self,
        work: &Tree,
        wrong: Wrong,
        places: &Places,
    ) -> Result<(Revision, Vec<Diagnostic>)> {
        let ignored = self.repo.as_ref().map(Ignored::new);
        let inputs = Inputs::of_folder(work, ignored.as_ref());
        let mut loaded = load::load(&inputs, Some(work), places, wrong)?;
        resolve_missing(&mut loaded, Some(&inputs), &[]);
        let read = inputs.into_read();
        // Files alone are only looked at.
        if places.alone.is_none() {
            self.check_owners(&read)?;
        }
        let repo = self.repo.as_ref();
        let commit = repo.and_then(|repo| git::commit(repo, self.root(), None).ok());
        let origin = Origin {
            worktree: true,
            ..self.origin(commit.as_ref())
        };
        Ok(finish(loaded, read, origin))
    }

    /// Files that lie in a folder come from whoever could write there: root follows none that
    /// anybody but the checkout's owner could have put there.
    fn check_owners(&self, read: &Read) -> Result<()> {
        let asker = Asker {
            safe: self.safe,
            repository: self.repo.is_some().then(|| self.places.root.clone()),
            ..self.own_asker()
        };
        if asker.euid != 0 {
            return Ok(());
        }
        let mut folders: BTreeSet<&Path> = BTreeSet::new();
        let lies = |path: &&PathBuf| !self.written.contains_key(*path);
        for path in read.found.keys().filter(lies) {
            // Those above a known one are known, too.
            for folder in path.ancestors().skip(1) {
                if !folders.insert(folder) {
                    break;
                }
            }
        }
        let files = read.found.keys().filter(lies).map(PathBuf::as_path);
        let paths = folders.into_iter().chain(files);
        let looked: Result<Vec<Part>> = paths
            .map(|path| Part::look(&self.root().join(path)))
            .collect();
        owner::check(&asker, &looked?).map(|_| ())
    }

    fn places_of(&self, host: &str) -> Places {
        Places {
            host: Some(HostName::Named(host.to_owned())),
            ..self.places.clone()
        }
    }
}

/// The files that are meant, those of the host over those of all hosts. watchme.toml is combined key by key.
fn as_meant<'t>(tree: Tree<'t>, places: &Places) -> Result<Tree<'t>> {
    let tree = match &places.alone {
        Some(alone) => tree.with_only(&alone.paths),
        None => tree,
    };
    match &places.host {
        Some(host) => tree.over(&places.folder, host.name(), &places.folder.join(FILE_NAME)),
        None => Ok(tree),
    }
}

fn finish(loaded: Loaded, read: Read, mut origin: Origin) -> (Revision, Vec<Diagnostic>) {
    let mut parts: Vec<&[u8]> = Vec::with_capacity(read.found.len() * 3);
    for (path, file) in &read.found {
        use std::os::unix::ffi::OsStrExt;
        parts.push(path.as_os_str().as_bytes());
        parts.push(if file.executable { b"x" } else { b"-" });
        parts.push(file.hash.as_str().as_bytes());
    }
    origin.inputs = Hash::of_parts(parts);
    let revision = Revision {
        desired: loaded.desired,
        origin,
        warnings: loaded.warnings,
        takes_over_from: None,
        parsed: loaded.parsed,
        inputs: read.found,
        host: Target::default(),
        backups: read.backups,
        texts: Mutex::default(),
    };
    (revision, loaded.wrong)
}
