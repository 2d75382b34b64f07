//! Backups: made, restored, and their restore rehearsed.

mod error;
mod holders;
mod keep;
mod rehearse;
mod restore;
mod staged;
mod step;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::Progress;
use crate::host::Host;
use crate::host::streams::{Bounds, Place, Running, StreamError, feed, files, pipe};
use crate::kinds::find_members;
use crate::model::{
    Backup, BackupFailed, BackupMade, BackupOf, BackupRecord, Container, Desired, MemberName,
    layout,
};
use crate::state::{Journal, State};
pub(crate) use error::BackupError;
use files::Written;
pub(crate) use restore::Source;
pub(crate) use staged::Staged;

/// How often it is looked whether the name of a second is free.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a backup, a restore or a rehearsal works with.
pub(crate) struct Backups<'a> {
    /// The host.
    pub host: &'a Host,
    /// Its records.
    pub state: &'a State,
    /// What runs on it.
    pub desired: &'a Desired,
    /// Set by a signal.
    pub interrupted: &'a AtomicBool,
}

/// An archive of a folder. Numbers of users, not their names: a container has other names for them.
fn archive(folder: &Path, paths: &[String]) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let options = [
        "tar",
        "--create",
        "--file=-",
        "--numeric-owner",
        "--xattrs",
        "--directory",
    ];
    let options = options.map(str::to_owned).into_iter();
    let end = [folder, "--".to_owned()];
    options.chain(end).chain(paths.iter().cloned()).collect()
}

impl Backups<'_> {
    fn bounds(&self, backup: &Backup) -> Bounds<'_> {
        Bounds {
            interrupted: self.interrupted,
            timeout: backup.timeout,
        }
    }

    /// Makes a backup, and writes down how that ended.
    ///
    /// # Errors
    /// What failed. No half backup is left, and the last good one stays.
    pub(crate) async fn make(
        &self,
        name: &str,
        backup: &Backup,
        journal: &mut Journal,
        progress: &mut dyn Progress,
    ) -> Result<BackupMade, BackupError> {
        let mut record = self.state.backup(name, backup)?;
        if let Some(path) = &record.damaged {
            let path = path.display();
            progress.warn(&format!(
                "{path} is damaged; what was known of earlier backups is lost"
            ));
        }
        // Those that only the folder had are known no more.
        if backup.store.is_none() {
            let gone = std::mem::take(&mut record.gone);
            record.kept.retain(|made| !gone.contains(&made.name));
        }
        let time = self.free_time(name, backup, &record).await?;
        let made = self
            .make_and_keep(name, backup, time, &mut record, journal, progress)
            .await;
        record.failed = made.as_ref().err().map(|error| failure(error, time));
        let written = self.state.write_backup(name, &record);
        let made = made?;
        written?;
        Ok(made)
    }

    /// When a backup begins: no other one has the name of that second.
    async fn free_time(
        &self,
        name: &str,
        backup: &Backup,
        record: &BackupRecord,
    ) -> Result<Timestamp, BackupError> {
        loop {
            let time = Timestamp::now();
            let given = keep::name_at(name, time);
            let mut known = record.kept.iter().chain(&record.good);
            let is_known = known.any(|made| made.name == given);
            let is_there = |folder: &PathBuf| folder.join(&given).symlink_metadata().is_ok();
            if !is_known && !backup.to.as_ref().is_some_and(is_there) {
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
        name: &str,
        backup: &Backup,
        time: Timestamp,
        record: &mut BackupRecord,
        journal: &mut Journal,
        progress: &mut dyn Progress,
    ) -> Result<BackupMade, BackupError> {
        let variables = self.variables(backup)?;
        let stopped = match &backup.of {
            BackupOf::Volume {
                volume,
                command: None,
                ..
            } => self.stop_holders(volume, backup, journal).await?,
            _ => Vec::new(),
        };
        let written = self.write(name, backup, time, &variables).await;
        // What was stopped runs again, however that ended.
        self.start_holders(&stopped).await?;
        let made = written?;
        record.add(made.clone());
        if let (Some(folder), Some(store)) = (&backup.to, &backup.store) {
            let path = folder.join(&made.name);
            let stored = self
                .store_file(&path, store, &made.name, backup, &variables)
                .await;
            stored.map_err(|source| BackupError::NotStored { path, source })?;
        }
        self.drop_surplus(name, backup, record, &variables, progress)
            .await;
        Ok(made)
    }

    /// Makes a backup where it is kept.
    async fn write(
        &self,
        name: &str,
        backup: &Backup,
        time: Timestamp,
        variables: &[(String, String)],
    ) -> Result<BackupMade, BackupError> {
        let given = keep::name_at(name, time);
        let running = self.source(backup, variables).await?;
        let mut count = Count::default();
        let bounds = self.bounds(backup);
        match (&backup.to, &backup.store) {
            (Some(folder), _) => {
                let mut file = Written::begin(folder, name, &given)?;
                let take = async |chunk: Vec<u8>| {
                    count.add(&chunk);
                    file.add(&chunk)
                };
                running.finish(None, take, bounds).await?;
                if count.bytes == 0 {
                    return Err(BackupError::Empty {
                        what: backup.words(),
                    });
                }
                file.finish()?;
            }
            (None, Some(store)) => {
                let store = named(store, &given);
                let place = Place::Host(Path::new("/"));
                let store = self.host.begin(place, &store, variables, true).await?;
                let (sender, receiver) = pipe();
                let printed = async {
                    let take = async |chunk: Vec<u8>| {
                        count.add(&chunk);
                        sender
                            .send(Ok(chunk))
                            .await
                            .map_err(|_| StreamError::CutOff)
                    };
                    let mut ended = running
                        .finish(None, take, bounds)
                        .await
                        .map_err(BackupError::from);
                    if ended.is_ok() && count.bytes == 0 {
                        let what = backup.words();
                        ended = Err(BackupError::Empty { what });
                    }
                    if ended.is_err() {
                        // The other one must not take this for the end of a backup.
                        let _ = sender.send(Err(StreamError::CutOff)).await;
                    }
                    drop(sender);
                    ended
                };
                let stored = store.finish(Some(receiver), async |_| Ok(()), bounds);
                let (printed, stored) = tokio::join!(printed, stored);
                match (printed, stored) {
                    (Ok(()), stored) => stored?,
                    // That the command was cut off follows from why the other one failed.
                    (Err(BackupError::Stream(StreamError::CutOff)), Err(error)) => {
                        return Err(error.into());
                    }
                    (Err(error), _) => return Err(error),
                }
            }
            (None, None) => {}
        }
        let seconds = Timestamp::now().duration_since(time).as_secs();
        Ok(BackupMade {
            name: given,
            time,
            bytes: count.bytes,
            sha256: files::hex(&count.hasher.finalize()),
            seconds: u64::try_from(seconds).unwrap_or(0),
        })
    }

    /// What prints the backup.
    async fn source(
        &self,
        backup: &Backup,
        variables: &[(String, String)],
    ) -> Result<Running, BackupError> {
        let root = Path::new("/");
        let (place, command, container);
        match &backup.of {
            BackupOf::Service {
                member,
                command: own,
            } => {
                container = self.running(member).await?.id;
                place = Place::Container(&container);
                command = own.clone();
            }
            BackupOf::Volume {
                command: Some(own), ..
            }
            | BackupOf::Host(own) => {
                place = Place::Host(root);
                command = own.clone();
            }
            BackupOf::Volume { volume, .. } => {
                let folder = self.host.docker().await?.volume_folder(volume).await?;
                place = Place::Host(root);
                command = archive(&folder, &[".".to_owned()]);
            }
            BackupOf::Files(paths) => {
                let below = paths.iter().map(|path| {
                    let below = path.strip_prefix("/").unwrap_or(path);
                    format!("./{}", below.display())
                });
                place = Place::Host(root);
                command = archive(root, &below.collect::<Vec<_>>());
            }
        }
        Ok(self.host.begin(place, &command, variables, false).await?)
    }

    async fn store_file(
        &self,
        path: &Path,
        store: &[String],
        given: &str,
        backup: &Backup,
        variables: &[(String, String)],
    ) -> Result<(), StreamError> {
        let place = Place::Host(Path::new("/"));
        let store = self
            .host
            .begin(place, &named(store, given), variables, true)
            .await?;
        let input = feed(files::open(path)?);
        store
            .finish(Some(input), async |_| Ok(()), self.bounds(backup))
            .await
    }

    /// Removes what is not kept. That this fails makes no backup worse.
    async fn drop_surplus(
        &self,
        name: &str,
        backup: &Backup,
        record: &mut BackupRecord,
        variables: &[(String, String)],
        progress: &mut dyn Progress,
    ) {
        let mut names: BTreeSet<String> =
            record.kept.iter().map(|made| made.name.clone()).collect();
        let in_folder = backup.to.as_deref().map(files::names);
        let in_folder: Vec<String> = in_folder.and_then(Result::ok).unwrap_or_default();
        names.extend(in_folder.iter().cloned());
        for gone in keep::surplus(name, &names, backup.keep) {
            let mut removed = Ok(());
            if let Some(folder) = backup.to.as_ref().filter(|_| in_folder.contains(&gone)) {
                removed = files::remove(&folder.join(&gone));
            }
            let known = record.kept.iter().any(|made| made.name == gone);
            if let Some(remove) = backup.remove.as_ref().filter(|_| known && removed.is_ok()) {
                let command = named(remove, &gone);
                let place = Place::Host(Path::new("/"));
                removed = match self.host.begin(place, &command, variables, false).await {
                    Ok(running) => running.answer(self.bounds(backup)).await.map(drop),
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
    fn variables(&self, backup: &Backup) -> Result<Vec<(String, String)>, BackupError> {
        let mut variables = Vec::new();
        for name in &backup.environment {
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

    /// The containers of the engine.
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

/// What was moved.
#[derive(Default)]
struct Count {
    hasher: Sha256,
    bytes: u64,
}

impl Count {
    fn add(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
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
