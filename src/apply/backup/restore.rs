//! A backup, brought back.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{BackupError, OneBackup, Staged, keep, named};
use crate::host::streams::{Bounds, RunIn, Running, StreamError, feed, files, pipe};
use crate::model::{BackupOf, BackupRecord, hex};
use crate::state::Journal;

/// A backup that was found.
#[derive(Debug)]
pub(crate) struct Source {
    pub name: String,
    /// Its file; `None`: `fetch` brings it.
    path: Option<PathBuf>,
    /// What its content has to be, where that is on record.
    sha256: Option<String>,
}

impl OneBackup<'_> {
    /// Finds the backup of a name, or the last one.
    pub(crate) fn find(&self, asked: Option<&str>) -> Result<Source, BackupError> {
        let (name, backup) = (self.name, self.backup);
        let record = self.state.backup(name, backup)?;
        let in_folder = match &backup.to {
            Some(folder) => files::names(folder)?,
            None => Vec::new(),
        };
        let of_ours = |one: &&String| keep::time_of(name, one).is_some();
        let wanted = |one: &&String| asked.is_none_or(|asked| asked == one.as_str());
        // Their names are in the order of their times.
        let found = in_folder.iter().filter(of_ours).rfind(wanted);
        if let (Some(found), Some(folder)) = (found, &backup.to) {
            return Ok(Source {
                path: Some(folder.join(found)),
                sha256: hash_of(&record, found),
                name: found.clone(),
            });
        }
        let none = || BackupError::None {
            name: asked.unwrap_or(name).to_owned(),
            place: backup.to.clone(),
            fetch: backup.fetch.is_some() && asked.is_none(),
        };
        if backup.fetch.is_none() {
            return Err(none());
        }
        let known = record.kept.last().map(|made| made.name.as_str());
        let name = asked.or(known).ok_or_else(none)?;
        Ok(Source {
            name: name.to_owned(),
            path: None,
            sha256: hash_of(&record, name),
        })
    }

    /// Restores a backup in the place of what is there.
    ///
    /// # Errors
    /// What failed. A volume and files are as before then.
    pub(crate) async fn restore(
        &self,
        source: &Source,
        staged: Option<&Staged>,
        journal: &mut Journal,
    ) -> Result<(), BackupError> {
        let backup = self.backup;
        if let Some(staged) = staged {
            return self.put(staged).await;
        }
        source.verify()?;
        let root = Path::new("/");
        match &backup.of {
            BackupOf::Service { member, .. } => {
                let restore = backup.restore.as_ref().ok_or(BackupError::NoRestore)?;
                let container = self.running(member).await?;
                let place = RunIn::Container(&container.id);
                self.pour(source, place, restore).await
            }
            BackupOf::Host(_) => {
                let restore = backup.restore.as_ref().ok_or(BackupError::NoRestore)?;
                self.pour(source, RunIn::Host(root), restore).await
            }
            // It is unpacked before.
            BackupOf::Files(_) => Err(BackupError::NoRestore),
            BackupOf::Volume { volume, .. } => {
                let stopped = self.stop_holders(volume, journal).await?;
                let restored = self.replace_volume(volume, source).await;
                self.start_holders(&stopped).await?;
                restored
            }
        }
    }

    /// Restores beside what is there, and swaps the two.
    async fn replace_volume(&self, volume: &str, source: &Source) -> Result<(), BackupError> {
        let folder = self.host.docker().await?.volume_folder(volume).await?;
        let beside = folder.with_file_name(".watchme-apply-restore");
        files::empty_folder(&beside)?;
        let place = RunIn::Host(Path::new("/"));
        let restored = match &self.backup.restore {
            Some(own) => self.pour(source, RunIn::Host(&beside), own).await,
            None => self.pour(source, place, &extract(&beside)).await,
        };
        let swapped = match restored {
            Ok(()) => files::exchange(&beside, &folder).map_err(BackupError::from),
            Err(error) => Err(error),
        };
        files::remove_folder(&beside)?;
        swapped
    }

    /// Gives a backup to a command.
    pub(super) async fn pour(
        &self,
        source: &Source,
        place: RunIn<'_>,
        command: &[String],
    ) -> Result<(), BackupError> {
        let variables = self.variables()?;
        let bounds = self.bounds();
        let into = self.host.begin(place, command, &variables, true).await?;
        let Some(path) = &source.path else {
            let fetch = self.backup.fetch.as_deref().unwrap_or_default();
            let fetch = named(fetch, &source.name);
            let place = RunIn::Host(Path::new("/"));
            let fetch = self.host.begin(place, &fetch, &variables, false).await?;
            let sha256 = pass_on(fetch, into, bounds).await?;
            return source.compare(&sha256);
        };
        let input = feed(files::open(path)?);
        Ok(into.finish(Some(input), async |_| Ok(()), bounds).await?)
    }
}

/// Has a command read what another one prints. Returns its SHA-256.
async fn pass_on(from: Running, into: Running, bounds: Bounds<'_>) -> Result<String, StreamError> {
    let (sender, receiver) = pipe();
    let mut hasher = Sha256::new();
    let printed = async {
        let take = async |chunk: Vec<u8>| {
            hasher.update(&chunk);
            sender
                .send(Ok(chunk))
                .await
                .map_err(|_| StreamError::CutOff)
        };
        let ended = from.finish(None, take, bounds).await;
        if ended.is_err() {
            let _ = sender.send(Err(StreamError::CutOff)).await;
        }
        drop(sender);
        ended
    };
    let restored = into.finish(Some(receiver), async |_| Ok(()), bounds);
    match tokio::join!(printed, restored) {
        (Ok(()), Ok(())) => Ok(hex(&hasher.finalize())),
        (Err(StreamError::CutOff), Err(error)) | (Ok(()), Err(error)) => Err(error),
        (Err(error), _) => Err(error),
    }
}

/// What unpacks an archive of [`super::archive`].
pub(super) fn extract(folder: &Path) -> Vec<String> {
    let options = [
        "tar",
        "--extract",
        "--file=-",
        "--numeric-owner",
        "--preserve-permissions",
        "--xattrs",
        "--directory",
    ];
    let folder = folder.to_string_lossy().into_owned();
    options
        .map(str::to_owned)
        .into_iter()
        .chain([folder])
        .collect()
}

fn hash_of(record: &BackupRecord, name: &str) -> Option<String> {
    let made = record.kept.iter().rfind(|made| made.name == name);
    made.map(|made| made.sha256.clone())
}

impl Source {
    /// Whether its file is what was written, as far as that is on record.
    pub(super) fn verify(&self) -> Result<(), BackupError> {
        match (&self.path, &self.sha256) {
            (Some(path), Some(_)) => self.compare(&files::sha256(path)?),
            _ => Ok(()),
        }
    }

    fn compare(&self, sha256: &str) -> Result<(), BackupError> {
        match self.sha256.as_deref().is_none_or(|known| known == sha256) {
            true => Ok(()),
            false => Err(BackupError::Damaged {
                name: self.name.clone(),
            }),
        }
    }
}
