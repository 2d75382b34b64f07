//! Commands in containers, and containers that are thrown away.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptions, StartContainerOptions,
};
use futures_util::stream::StreamExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::AsyncWrite;

use super::Docker;
use crate::host::HostError;
use crate::host::streams::{Output, Piece, StreamError};

/// The label of containers and volumes of a rehearsal, with the name of the backup.
const SCRATCH: &str = "watchme-apply.scratch";

/// A command that was begun.
pub(in crate::host) struct Begun {
    pub(in crate::host) id: String,
    pub(in crate::host) input: Pin<Box<dyn AsyncWrite + Send>>,
    pub(in crate::host) output: Output,
}

impl Docker {
    /// Begins a command in a container.
    pub(in crate::host) async fn exec(
        &self,
        container: &str,
        command: &[String],
        variables: Vec<String>,
        with_input: bool,
    ) -> Result<Begun, HostError> {
        let doing = || format!("run {} in container {container}", command.join(" "));
        let config = models::ExecConfig {
            attach_stdin: Some(with_input),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            env: Some(variables).filter(|variables| !variables.is_empty()),
            cmd: Some(command.to_vec()),
            ..Default::default()
        };
        let made = self
            .line
            .request(doing, self.engine.create_exec(container, config))
            .await?;
        let options = StartExecOptions {
            detach: false,
            tty: false,
            output_capacity: None,
        };
        let started = self.engine.start_exec(&made.id, Some(options));
        match self.line.request(doing, started).await? {
            StartExecResults::Attached { output, input } => {
                let (engine, text) = (self.kind, doing());
                let output = output.map(move |piece| match piece {
                    Ok(LogOutput::StdErr { message }) => Ok(Piece::Err(message.to_vec())),
                    Ok(other) => Ok(Piece::Out(other.into_bytes().to_vec())),
                    Err(source) => Err(StreamError::from(HostError::Docker {
                        engine,
                        doing: text.clone(),
                        source: Box::new(source),
                    })),
                });
                Ok(Begun {
                    id: made.id,
                    input,
                    output: Box::pin(output),
                })
            }
            StartExecResults::Detached => Err(HostError::Docker {
                engine: self.kind,
                doing: doing(),
                source: Box::new(bollard::errors::Error::RequestTimeoutError),
            }),
        }
    }

    /// The exit status of a command that has ended.
    pub(in crate::host) async fn exec_status(&self, id: &str) -> Result<i64, HostError> {
        for _ in 0..50 {
            let found = self.inspect_exec(id).await?;
            // Its output may end a moment before the engine knows how it ended.
            if found.running != Some(true)
                && let Some(code) = found.exit_code
            {
                return Ok(code);
            }
            tokio::time::sleep(super::MOMENT).await;
        }
        Err(HostError::Timeout {
            what: "learn how a command in a container has ended".to_owned(),
            after: super::MOMENT * 50,
        })
    }

    async fn inspect_exec(&self, id: &str) -> Result<models::ExecInspectResponse, HostError> {
        let doing = || "ask for a command in a container".to_owned();
        let ask = || self.engine.inspect_exec(id);
        self.line.look(doing, ask).await
    }

    /// Ends a command: the engine has no request for that. Its process id is the host's.
    pub(in crate::host) async fn end_exec(&self, id: &str) {
        if let Ok(found) = self.inspect_exec(id).await
            && found.running == Some(true)
            && let Some(pid) = found.pid.and_then(|pid| i32::try_from(pid).ok())
            && pid > 1
        {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }

    /// The folder of a volume on this host, where it has one.
    pub(crate) async fn volume_folder(&self, name: &str) -> Result<std::path::PathBuf, HostError> {
        let doing = || format!("inspect volume {name}");
        let ask = || self.engine.inspect_volume(name);
        Ok(self.line.look(doing, ask).await?.mountpoint.into())
    }

    /// Makes and starts a container as another one is, on a copy of its data that is empty, without a network and without
    /// ports. `volumes` are used in the place of those that it has. Returns its id.
    pub(crate) async fn start_scratch(
        &self,
        of: &str,
        backup: &str,
        memory: u64,
        volumes: &BTreeMap<String, String>,
    ) -> Result<String, HostError> {
        let doing = || format!("start a scratch container for {backup}");
        let ask = || self.engine.inspect_container(of, None);
        let model = self.line.look(doing, ask).await?;
        let config = model.config.unwrap_or_default();
        let before = model.host_config.unwrap_or_default();
        let mut mounts = Vec::new();
        for (number, point) in model.mounts.unwrap_or_default().into_iter().enumerate() {
            let Some(target) = point.destination else {
                continue;
            };
            let is_volume = point.typ.as_deref() == Some("volume");
            let source = point.source.unwrap_or_default();
            let is_folder = std::path::Path::new(&source).is_dir();
            // What it reads it gets, and what it could change it does not.
            let mount = match is_volume || (point.rw == Some(true) && is_folder) {
                false => models::Mount {
                    target: Some(target),
                    source: Some(source),
                    typ: Some(models::MountType::BIND),
                    read_only: Some(true),
                    ..Default::default()
                },
                true => {
                    let known = point.name.and_then(|name| volumes.get(&name).cloned());
                    let name = match known {
                        Some(name) => name,
                        None => {
                            self.make_scratch_volume(backup, &number.to_string())
                                .await?
                        }
                    };
                    models::Mount {
                        target: Some(target),
                        source: Some(name),
                        typ: Some(models::MountType::VOLUME),
                        ..Default::default()
                    }
                }
            };
            mounts.push(mount);
        }
        let body = models::ContainerCreateBody {
            image: model.image,
            env: config.env,
            cmd: config.cmd,
            entrypoint: config.entrypoint,
            user: config.user,
            working_dir: config.working_dir,
            stop_signal: config.stop_signal,
            labels: Some(HashMap::from([(SCRATCH.to_owned(), backup.to_owned())])),
            host_config: Some(models::HostConfig {
                network_mode: Some("none".to_owned()),
                memory: i64::try_from(memory).ok(),
                mounts: Some(mounts),
                tmpfs: before.tmpfs,
                shm_size: before.shm_size,
                cap_add: before.cap_add,
                cap_drop: before.cap_drop,
                security_opt: before.security_opt,
                init: before.init,
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::new()
            .name(&format!("watchme-apply-scratch-{backup}"))
            .build();
        let made = self
            .line
            .request(doing, self.engine.create_container(Some(options), body));
        let id = made.await?.id;
        let start = self
            .engine
            .start_container(&id, None::<StartContainerOptions>);
        self.line.request(doing, start).await?;
        Ok(id)
    }

    /// Makes an empty volume that goes with the rehearsal.
    pub(crate) async fn make_scratch_volume(
        &self,
        backup: &str,
        what: &str,
    ) -> Result<String, HostError> {
        let name = format!("watchme-apply-scratch-{backup}-{what}");
        let body = models::VolumeCreateRequest {
            name: Some(name.clone()),
            labels: Some(HashMap::from([(SCRATCH.to_owned(), backup.to_owned())])),
            ..Default::default()
        };
        let doing = || format!("create volume {name}");
        self.line
            .request(doing, self.engine.create_volume(body))
            .await?;
        Ok(name)
    }

    /// Removes the containers and volumes of the rehearsals of a backup, those that a killed one has left included.
    pub(crate) async fn remove_scratch(&self, backup: &str) -> Result<(), HostError> {
        let label = format!("{SCRATCH}={backup}");
        let filters = HashMap::from([("label", vec![label.as_str()])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let doing = || "list containers of rehearsals".to_owned();
        let ask = || self.engine.list_containers(Some(options.clone()));
        for container in self.line.look(doing, ask).await? {
            let id = container.id.unwrap_or_default();
            let doing = || format!("remove container {id}");
            let options = RemoveContainerOptionsBuilder::new()
                .force(true)
                .v(true)
                .build();
            let removed = self.engine.remove_container(&id, Some(options));
            match self.line.request(doing, removed).await {
                Err(error) if !error.is_gone() && !error.is_going() => return Err(error),
                _ => {}
            }
        }
        let options = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let doing = || "list volumes of rehearsals".to_owned();
        let ask = || self.engine.list_volumes(Some(options.clone()));
        let listed = self.line.look(doing, ask).await?;
        for volume in listed.volumes.unwrap_or_default() {
            let doing = || format!("remove volume {}", volume.name);
            let removed = self
                .engine
                .remove_volume(&volume.name, None::<RemoveVolumeOptions>);
            self.line.request(doing, removed).await?;
        }
        Ok(())
    }
}
