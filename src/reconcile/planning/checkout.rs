//! The checkout of this host. A host belongs to one repository, wherever its checkout is.

use std::path::{Path, PathBuf};

use super::look;
use crate::host::Host;
use crate::model::{Desired, Origin, Recorded, Repository};
use crate::reconcile::{ReconcileError, Request};
use crate::source::{Checkout, Kinship, Revision, Which};
use crate::state::State;

/// The files of the checkout as they are, read for this host, and the folder of the checkout.
///
/// # Errors
/// When it cannot be read, or is another repository's than the host has.
pub(crate) fn work_tree(
    host: &Host,
    request: &Request,
) -> Result<(Revision, PathBuf), ReconcileError> {
    let recorded = look::recorded(&State::new(host.root().clone()))?;
    let (revision, checkouts) = read(host, request, &Which::Worktree, &recorded)?;
    Ok((revision, checkouts.into_iter().next().unwrap_or_default()))
}

/// The same at a commit.
///
/// # Errors
/// The same, and when there is no such commit any more.
pub(crate) fn at_commit(
    host: &Host,
    request: &Request,
    commit: &str,
) -> Result<Revision, ReconcileError> {
    let recorded = look::recorded(&State::new(host.root().clone()))?;
    let which = Which::Rev(commit.to_owned());
    Ok(read(host, request, &which, &recorded)?.0)
}

/// Opens the checkout for this host. Whose checkout was applied before may own it again.
fn open(host: &Host, request: &Request, recorded: &Recorded) -> Result<Checkout, ReconcileError> {
    let owner = recorded.run().and_then(|run| run.origin.owner);
    let trusted: Vec<u32> = owner.into_iter().collect();
    let checkout = Checkout::open(&request.folder, &trusted)?.for_host(request.host.clone());
    let now = jiff::Timestamp::now();
    let pause = |unit: &str| recorded.pauses.get(unit);
    let is_paused = |unit: &str| pause(unit).is_some_and(|pause| pause.holds(now));
    Ok(checkout
        .with_compose(host.compose_command())
        .with_program(host.program())
        .after(recorded.desired(), is_paused))
}

/// Reads a revision as one for this host, unless the host is another repository's. Returns the folders that count as the
/// checkout, too: first the one that it is in, then where it was applied from before, and where watchme.toml says that it is.
pub(in crate::reconcile) fn read(
    host: &Host,
    request: &Request,
    which: &Which,
    recorded: &Recorded,
) -> Result<(Revision, Vec<PathBuf>), ReconcileError> {
    let checkout = open(host, request, recorded)?;
    let applied = recorded.run().map(|run| &run.origin);
    let Kinship {
        mut repository,
        is_another,
        known_at,
    } = checkout.kinship(which, applied)?;
    if is_another && !request.take_over {
        // A folder that holds nothing is nobody's: its repository went.
        if !checkout.is_git() {
            checkout.read(which)?;
        }
        return Err(ReconcileError::AnotherRepository {
            applied: applied.map(name).unwrap_or_default(),
            asked: named(checkout.root(), &repository),
            shallow: repository.git && repository.roots.is_empty(),
        });
    }
    let known_at = known_at.filter(|known| known != checkout.root());
    let mut checkouts = vec![checkout.root().to_owned()];
    let mut checkout = checkout.on_this_host(known_at.clone());
    let mut revision = checkout.read(which)?;
    if let Some(known_at) = known_at {
        let says = revision.parsed.policy.checkout.is_some();
        match says || names_files_in(&revision.desired, &known_at) {
            true => repository.checkout.clone_from(&known_at),
            // It moved, and the units with it: what is here counts.
            false => {
                checkout = checkout.on_this_host(None);
                revision = checkout.read(which)?;
            }
        }
        checkouts.push(known_at);
    }
    revision.origin.repository = Some(repository);
    if is_another && let Some(applied) = applied {
        let text = format!("takes the host over from {}", name(applied));
        revision.warnings.insert(0, text);
        revision.takes_over_from = Some(name(applied));
    }
    checkouts.extend(revision.parsed.policy.checkout.as_deref().cloned());
    Ok((revision, checkouts))
}

/// Whether written units name files below a folder; those of stacks name the checkout wherever it is.
fn names_files_in(desired: &Desired, folder: &Path) -> bool {
    let written = desired.units.values().filter(|unit| unit.stack.is_none());
    let mut named = written.flat_map(|unit| unit.names.iter().chain(&unit.watched));
    named.any(|path| path.starts_with(folder))
}

/// What a person knows the applied desired state by.
fn name(origin: &Origin) -> String {
    match &origin.repository {
        Some(repository) => named(&repository.checkout, repository),
        None => origin.folder.display().to_string(),
    }
}

fn named(checkout: &Path, repository: &Repository) -> String {
    format!("{} ({})", checkout.display(), repository.known_by())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_a_folder_and_a_remote() {
        let repository = Repository {
            git: true,
            roots: ["0123456789abcdef".to_owned()].into(),
            ..Repository::default()
        };
        assert_eq!(
            named(Path::new("/srv/a"), &repository),
            "/srv/a (first commit 0123456789ab)"
        );
    }
}
