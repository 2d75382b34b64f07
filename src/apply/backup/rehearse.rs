//! A restore, rehearsed: into a container or a folder that is thrown away.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::restore::extract;
use super::{BackupError, OneBackup, Source};
use crate::host::docker::Docker;
use crate::host::streams::{RunIn, StreamError, files};
use crate::kinds::find_members;
use crate::model::{BackupOf, Container, Rehearsal, layout};

/// How often it is asked whether the container is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Lines of a scratch container that are shown.
const LINES: usize = 8;
/// How long a container has to run where nothing asks whether it is ready.
const SETTLES: Duration = Duration::from_secs(1);

impl OneBackup<'_> {
    /// Restores a backup where it touches nothing, asks the gate, and throws it away.
    pub(crate) async fn rehearse(&self, source: &Source) -> Result<(), BackupError> {
        let (name, backup) = (self.name, self.backup);
        let rehearsal = backup.rehearsal.as_ref().ok_or(BackupError::NoRehearsal)?;
        source.verify()?;
        match &backup.of {
            BackupOf::Service { .. } | BackupOf::Volume { .. } => {
                let docker = self.host.docker().await?;
                // What a killed rehearsal has left.
                docker.remove_scratch(name).await?;
                let rehearsed = self.in_container(rehearsal, source, &docker).await;
                let removed = docker.remove_scratch(name).await;
                rehearsed?;
                Ok(removed?)
            }
            BackupOf::Files(_) | BackupOf::Host(_) => {
                let folder = Path::new(layout::SCRATCH).join(name);
                files::empty_folder(&folder)?;
                let rehearsed = self.in_folder(&folder, rehearsal, source).await;
                let removed = files::remove_folder(&folder);
                rehearsed?;
                Ok(removed?)
            }
        }
    }

    async fn in_folder(
        &self,
        folder: &Path,
        rehearsal: &Rehearsal,
        source: &Source,
    ) -> Result<(), BackupError> {
        let place = RunIn::Host(folder);
        let restore = rehearsal.restore.clone();
        let restore = restore.unwrap_or_else(|| extract(folder));
        self.pour(source, place, &restore).await?;
        self.ask(place, rehearsal).await
    }

    async fn in_container(
        &self,
        rehearsal: &Rehearsal,
        source: &Source,
        docker: &Docker,
    ) -> Result<(), BackupError> {
        let (name, backup) = (self.name, self.backup);
        let model = self.model().await?;
        let mut volumes = BTreeMap::new();
        if let BackupOf::Volume { volume, .. } = &backup.of {
            let scratch = docker.make_scratch_volume(name, "data").await?;
            let folder = docker.volume_folder(&scratch).await?;
            let own = rehearsal.restore.as_ref().or(backup.restore.as_ref());
            let command = own.cloned().unwrap_or_else(|| extract(&folder));
            self.pour(source, RunIn::Host(&folder), &command).await?;
            volumes.insert(volume.clone(), scratch);
        }
        let id = docker
            .start_scratch(&model.id, name, rehearsal.memory, &volumes)
            .await?;
        let place = RunIn::Container(&id);
        self.until_ready(docker, &id, rehearsal).await?;
        if let BackupOf::Service { .. } = &backup.of {
            let restore = rehearsal.restore.as_ref().or(backup.restore.as_ref());
            let restore = restore.ok_or(BackupError::NoRestore)?;
            self.pour(source, place, restore).await?;
        }
        self.ask(place, rehearsal).await
    }

    /// The container that the scratch container is made after.
    async fn model(&self) -> Result<Container, BackupError> {
        let state = self.containers().await?;
        match &self.backup.of {
            BackupOf::Service { member, .. }
            | BackupOf::Volume {
                member: Some(member),
                ..
            } => {
                let found = find_members(&state, member).into_iter().next();
                found.cloned().ok_or_else(|| BackupError::NotRunning {
                    member: member.to_string(),
                })
            }
            BackupOf::Volume { volume, .. } => {
                let has =
                    |one: &&Container| one.volumes.iter().any(|mount| mount.volume == *volume);
                let found = state.containers.iter().find(has);
                found.cloned().ok_or_else(|| BackupError::NoHolder {
                    volume: volume.clone(),
                })
            }
            BackupOf::Files(_) | BackupOf::Host(_) => Err(BackupError::NoRehearsal),
        }
    }

    async fn until_ready(
        &self,
        docker: &Docker,
        id: &str,
        rehearsal: &Rehearsal,
    ) -> Result<(), BackupError> {
        let begun = Instant::now();
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(StreamError::Interrupted.into());
            }
            let state = docker.container(id).await?;
            if !state.is_running() {
                return Err(BackupError::ScratchNotUp {
                    why: format!("ended with {}", state.exit_code),
                    said: docker.last_lines(id, LINES).await.unwrap_or_default(),
                });
            }
            match &rehearsal.ready {
                None if begun.elapsed() >= SETTLES => return Ok(()),
                None => {}
                Some(ready) => {
                    let variables = self.variables()?;
                    let asked = self
                        .host
                        .begin(RunIn::Container(id), ready, &variables, false);
                    match asked.await?.answer(self.bounds()).await {
                        Ok(_) => return Ok(()),
                        Err(StreamError::Failed { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            if begun.elapsed() > rehearsal.ready_timeout {
                return Err(BackupError::ScratchNotUp {
                    why: format!("is not ready after {} s", rehearsal.ready_timeout.as_secs()),
                    said: docker.last_lines(id, LINES).await.unwrap_or_default(),
                });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn ask(&self, place: RunIn<'_>, rehearsal: &Rehearsal) -> Result<(), BackupError> {
        let variables = self.variables()?;
        let gate = self
            .host
            .begin(place, &rehearsal.gate, &variables, false)
            .await?;
        let printed = gate.answer(self.bounds()).await?;
        match &rehearsal.expect {
            Some(expected) if printed.trim() != expected => Err(BackupError::Gate {
                gate: rehearsal.gate.join(" "),
                printed: printed.trim().chars().take(200).collect(),
                expected: expected.clone(),
            }),
            _ => Ok(()),
        }
    }
}
