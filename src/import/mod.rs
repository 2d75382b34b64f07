//! New checkouts: an empty one, and the one that says what a host has.
//!
//! An import looks at the host once (`look.rs`). Each kind of what it takes is a file with a function in [`KINDS`]. What they found
//! is written and committed (`written.rs`) and planned, and what the plan would change is taken out again (`trial.rs`).

mod begin;
mod compose;
mod error;
mod etc;
mod found;
mod look;
mod networks;
mod passwords;
mod places;
mod recovered;
mod rewrite;
mod sites;
mod texts;
mod trial;
mod units;
mod written;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

pub(crate) use begin::init;
pub(crate) use error::ImportError;
pub(crate) use etc::{is_of_identity, settings as etc_settings};
pub(crate) use found::{Category, Found, Left, SecretFile};
pub(crate) use look::{HostFile, Mask, secret_line, stays_out};
pub(crate) use networks::member as member_settings;
pub(crate) use places::NOT_OURS;

use crate::host::{Host, HostError};
use crate::reconcile::{Planned, ReconcileError, Request};
use crate::root::Root;
use crate::source::is_in_git;
use crate::state::State;
use look::Look;

/// What takes a kind.
type Take = fn(&Look<'_>, &mut Found) -> Result<(), HostError>;

/// Every kind, in the order in which they are looked for: networks are taken when it is known which stacks are.
const KINDS: [(Category, Take); 5] = [
    (Category::Sites, sites::take),
    (Category::Units, units::take),
    (Category::Compose, compose::take),
    (Category::Networks, networks::take),
    (Category::Etc, etc::take),
];

/// What is asked of an import.
pub(crate) struct Asked<'a> {
    /// The folder of the new checkout.
    pub folder: &'a Path,
    /// What is looked for; empty: everything.
    pub only: &'a [Category],
    /// Whether nothing is to stay written.
    pub dry_run: bool,
    /// Whether what looks like a secret comes into git.
    pub with_secrets: bool,
    /// Hides what looks like a secret in a line.
    pub mask: Mask<'a>,
}

/// A new checkout that says what a host has.
pub(crate) struct Imported {
    /// Where it is.
    pub checkout: PathBuf,
    /// What it has, and what it has not.
    pub found: Found,
    /// What its first apply would do.
    pub planned: Planned,
}

/// Looks at a host, and writes the checkout that says what it has. Nothing on the host is changed, the folder of the checkout
/// apart.
///
/// # Errors
/// When the folder holds something, when the host belongs to a repository, and when something cannot be read or written. Nothing
/// stays written then.
pub(crate) async fn import(
    host: &Host,
    mut request: Request,
    asked: &Asked<'_>,
) -> Result<Imported, ImportError> {
    if !host.is_live() {
        return Err(ImportError::Offline);
    }
    if !Uid::effective().is_root() {
        return Err(ImportError::NotRoot);
    }
    demand_unmanaged(host)?;
    let wanted = begin::absolute(asked.folder)?;
    vacant(&wanted)?;
    safe(&wanted)?;
    let failed = |source| ImportError::Folder {
        folder: wanted.clone(),
        source,
    };
    // A folder that goes when it is let go of.
    let scratch = asked.dry_run.then(tempfile::tempdir).transpose();
    let scratch = scratch.map_err(failed)?;
    let checkout = scratch.as_ref().map_or(wanted.as_path(), |one| one.path());
    let mut found = Found::default();
    let look = Look::at(host, (asked.mask, asked.with_secrets), &mut found).await?;
    for (kind, take) in KINDS {
        if asked.only.is_empty() || asked.only.contains(&kind) {
            take(&look, &mut found)?;
        }
    }
    let is_new = !checkout.exists();
    Root::open("/")?.make_folder(checkout)?;
    request.folder = checkout.join(begin::FOLDER);
    let planned = trial::run(&look, &request, checkout, &mut found).await;
    if planned.is_err() {
        clear(checkout, is_new)?;
    }
    let planned = planned?;
    if scratch.is_none() {
        written::give(checkout, &found)?;
    }
    // What a unit reads and git has may be known.
    let Found { taken, secrets, .. } = &mut found;
    secrets.retain(|secret| taken.iter().all(|taken| taken.from != secret.path));
    // What compose and rules say of a file may have a line of it.
    for left in &mut found.left {
        left.why = (asked.mask)(&left.why);
    }
    found.left.sort();
    found.left.dedup();
    found.secrets.sort();
    Ok(Imported {
        checkout: wanted,
        found,
        planned,
    })
}

/// The host has to be nobody's yet.
fn demand_unmanaged(host: &Host) -> Result<(), ImportError> {
    let state = State::new(host.root().clone());
    let journal = state.journal().map_err(ReconcileError::from)?;
    if !journal.is_empty() {
        return Err(ImportError::Unfinished);
    }
    let recorded = state.recorded().map_err(ReconcileError::from)?;
    let Some((record, _)) = recorded.applied else {
        return Ok(());
    };
    Err(ImportError::Belongs {
        repository: match &record.origin.repository {
            Some(known) => format!("{} ({})", known.checkout.display(), known.known_by()),
            None => record.origin.folder.display().to_string(),
        },
    })
}

/// The folder has to be empty, or not there, and in no repository.
fn vacant(folder: &Path) -> Result<(), ImportError> {
    let owned = || folder.to_owned();
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return Err(ImportError::NotEmpty { folder: owned() }),
        Ok(false) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => {
            let folder = owned();
            return Err(ImportError::Folder { folder, source });
        }
    }
    match is_in_git(folder) {
        true => Err(ImportError::InGit { folder: owned() }),
        false => Ok(()),
    }
}

/// The folders above have to be root's, or those of whoever called sudo: anybody else could put a link there meanwhile.
fn safe(folder: &Path) -> Result<(), ImportError> {
    for above in folder.ancestors().skip(1) {
        let Ok(found) = std::fs::metadata(above) else {
            continue;
        };
        if !is_safe(found.uid(), found.mode(), written::caller()) {
            let path = above.to_owned();
            return Err(ImportError::Others { path });
        }
    }
    Ok(())
}

/// Whether nobody but root and the caller can put something else in the place of what is in a folder, inode(7).
fn is_safe(owner: u32, mode: u32, caller: Option<u32>) -> bool {
    let is_ours = owner == 0 || Some(owner) == caller;
    let is_open = mode & 0o002 != 0 && mode & 0o1000 == 0;
    is_ours && !is_open
}

/// Takes away what was written.
fn clear(checkout: &Path, is_new: bool) -> Result<(), ImportError> {
    let root = Root::open("/")?;
    root.remove_folder(&checkout.join(begin::FOLDER))?;
    root.remove_folder(&checkout.join(".git"))?;
    if is_new {
        root.remove_folder(checkout)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_not_written_to() {
        for (owner, mode, caller, expected) in [
            (0, 0o755, None, true),
            (1000, 0o755, Some(1000), true),
            (1000, 0o755, None, false),
            (1001, 0o755, Some(1000), false),
            (0, 0o1777, None, true),
            (0, 0o777, None, false),
        ] {
            assert_eq!(
                is_safe(owner, mode, caller),
                expected,
                "{owner} {mode:o} {caller:?}"
            );
        }
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(vacant(&folder.path().join("new")).is_ok());
        assert!(vacant(folder.path()).is_ok());
        std::fs::write(folder.path().join("a"), "").unwrap();
        let error = vacant(folder.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("is not empty: nothing was written")
        );
        assert!(
            error
                .hint()
                .unwrap()
                .starts_with("name a folder that is not there yet")
        );
        let others = ImportError::Others {
            path: "/home/b".into(),
        };
        assert_eq!(
            others.to_string(),
            "/home/b belongs to another user, who could put a link there while the checkout is written"
        );
        for (error, hint) in [
            (others, "/srv"),
            (ImportError::Unfinished, "watchme-apply recover"),
            (
                ImportError::Remains {
                    what: vec!["x".to_owned()],
                },
                "--only KIND",
            ),
        ] {
            assert!(error.hint().unwrap().contains(hint), "{error}");
        }
    }
}
