//! The Docker engine over its socket; <https://docs.docker.com/reference/api/engine/>.

mod change;
mod convert;
mod ping;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::query_parameters::{ListContainersOptionsBuilder, ListVolumesOptions};
use bollard::{API_DEFAULT_VERSION, ClientVersion};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::error::{DockerAbsence, HostError};
use crate::model::{Container, DockerState, NetworkState};

const SOCKET: &str = "/var/run/docker.sock";
const REQUEST: Duration = Duration::from_secs(10);
/// Inspects under way at once; the engine takes locks for each, so more gains nothing.
const PIPELINE: usize = 4;

/// A connection to the Docker engine.
pub struct Docker {
    engine: bollard::Docker,
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
        Ok(Self { engine })
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
        })
    }

    /// One container, fresh.
    pub async fn container(&self, id: &str) -> Result<Container, HostError> {
        let doing = || format!("inspect container {id}");
        let record = request(doing, self.engine.inspect_container(id, None)).await?;
        Ok(convert::container(record))
    }

    async fn networks(
        &self,
        named: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<NetworkState>>, HostError> {
        let listed = request(
            || "list networks".to_owned(),
            self.engine.list_networks(None),
        )
        .await?;
        let mut networks: BTreeMap<String, Vec<NetworkState>> = BTreeMap::new();
        for network in listed {
            let (name, mut state) = convert::network(network);
            if named.contains(&name) {
                let doing = || format!("inspect network {name}");
                match request(doing, self.engine.inspect_network(&state.id, None)).await {
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
        let listed = request(
            || "list volumes".to_owned(),
            self.engine.list_volumes(None::<ListVolumesOptions>),
        )
        .await?;
        let volumes = listed.volumes.unwrap_or_default();
        Ok(volumes.into_iter().map(convert::volume).collect())
    }

    async fn containers(
        &self,
        wanted: &dyn Fn(&Container) -> bool,
    ) -> Result<Vec<Container>, HostError> {
        let all = ListContainersOptionsBuilder::new().all(true).build();
        let doing = || "list containers".to_owned();
        let listed = request(doing, self.engine.list_containers(Some(all))).await?;
        let listed = listed.into_iter().map(convert::listed);
        stream::iter(listed)
            .map(|container| async {
                if !wanted(&container) {
                    return Ok(Some(container));
                }
                match self.container(&container.id).await {
                    Ok(container) => Ok(Some(container)),
                    // It was removed since it was listed.
                    Err(error) if error.is_not_found() => Ok(None),
                    Err(error) => Err(error),
                }
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

fn absence(error: &io::Error) -> DockerAbsence {
    match error.kind() {
        io::ErrorKind::NotFound => DockerAbsence::NoSocket,
        io::ErrorKind::ConnectionRefused => DockerAbsence::Refused,
        io::ErrorKind::PermissionDenied => DockerAbsence::Forbidden,
        _ => DockerAbsence::Other,
    }
}

fn failed(doing: String, source: bollard::errors::Error) -> HostError {
    HostError::Docker {
        doing,
        source: Box::new(source),
    }
}

/// Bounds a request with its answer: the library's own bound ends with the header.
async fn request<T>(
    doing: impl Fn() -> String,
    future: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, HostError> {
    let timeout = || HostError::Timeout {
        what: format!("get an answer from Docker to: {}", doing()),
        after: REQUEST,
    };
    match tokio::time::timeout(REQUEST, future).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(bollard::errors::Error::RequestTimeoutError)) | Err(_) => Err(timeout()),
        Ok(Err(source)) => Err(failed(doing(), source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_hosts_engine() {
        assert_eq!(socket(None), Path::new(SOCKET));
        assert_eq!(socket(Some("tcp://192.0.2.1:2375")), Path::new(SOCKET));
        assert_eq!(socket(Some("unix:///run/d.sock")), Path::new("/run/d.sock"));
    }

    #[tokio::test]
    async fn a_missing_socket_a_dead_one_and_a_mute_one() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("docker.sock");
        let why = async || match Docker::connect_to(&path, Duration::from_millis(50)).await {
            Err(HostError::DockerAbsent { why, .. }) => Some(why),
            _ => None,
        };
        assert_eq!(why().await, Some(DockerAbsence::NoSocket));
        let listener = std::os::unix::net::UnixListener::bind(&path)?;
        assert_eq!(why().await, Some(DockerAbsence::Mute));
        drop(listener);
        assert_eq!(why().await, Some(DockerAbsence::Refused));
        Ok(())
    }
}
