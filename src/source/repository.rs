//! Which repository a checkout is of, and whether a host is its own.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::error::{Result, SourceError};
use super::{Checkout, Which, git};
use crate::model::{Origin, Repository, repository};

/// A checkout, compared with what a host has applied.
#[derive(Clone, Debug)]
pub struct Kinship {
    pub repository: Repository,
    /// Whether the host is another one's.
    pub is_another: bool,
    /// Where units name the checkout that was applied, if it is the same repository's.
    pub known_at: Option<PathBuf>,
}

impl Checkout {
    /// Tells whether a revision of this checkout is one of the repository whose desired state was
    /// `applied`. What an older version applied may be anybody's.
    ///
    /// # Errors
    /// When the revision is not there, or its history cannot be read.
    pub fn kinship(&self, which: &Which, applied: Option<&Origin>) -> Result<Kinship> {
        let known = applied.and_then(|origin| origin.repository.as_ref());
        let Some(repo) = &self.repo else {
            let repository = Repository {
                checkout: self.places.root.clone(),
                ..Repository::default()
            };
            let is_another = known.is_some_and(|known| known.is_another(&repository));
            return Ok(self.kin(repository, is_another, applied));
        };
        let rev = match which {
            Which::Rev(rev) => Some(rev.as_str()),
            Which::Head | Which::Worktree => None,
        };
        let commit = match git::commit(repo, self.root(), rev) {
            Ok(commit) => Some(commit.id()),
            Err(_) if *which == Which::Worktree => None,
            Err(error) => return Err(error),
        };
        let failed = |source| SourceError::Repository {
            root: self.places.root.clone(),
            source,
        };
        let mut repository = Repository {
            git: true,
            remote: remote(repo),
            checkout: self.places.root.clone(),
            roots: BTreeSet::new(),
        };
        // A common ancestor says it, and is near as a rule: the whole history is read once.
        let shares = shares_history(repo, commit, applied);
        match known.filter(|known| shares && !known.roots.is_empty()) {
            Some(known) => repository.roots = known.roots.clone(),
            None if repo.is_shallow() => {}
            None => {
                repository.roots =
                    roots(repo, |walk| commit.map_or(Ok(()), |id| walk.push(id))).map_err(failed)?
            }
        }
        let mut is_another = !shares && known.is_some_and(|known| known.is_another(&repository));
        if let Some(known) = known.filter(|known| is_another && known.git) {
            // A branch without a common ancestor is still one of the same repository.
            let all = |walk: &mut git2::Revwalk<'_>| {
                walk.push_glob("refs/heads/*")?;
                walk.push_glob("refs/remotes/origin/*")
            };
            is_another = (roots(repo, all).map_err(failed)?).is_disjoint(&known.roots);
        }
        Ok(self.kin(repository, is_another, applied))
    }

    fn kin(&self, repository: Repository, is_another: bool, applied: Option<&Origin>) -> Kinship {
        let known_at = applied.filter(|_| !is_another).and_then(|origin| {
            match &origin.repository {
                Some(known) => Some(known.checkout.clone()),
                // An older version recorded where the desired state was, and that it is there in the checkout.
                None if origin.folder.ends_with(&self.places.folder) => {
                    let depth = self.places.folder.components().count();
                    origin.folder.ancestors().nth(depth).map(PathBuf::from)
                }
                None => None,
            }
        });
        Kinship {
            repository,
            is_another,
            known_at: known_at.filter(|known| known.is_absolute()),
        }
    }
}

/// Where it was cloned from.
fn remote(repo: &git2::Repository) -> Option<String> {
    let names = repo.remotes().ok()?;
    let first = names.iter().flatten().flatten().next().map(str::to_owned);
    let found = repo
        .find_remote("origin")
        .or_else(|error| first.map_or(Err(error), |name| repo.find_remote(&name)))
        .ok()?;
    let url = found.url().ok()?;
    Some(repository::without_credentials(url))
}

fn shares_history(
    repo: &git2::Repository,
    commit: Option<git2::Oid>,
    applied: Option<&Origin>,
) -> bool {
    let applied = applied.and_then(|origin| origin.commit.as_deref());
    let applied = applied.and_then(|applied| git2::Oid::from_str(applied).ok());
    match (commit, applied) {
        (Some(commit), Some(applied)) => {
            commit == applied || repo.merge_base(commit, applied).is_ok()
        }
        _ => false,
    }
}

/// The commits without parents that are reachable from where the walk begins.
fn roots(
    repo: &git2::Repository,
    begin: impl FnOnce(&mut git2::Revwalk<'_>) -> std::result::Result<(), git2::Error>,
) -> std::result::Result<BTreeSet<String>, git2::Error> {
    let mut walk = repo.revwalk()?;
    begin(&mut walk)?;
    let mut found = BTreeSet::new();
    for id in walk {
        let id = id?;
        if repo.find_commit(id)?.parent_count() == 0 {
            found.insert(id.to_string());
        }
    }
    Ok(found)
}
