//! Backups of what was applied: made, restored, rehearsed, and how old the last good ones are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::planning::look;
use super::rollback::undo;
use super::{ReconcileError, Request};
use crate::apply::{BackupError, OneBackup, Progress, failure};
use crate::host::Host;
use crate::model::{Backup, BackupMade, BackupRecord, Desired, RehearsalRecord};
use crate::state::{Journal, Lock, State, Undo};

/// A backup of what was applied.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BackupStatus {
    /// Its name.
    pub name: String,
    /// Of what it is made.
    pub of: String,
    /// When it runs.
    pub schedule: Option<String>,
    /// What is known of it.
    #[serde(flatten)]
    pub record: BackupRecord,
    /// What is known of its rehearsals; `null`: it has none.
    pub rehearsal: Option<RehearsalRecord>,
    /// What is wrong with it: failed, overdue, or the same of its rehearsal.
    pub wrong: Vec<String>,
}

/// What a restore is about to do.
#[derive(Debug)]
pub(crate) struct Restoring {
    /// The backup.
    pub name: String,
    /// What it replaces.
    pub replaces: String,
    /// What it would replace if the backup had it.
    pub stays: Vec<String>,
    /// Whether units stop for it.
    pub stops: bool,
}

/// The backup of that name, once nothing else changes the host: what is stopped comes back if this run is killed.
async fn begin(
    host: &Host,
    state: &State,
    request: &Request,
    name: &str,
    progress: &mut dyn Progress,
) -> Result<(Lock, Desired, Backup), ReconcileError> {
    // A wrong name waits for nobody.
    known(state, name)?;
    let lock = undo::begin(host, state, request, progress).await?;
    let (desired, backup) = known(state, name)?;
    host.use_engine(desired.engine.as_deref());
    Ok((lock, desired, backup))
}

/// Makes a backup now.
///
/// # Errors
/// When there is no such backup, another run holds the lock, or it fails.
pub(crate) async fn back_up(
    host: &Host,
    request: &Request,
    name: &str,
    progress: &mut dyn Progress,
) -> Result<BackupMade, ReconcileError> {
    let state = State::new(host.root().clone());
    let (_lock, desired, backup) = begin(host, &state, request, name, progress).await?;
    let one = one_backup(host, &state, request, &desired, (name, &backup));
    let mut journal = state.journal()?;
    if backup.is_cold() {
        journal.record(Undo::OfBackup)?;
    }
    let made = one.make(&mut journal, progress).await;
    let made = ended(made, &mut journal, format!("the backup {name}"))?;
    Ok(made)
}

/// Restores a backup in the place of what is there, once `consent` is given.
///
/// # Errors
/// When there is no such backup, or it cannot be restored.
pub(crate) async fn restore(
    host: &Host,
    request: &Request,
    (name, asked): (&str, Option<&str>),
    consent: &mut dyn FnMut(&Restoring) -> bool,
    progress: &mut dyn Progress,
) -> Result<String, ReconcileError> {
    let state = State::new(host.root().clone());
    let (_lock, desired, backup) = begin(host, &state, request, name, progress).await?;
    let one = one_backup(host, &state, request, &desired, (name, &backup));
    let what = || format!("the restore of {name}");
    let source = one.find(asked);
    let source = source.map_err(|source| failed(what(), source))?;
    let words = |paths: &[PathBuf]| -> Vec<String> {
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    };
    let staged = one.stage(&source).await;
    let staged = staged.map_err(|source| failed(what(), source))?;
    let restoring = Restoring {
        name: source.name.clone(),
        replaces: match &staged {
            Some(staged) => words(&staged.has).join(", "),
            None => backup.words(),
        },
        stays: staged
            .as_ref()
            .map(|staged| words(&staged.lacks))
            .unwrap_or_default(),
        stops: matches!(backup.of, crate::model::BackupOf::Volume { .. }),
    };
    if !consent(&restoring) {
        return Err(ReconcileError::Declined);
    }
    let mut journal = state.journal()?;
    if restoring.stops {
        journal.record(Undo::OfBackup)?;
    }
    let staged = staged.as_ref();
    let restored = one.restore(&source, staged, &mut journal).await;
    ended(restored, &mut journal, what())?;
    Ok(source.name)
}

/// Rehearses the restore of a backup, and writes down how that ended. Returns which one it was.
///
/// # Errors
/// When there is no such backup, or the rehearsal fails.
pub(crate) async fn rehearse(
    host: &Host,
    request: &Request,
    (name, asked): (&str, Option<&str>),
) -> Result<String, ReconcileError> {
    let state = State::new(host.root().clone());
    let (desired, backup) = known(&state, name)?;
    host.use_engine(desired.engine.as_deref());
    let _lock = state.lock_rehearsal(name)?;
    let one = one_backup(host, &state, request, &desired, (name, &backup));
    let begun = Timestamp::now();
    let rehearsed = async {
        let source = one.find(asked)?;
        one.rehearse(&source).await?;
        Ok(source.name)
    };
    let rehearsed: Result<String, BackupError> = rehearsed.await;
    let mut record = state.rehearsal(name)?;
    match &rehearsed {
        Ok(of) => {
            let now = Timestamp::now();
            let seconds = now.duration_since(begun).as_secs();
            record = RehearsalRecord {
                good: Some(now),
                of: Some(of.clone()),
                seconds: u64::try_from(seconds).unwrap_or(0),
                failed: None,
            };
        }
        Err(error) => record.failed = Some(failure(error, begun)),
    }
    state.write_rehearsal(name, &record)?;
    rehearsed.map_err(|source| failed(format!("the rehearsal of {name}"), source))
}

/// How the backups of what was applied are.
///
/// # Errors
/// When a record cannot be read.
pub(crate) fn backups_of(host: &Host) -> Result<Vec<BackupStatus>, ReconcileError> {
    let state = State::new(host.root().clone());
    let recorded = look::recorded(&state)?;
    let (_, desired) = look::applied(&state, &recorded)?;
    status(&state, &desired.backups, &recorded.backups)
}

/// The same from what is known already.
pub(super) fn status(
    state: &State,
    backups: &BTreeMap<String, Backup>,
    records: &BTreeMap<String, BackupRecord>,
) -> Result<Vec<BackupStatus>, ReconcileError> {
    let mut all = Vec::new();
    for (name, backup) in backups {
        let mut record = records.get(name).cloned().unwrap_or_default();
        let rehearsal = match &backup.rehearsal {
            Some(_) => Some(state.rehearsal(name)?),
            None => None,
        };
        let mut wrong = Vec::new();
        if let Some(failed) = &record.failed {
            wrong.push(format!("failed: {}", failed.why));
        }
        if let Some(failed) = rehearsal.as_ref().and_then(|known| known.failed.as_ref()) {
            wrong.push(format!("the rehearsal failed: {}", failed.why));
        }
        if let Some(path) = &record.damaged {
            let path = path.display();
            wrong.push(format!(
                "its record {path} is damaged: the next backup writes a new one"
            ));
        }
        if let (Some(good), Some(folder)) = (&record.good, &backup.to)
            && record.gone.contains(&good.name)
        {
            let path = folder.join(&good.name);
            wrong.push(format!(
                "the last one is gone: {} is missing, or its size has changed",
                path.display()
            ));
        }
        record.good = record.last().cloned();
        if backup.store.is_none() {
            let gone = std::mem::take(&mut record.gone);
            record.kept.retain(|made| !gone.contains(&made.name));
        }
        let good = record.good.as_ref().map(|good| good.time);
        if is_overdue(good, backup.max_age) {
            wrong.push("overdue: max_age has passed".to_owned());
        }
        if let (Some(known), Some(wanted)) = (&rehearsal, &backup.rehearsal)
            && is_overdue(known.good, wanted.max_age)
        {
            wrong.push("the rehearsal is overdue: max_age has passed".to_owned());
        }
        all.push(BackupStatus {
            name: name.clone(),
            of: backup.words(),
            schedule: backup.schedule.clone(),
            record,
            rehearsal,
            wrong,
        });
    }
    Ok(all)
}

/// One that was never made is overdue as well.
fn is_overdue(good: Option<Timestamp>, max_age: Option<Duration>) -> bool {
    let Some(max_age) = max_age else {
        return false;
    };
    good.is_none_or(|good| Timestamp::now().duration_since(good).unsigned_abs() > max_age)
}

fn one_backup<'a>(
    host: &'a Host,
    state: &'a State,
    request: &'a Request,
    desired: &'a Desired,
    (name, backup): (&'a str, &'a Backup),
) -> OneBackup<'a> {
    OneBackup {
        name,
        backup,
        host,
        state,
        desired,
        interrupted: &request.interrupted,
    }
}

/// A backup of what was applied, with all of that.
fn known(state: &State, name: &str) -> Result<(Desired, Backup), ReconcileError> {
    let recorded = look::recorded(state)?;
    let (_, desired) = look::applied(state, &recorded)?;
    let backup = desired.backups.get(name).cloned();
    let unknown = || ReconcileError::NoSuchBackup {
        name: name.to_owned(),
        known: desired.backups.keys().cloned().collect(),
    };
    let backup = backup.ok_or_else(unknown)?;
    Ok((desired.clone(), backup))
}

/// With what was stopped started again, nothing is left to undo.
fn ended<T>(
    result: Result<T, BackupError>,
    journal: &mut Journal,
    what: String,
) -> Result<T, ReconcileError> {
    let is_left = matches!(result, Err(BackupError::NotStartedAgain { .. }));
    if !is_left && !journal.undos().is_empty() {
        journal.clear()?;
    }
    result.map_err(|source| failed(what, source))
}

fn failed(what: String, source: BackupError) -> ReconcileError {
    match source.is_interruption() {
        true => ReconcileError::Interrupted(what),
        false => ReconcileError::Backup {
            what,
            source: Box::new(source),
        },
    }
}
