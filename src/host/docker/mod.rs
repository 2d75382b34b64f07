//! The Docker engine over its socket; <https://docs.docker.com/reference/api/engine/>.

mod change;
mod convert;
mod line;
mod ping;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptions, ListVolumesOptions,
};
use bollard::{API_DEFAULT_VERSION, ClientVersion};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::error::{DockerAbsence, HostError};
use crate::model::{Container, DockerState, ImageState, NetworkState};
use line::{Line, REQUEST, absence};

const SOCKET: &str = "/var/run/docker.sock";
/// Inspects under way at once; the engine takes locks for each, so more gains nothing.
const PIPELINE: usize = 4;

/// How often a container is looked at again that the engine cannot tell of at the moment.
const TRIES: usize = 3;
/// How long that takes in between.
const MOMENT: Duration = Duration::from_millis(100);

/// A connection to the Docker engine.
pub struct Docker {
    engine: bollard::Docker,
    line: Line,
}

impl Docker {
    /// Connects to the engine of this host: `$DOCKER_HOST` where it names a unix socket,
    /// else `/var/run/docker.sock`; another machine's engine is never asked.
    pub async fn connect() -> Result<Self, HostError> {
        Self::connect_to(
            &socket(std::env::var("DOCKER_HOST").ok().as_deref()),
            REQUEST,
        )
        .await
    }

    async fn connect_to(socket: &Path, after: Duration) -> Result<Self, HostError> {
        let absent = |why, source| HostError::DockerAbsent {
            socket: socket.to_owned(),
            why,
            source,
        };
        let version = match tokio::time::timeout(after, ping::version(socket)).await {
            Ok(Ok(version)) => version,
            Ok(Err(source)) => return Err(absent(absence(&source), Some(source))),
            Err(_) => return Err(absent(DockerAbsence::Mute, None)),
        };
        let ours = API_DEFAULT_VERSION;
        let version = ClientVersion {
            major_version: version.0,
            minor_version: version.1,
        };
        let version = if &version < ours { &version } else { ours };
        let path = socket.to_string_lossy();
        let engine = bollard::Docker::connect_with_unix(&path, after.as_secs(), version)
            .map_err(|source| failed(format!("connect to {path}"), source))?;
        let line = Line::new(socket);
        Ok(Self { engine, line })
    }

    /// Networks, volumes and containers. The endpoints of the networks named in `networks` are
    /// asked for, and the records of those containers that `wanted` picks from the list; the
    /// others have what the list says: no aliases, no health, no exit code.
    pub async fn observe(
        &self,
        networks: &BTreeSet<String>,
        wanted: &dyn Fn(&Container) -> bool,
    ) -> Result<DockerState, HostError> {
        let (networks, volumes, containers) = tokio::try_join!(
            self.networks(networks),
            self.volumes(),
            self.containers(wanted)
        )?;
        Ok(DockerState {
            networks,
            volumes,
            containers,
            images: BTreeMap::new(),
        })
    }

    /// One container, fresh.
    pub async fn container(&self, id: &str) -> Result<Container, HostError> {
        let doing = || format!("inspect container {id}");
        let ask = || self.engine.inspect_container(id, None);
        Ok(convert::container(self.line.look(doing, ask).await?))
    }

    /// Asks the engine a short question.
    ///
    /// # Errors
    /// Why it does not answer.
    pub async fn answers(&self) -> Result<(), HostError> {
        self.line.answers().await
    }

    /// The record of a container that was listed; `None` when it has gone since. One that is on
    /// its way out can be neither there nor gone: the engine has no answer then, and what the
    /// list said of it is all that there is.
    async fn listed(&self, listed: Container) -> Result<Option<Container>, HostError> {
        for _ in 0..TRIES {
            match self.container(&listed.id).await {
                Ok(container) => return Ok(Some(container)),
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) if error.is_going() => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(MOMENT).await;
        }
        Ok(Some(listed))
    }

    /// When each image was made, by its id: one request for all of them.
    pub async fn image_times(&self) -> Result<BTreeMap<String, Timestamp>, HostError> {
        let doing = || "list images".to_owned();
        let ask = || self.engine.list_images(None::<ListImagesOptions>);
        let listed = self.line.look(doing, ask).await?.into_iter();
        let made = listed.filter_map(|image| {
            let made = Timestamp::from_second(image.created).ok()?;
            Some((image.id, made))
        });
        Ok(made.collect())
    }

    /// An image by its name, tag or digest included. `None`: the engine does not have it.
    pub async fn image(&self, name: &str) -> Result<Option<ImageState>, HostError> {
        let doing = || format!("inspect image {name}");
        match self
            .line
            .look(doing, || self.engine.inspect_image(name))
            .await
        {
            Ok(image) => {
                let architecture = image.architecture.unwrap_or_default();
                Ok(Some(ImageState {
                    id: image.id.unwrap_or_default(),
                    runs_here: super::images::runs_here(&architecture),
                    architecture,
                }))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn networks(
        &self,
        named: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<NetworkState>>, HostError> {
        let doing = || "list networks".to_owned();
        let ask = || self.engine.list_networks(None);
        let listed = self.line.look(doing, ask).await?;
        let mut networks: BTreeMap<String, Vec<NetworkState>> = BTreeMap::new();
        for network in listed {
            let (name, mut state) = convert::network(network);
            if named.contains(&name) {
                let doing = || format!("inspect network {name}");
                let ask = || self.engine.inspect_network(&state.id, None);
                match self.line.look(doing, ask).await {
                    Ok(record) => state.endpoints = convert::endpoints(record),
                    // It was removed since it was listed.
                    Err(error) if error.is_not_found() => continue,
                    Err(error) => return Err(error),
                }
            }
            networks.entry(name).or_default().push(state);
        }
        Ok(networks)
    }

    async fn volumes(&self) -> Result<BTreeMap<String, crate::model::Volume>, HostError> {
        let doing = || "list volumes".to_owned();
        let ask = || self.engine.list_volumes(None::<ListVolumesOptions>);
        let listed = self.line.look(doing, ask).await?;
        let volumes = listed.volumes.unwrap_or_default();
        Ok(volumes.into_iter().map(convert::volume).collect())
    }

    async fn containers(
        &self,
        wanted: &dyn Fn(&Container) -> bool,
    ) -> Result<Vec<Container>, HostError> {
        let all = ListContainersOptionsBuilder::new().all(true).build();
        let doing = || "list containers".to_owned();
        let ask = || self.engine.list_containers(Some(all.clone()));
        let listed = self.line.look(doing, ask).await?;
        let listed = listed.into_iter().map(convert::listed);
        stream::iter(listed)
            .map(|container| async {
                if !wanted(&container) {
                    return Ok(Some(container));
                }
                self.listed(container).await
            })
            .buffered(PIPELINE)
            .try_filter_map(|container| std::future::ready(Ok(container)))
            .try_collect()
            .await
    }
}

fn socket(docker_host: Option<&str>) -> PathBuf {
    let named = docker_host.and_then(|host| host.strip_prefix("unix://"));
    PathBuf::from(named.unwrap_or(SOCKET))
}

fn failed(doing: String, source: bollard::errors::Error) -> HostError {
    HostError::Docker {
        doing,
        source: Box::new(source),
    }
}
