//! Backups: made, restored, and their restore rehearsed.

mod error;
mod holders;
mod keep;
mod rehearse;
mod restore;
mod staged;
mod step;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::Progress;
use crate::host::Host;
use crate::host::streams::{Bounds, RunIn, StreamError, files};
use crate::kinds::find_members;
use crate::model::{
    Backup, BackupFailed, BackupMade, BackupOf, BackupRecord, Container, Desired, MemberName,
    layout,
};
use crate::state::{Journal, State};
pub(crate) use error::BackupError;
pub(crate) use restore::Source;
pub(crate) use staged::Staged;

/// How often it is looked whether the name of a second is free.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A backup of watchme.toml, and what it is made, restored and rehearsed with.
pub(crate) struct OneBackup<'a> {
    pub name: &'a str,
    pub backup: &'a Backup,
    pub host: &'a Host,
    pub state: &'a State,
    /// What runs on it.
    pub desired: &'a Desired,
    /// Set by a signal.
    pub interrupted: &'a AtomicBool,
}

impl OneBackup<'_> {
    fn bounds(&self) -> Bounds<'_> {
        Bounds {
            interrupted: self.interrupted,
            timeout: self.backup.timeout,
        }
    }

    /// Makes a backup, and writes down how that ended.
    ///
    /// # Errors
    /// What failed. No half backup is left, and the last good one stays.
    pub(crate) async fn make(
        &self,
        journal: &mut Journal,
        progress: &mut dyn Progress,
    ) -> Result<BackupMade, BackupError> {
        let mut record = self.state.backup(self.name, self.backup)?;
        if let Some(path) = &record.damaged {
            let path = path.display();
            progress.warn(&format!(
                "{path} is damaged; what was known of earlier backups is lost"
            ));
        }
        // Those that only the folder had are known no more.
        if self.backup.store.is_none() {
            let gone = std::mem::take(&mut record.gone);
            record.kept.retain(|made| !gone.contains(&made.name));
        }
        let time = self.free_time(&record).await?;
        let made = self
            .make_and_keep(time, &mut record, journal, progress)
            .await;
        record.failed = made.as_ref().err().map(|error| failure(error, time));
        let written = self.state.write_backup(self.name, &record);
        let made = made?;
        written?;
        Ok(made)
    }

    /// When a backup begins: no other one has the name of that second.
    async fn free_time(&self, record: &BackupRecord) -> Result<Timestamp, BackupError> {
        loop {
            let time = Timestamp::now();
            let given = keep::name_at(self.name, time);
            let mut known = record.kept.iter().chain(&record.good);
            let is_known = known.any(|made| made.name == given);
            let is_there = |folder: &PathBuf| folder.join(&given).symlink_metadata().is_ok();
            if !is_known && !self.backup.to.as_ref().is_some_and(is_there) {
                return Ok(time);
            }
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(StreamError::Interrupted.into());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn make_and_keep(
        &self,
        time: Timestamp,
        record: &mut BackupRecord,
        journal: &mut Journal,
        progress: &mut dyn Progress,
    ) -> Result<BackupMade, BackupError> {
        let backup = self.backup;
        let variables = self.variables()?;
        let stopped = match &backup.of {
            BackupOf::Volume {
                volume,
                command: None,
                ..
            } => self.stop_holders(volume, journal).await?,
            _ => Vec::new(),
        };
        let written = self.write(time, &variables).await;
        // What was stopped runs again, however that ended.
        self.start_holders(&stopped).await?;
        let made = written?;
        record.add(made.clone());
        if let (Some(folder), Some(store)) = (&backup.to, &backup.store) {
            let path = folder.join(&made.name);
            let stored = self.store_file(&path, store, &made.name, &variables).await;
            stored.map_err(|source| BackupError::NotStored { path, source })?;
        }
        self.drop_surplus(record, &variables, progress).await;
        Ok(made)
    }

    /// Removes what is not kept. That this fails makes no backup worse.
    async fn drop_surplus(
        &self,
        record: &mut BackupRecord,
        variables: &[(String, String)],
        progress: &mut dyn Progress,
    ) {
        let backup = self.backup;
        let mut names: BTreeSet<String> =
            record.kept.iter().map(|made| made.name.clone()).collect();
        let in_folder = backup.to.as_deref().map(files::names);
        let in_folder: Vec<String> = in_folder.and_then(Result::ok).unwrap_or_default();
        names.extend(in_folder.iter().cloned());
        for gone in keep::surplus(self.name, &names, backup.keep) {
            let mut removed = Ok(());
            if let Some(folder) = backup.to.as_ref().filter(|_| in_folder.contains(&gone)) {
                removed = files::remove(&folder.join(&gone));
            }
            let known = record.kept.iter().any(|made| made.name == gone);
            if let Some(remove) = backup.remove.as_ref().filter(|_| known && removed.is_ok()) {
                let command = named(remove, &gone);
                let place = RunIn::Host(Path::new("/"));
                removed = match self.host.begin(place, &command, variables, false).await {
                    Ok(running) => running.answer(self.bounds()).await.map(drop),
                    Err(error) => Err(error),
                };
            }
            match removed {
                Ok(()) => record.kept.retain(|made| made.name != gone),
                Err(error) => {
                    // What the command said may be anything.
                    let why = error.to_string();
                    let why = why.lines().next().unwrap_or_default();
                    progress.warn(&format!("{gone} was not removed: {why}"));
                }
            }
        }
    }

    /// The variables of the secrets that a backup names.
    fn variables(&self) -> Result<Vec<(String, String)>, BackupError> {
        let mut variables = Vec::new();
        for name in &self.backup.environment {
            let path = layout::secret(name);
            let Some(content) = self.host.root().read(&path)? else {
                let name = name.clone();
                return Err(BackupError::NoSecret { name, path });
            };
            let text = String::from_utf8_lossy(&content);
            variables.extend(text.lines().filter_map(variable));
        }
        Ok(variables)
    }

    async fn containers(&self) -> Result<crate::model::DockerState, BackupError> {
        let docker = self.host.docker().await?;
        Ok(docker.observe(&BTreeSet::new(), &|_| true).await?)
    }

    /// The container of a service, which runs.
    async fn running(&self, member: &MemberName) -> Result<Container, BackupError> {
        let state = self.containers().await?;
        let found = find_members(&state, member)
            .into_iter()
            .find(|one| one.is_running());
        found.cloned().ok_or_else(|| BackupError::NotRunning {
            member: member.to_string(),
        })
    }
}

/// A line of an env file.
fn variable(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
    let value = value.trim();
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?;
        inner.strip_suffix(quote)
    });
    Some((name.trim().to_owned(), quoted.unwrap_or(value).to_owned()))
}

/// A command with the name of a backup.
fn named(command: &[String], name: &str) -> Vec<String> {
    command
        .iter()
        .map(|word| word.replace("{}", name))
        .collect()
}

/// A failure as it is on record: without what commands said, which may be anything.
pub(crate) fn failure(error: &BackupError, time: Timestamp) -> BackupFailed {
    let text = error.to_string();
    let why = text.lines().next().unwrap_or_default().to_owned();
    BackupFailed { time, why }
}
