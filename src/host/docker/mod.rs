//! The Docker engine over its socket; <https://docs.docker.com/reference/api/engine/>.

mod change;
mod convert;
pub(in crate::host) mod exec;
mod get;
mod images;
mod line;
pub(crate) mod logs;
mod ping;
pub(crate) mod room;
mod shape;
mod stopped;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::query_parameters::ListVolumesOptions;
use bollard::{API_DEFAULT_VERSION, ClientVersion};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::error::{DockerAbsence, HostError};
use crate::model::{Container, DockerState, Engine, NetworkState};
use line::{Line, REQUEST, absence};
use ping::Greeting;

const SOCKET: &str = "/var/run/docker.sock";
/// Inspects under way at once; the engine takes locks for each, so more gains nothing.
const PIPELINE: usize = 4;

/// How often a container is looked at again that the engine cannot tell of at the moment.
const TRIES: usize = 3;
/// How long that takes in between.
const MOMENT: Duration = Duration::from_millis(100);

/// A connection to the Docker engine.
pub(crate) struct Docker {
    socket: PathBuf,
    kind: Engine,
    version: ClientVersion,
    engine: bollard::Docker,
    line: Line,
}

impl Docker {
    /// Connects to the engine behind a socket.
    pub(crate) async fn connect(socket: &Path) -> Result<Self, HostError> {
        Self::connect_to(socket, REQUEST).await
    }

    pub(crate) fn kind(&self) -> Engine {
        self.kind
    }

    /// The socket on which it answers.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    async fn connect_to(socket: &Path, after: Duration) -> Result<Self, HostError> {
        let absent = |why, source| HostError::DockerAbsent {
            socket: socket.to_owned(),
            why,
            source,
        };
        let Greeting { version, kind } =
            match tokio::time::timeout(after, ping::greet(socket)).await {
                Ok(Ok(greeting)) => greeting,
                Ok(Err(source)) => return Err(absent(absence(&source), Some(source))),
                Err(_) => return Err(absent(DockerAbsence::Mute, None)),
            };
        let ours = API_DEFAULT_VERSION;
        let version = ClientVersion {
            major_version: version.0,
            minor_version: version.1,
        };
        let version = if version < *ours { version } else { *ours };
        let path = socket.to_string_lossy();
        let engine = bollard::Docker::connect_with_unix(&path, after.as_secs(), &version);
        let engine = engine.map_err(|source| HostError::Docker {
            engine: kind,
            doing: format!("connect to {path}"),
            source: Box::new(source),
        })?;
        Ok(Self {
            socket: socket.to_owned(),
            kind,
            version,
            engine,
            line: Line::new(socket, kind),
        })
    }

    /// The path of a request with the version that this engine speaks.
    fn target(&self, path: &str) -> String {
        let ClientVersion {
            major_version,
            minor_version,
        } = self.version;
        format!("/v{major_version}.{minor_version}/{path}")
    }

    /// Networks, volumes and containers. The endpoints of the networks named in `networks` are
    /// asked for, and the records of those containers that `wanted` picks from the list; the
    /// others have what the list says: no aliases, no health, no exit code.
    pub(crate) async fn observe(
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
            engine: self.kind,
            of_user: self.socket.starts_with(super::user_engines::FOLDERS),
            networks,
            volumes,
            containers,
            images: BTreeMap::new(),
        })
    }

    /// One container, fresh.
    pub(crate) async fn container(&self, id: &str) -> Result<Container, HostError> {
        let doing = || format!("inspect container {id}");
        let target = self.target(&format!("containers/{}/json", get::escaped(id)));
        let ask = || get::get(&self.socket, &target);
        Ok(convert::container(self.line.look(doing, ask).await?))
    }

    /// Its version, such as `20.10.24+dfsg1`, if it says so.
    pub(crate) async fn version(&self) -> Option<String> {
        let doing = || "ask the engine for its version".to_owned();
        let ask = || self.engine.version();
        self.line.look(doing, ask).await.ok()?.version
    }

    /// Asks the engine a short question.
    pub(crate) async fn answers(&self) -> Result<(), HostError> {
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
        let doing = || "list containers".to_owned();
        let target = self.target("containers/json?all=true");
        let ask = || get::get(&self.socket, &target);
        let listed: Vec<convert::Row> = self.line.look(doing, ask).await?;
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

/// Where this host's engine answers if watchme.toml does not say it: what `$DOCKER_HOST` says where that is a socket, else
/// [`SOCKET`]; another machine's engine is never asked.
pub(super) fn usual_socket() -> PathBuf {
    socket(std::env::var("DOCKER_HOST").ok().as_deref())
}

fn socket(docker_host: Option<&str>) -> PathBuf {
    let named = docker_host.and_then(|host| host.strip_prefix("unix://"));
    PathBuf::from(named.unwrap_or(SOCKET))
}
