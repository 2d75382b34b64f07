//! What a run did is undone: its own, when it failed, and one that was killed.

use std::path::Path;

use super::supersede;
use super::supersede::Leftover;
use super::{mount_points, owed, verify_rollback};
use crate::apply::{Progress, await_last_request, describe, roll_back};
use crate::host::Host;
use crate::model::{Observed, RunKind, layout};
use crate::reconcile::confirm::Expiry;
use crate::reconcile::error::WayOn;
use crate::reconcile::records::history;
use crate::reconcile::{Planned, ReconcileError, Request, confirm, error, unattended};
use crate::state::{Journal, Lock, State, StateError, Undo};

/// Rolls back, and says "rolled back" only after looking.
pub(in crate::reconcile) async fn undo(
    host: &Host,
    state: &State,
    (planned, with_packages): (&Planned, Option<&Observed>),
    mut journal: Journal,
    (kind, cause): (RunKind, ReconcileError),
    progress: &mut dyn Progress,
) -> ReconcileError {
    if journal.is_empty() {
        // Nothing live was changed; what was prepared goes.
        let _ = host.root().remove_folder(Path::new(layout::NEXT));
        let _ = journal.clear();
        return match cause.is_interruption() {
            true => cause,
            false => ReconcileError::before_any_change(cause),
        };
    }
    progress.say(match cause.is_interruption() {
        true => "interrupted: rolling back",
        false => "failed: rolling back",
    });
    let not_undone = roll_back(host, &mut journal, progress).await;
    let again: Vec<Undo> = not_undone.iter().map(|left| left.undo.clone()).collect();
    let mut left = supersede::lines(&not_undone);
    left.extend(verify_rollback::differences(host, planned, with_packages).await);
    if left.is_empty() {
        left.extend(
            verify_rollback::unsteady(host, (planned, with_packages), journal.undos()).await,
        );
    }
    for unit in had_failed(planned, &journal) {
        progress.say(&format!(
            "{unit} had failed before this run; it is stopped now, with the files that it had then"
        ));
    }
    mount_points::clear(host, &planned.recorded);
    if let Err(error) = journal.keep(again) {
        // The whole journal stays, then: to undo twice harms nothing.
        tracing::warn!(error = %error::chain(&error), "the journal could not be shortened");
    }
    // Nothing of a failed run may look applied: what is loaded is what it was.
    let loaded = &planned.recorded.loaded;
    let is_so = state
        .recorded()
        .is_ok_and(|recorded| recorded.loaded == *loaded);
    if !is_so && let Err(error) = state.write_loaded(loaded) {
        left.push(error::chain(&error));
    }
    if let Err(error) = supersede::admit(host, state, &not_undone).await {
        left.push(error::chain(&error));
    }
    match left.is_empty() {
        true => ReconcileError::RolledBack {
            kind,
            cause: Box::new(cause),
        },
        false => ReconcileError::Incomplete {
            kind,
            cause: Box::new(cause),
            left,
            way_on: match planned.recorded.applied {
                _ if !journal.is_empty() => WayOn::Recover,
                Some(_) => WayOn::Fix,
                None => WayOn::Apply,
            },
        },
    }
}

/// Units that had failed before the run and that it started: no command brings a failed state back.
fn had_failed(planned: &Planned, journal: &Journal) -> Vec<String> {
    let failed = |unit: &String| {
        let state = planned.observed.unit_state(unit);
        state.is_some_and(|state| state.active == "failed")
    };
    let stopped = journal.undos().iter().filter_map(|undo| match undo {
        Undo::Stop(unit) => Some(unit),
        _ => None,
    });
    stopped.filter(|unit| failed(unit)).cloned().collect()
}

/// Undoes what a killed run left behind, and nothing else. Returns whether there was something.
///
/// # Errors
/// When the lock is held, or not all could be undone.
pub(crate) async fn recover(
    host: &Host,
    request: &Request,
    progress: &mut dyn Progress,
) -> Result<bool, ReconcileError> {
    let state = State::new(host.root().clone());
    if is_finished(&state)? {
        return match state.waiting()? {
            // After a boot, no timer is left that would roll back what nobody confirmed.
            Some(_) => {
                let expired = confirm::expire(host, request, Expiry::default(), progress).await?;
                Ok(expired.is_some())
            }
            None => Ok(false),
        };
    }
    let lock = request.lock(&state)?;
    let killed = !state.journal()?.is_empty();
    undo_killed(host, &state, request, progress)
        .await?
        .demand()?;
    drop(lock);
    confirm::expire(host, request, Expiry::default(), progress).await?;
    Ok(killed)
}

/// Whether no run was killed, as far as that can be seen.
pub(in crate::reconcile) fn is_finished(state: &State) -> Result<bool, StateError> {
    Ok(state.journal()?.is_empty() && !state.has_leftovers())
}

/// Takes the lock, and undoes what a killed run left behind.
///
/// # Errors
/// When the lock is held, or not all could be undone.
pub(in crate::reconcile) async fn begin(
    host: &Host,
    state: &State,
    request: &Request,
    progress: &mut dyn Progress,
) -> Result<Lock, ReconcileError> {
    let lock = request.lock(state)?;
    undo_killed(host, state, request, progress)
        .await?
        .demand()?;
    Ok(lock)
}

/// Undoes what a killed run left behind, as far as that is possible, and returns the rest.
pub(in crate::reconcile) async fn undo_killed(
    host: &Host,
    state: &State,
    request: &Request,
    progress: &mut dyn Progress,
) -> Result<Leftover, ReconcileError> {
    let mut journal = state.journal()?;
    if journal.is_empty() {
        state.clear_leftovers()?;
        // What it says of its steps must not be said of the next run's.
        if !journal.undos().is_empty() {
            journal.clear()?;
        }
        return Ok(Leftover::default());
    }
    let of_backup = journal.is_of_backup();
    progress.say(match of_backup {
        true => "a backup or a restore was interrupted: starting what it stopped",
        false => "a run was interrupted: undoing what it did",
    });
    host.use_engine(journal.engine());
    let mut record = history::begin_without(state, request, RunKind::Recover);
    await_last_request(host, &journal).await;
    // Nothing that cannot be found out may keep the rest from being undone.
    if let Ok(recorded) = state.recorded()
        && let Ok(owed) = owed::owed(host, &journal, &recorded).await
    {
        journal.record_all(owed)?;
    }
    let steps = journal.undos().iter();
    let is_step =
        |undo: &&Undo| !matches!(undo, Undo::Engine(_) | Undo::OfBackup | Undo::Leave { .. });
    let steps = steps.filter(is_step);
    record.changes = steps.map(describe).collect();
    let not_undone = roll_back(host, &mut journal, progress).await;
    journal.keep(not_undone.iter().map(|left| left.undo.clone()).collect())?;
    supersede::admit(host, state, &not_undone).await?;
    if not_undone.is_empty() {
        state.clear_leftovers()?;
    }
    if let Ok(recorded) = state.recorded() {
        mount_points::clear(host, &recorded);
    }
    let leftover = Leftover::of(&not_undone);
    let result = match leftover.left.is_empty() {
        true => Ok(()),
        false => Err(ReconcileError::Unrecovered {
            left: leftover.left.clone(),
        }),
    };
    if let Err(cause) = history::end(state, record, result, progress) {
        for line in error::chain(&cause).lines().take(1) {
            progress.warn(line);
        }
    }
    // What killed a backup says nothing about the next apply.
    if !of_backup {
        unattended::interrupted(state, progress);
    }
    Ok(leftover)
}
