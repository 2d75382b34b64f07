//! A backup from what prints it to where it is kept.

use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{BackupError, OneBackup, keep, named};
use crate::host::streams::{RunIn, Running, StreamError, feed, files, pipe};
use crate::model::{BackupMade, BackupOf, hex};
use files::Written;

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

impl OneBackup<'_> {
    /// Makes a backup where it is kept.
    pub(super) async fn write(
        &self,
        time: Timestamp,
        variables: &[(String, String)],
    ) -> Result<BackupMade, BackupError> {
        let (name, backup) = (self.name, self.backup);
        let given = keep::name_at(name, time);
        let running = self.source(variables).await?;
        let mut count = Count::default();
        let bounds = self.bounds();
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
                let place = RunIn::Host(Path::new("/"));
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
            sha256: hex(&count.hasher.finalize()),
            seconds: u64::try_from(seconds).unwrap_or(0),
        })
    }

    /// What prints the backup.
    async fn source(&self, variables: &[(String, String)]) -> Result<Running, BackupError> {
        let root = Path::new("/");
        let (place, command, container);
        match &self.backup.of {
            BackupOf::Service {
                member,
                command: own,
            } => {
                container = self.running(member).await?.id;
                place = RunIn::Container(&container);
                command = own.clone();
            }
            BackupOf::Volume {
                command: Some(own), ..
            }
            | BackupOf::Host(own) => {
                place = RunIn::Host(root);
                command = own.clone();
            }
            BackupOf::Volume { volume, .. } => {
                let folder = self.host.docker().await?.volume_folder(volume).await?;
                place = RunIn::Host(root);
                command = archive(&folder, &[".".to_owned()]);
            }
            BackupOf::Files(paths) => {
                let below = paths.iter().map(|path| {
                    let below = path.strip_prefix("/").unwrap_or(path);
                    format!("./{}", below.display())
                });
                place = RunIn::Host(root);
                command = archive(root, &below.collect::<Vec<_>>());
            }
        }
        Ok(self.host.begin(place, &command, variables, false).await?)
    }

    /// Has what is in the folder put away.
    pub(super) async fn store_file(
        &self,
        path: &Path,
        store: &[String],
        given: &str,
        variables: &[(String, String)],
    ) -> Result<(), StreamError> {
        let place = RunIn::Host(Path::new("/"));
        let store = self
            .host
            .begin(place, &named(store, given), variables, true)
            .await?;
        let input = feed(files::open(path)?);
        store
            .finish(Some(input), async |_| Ok(()), self.bounds())
            .await
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
