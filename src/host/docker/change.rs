//! Requests that change something.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use bollard::models;
use bollard::query_parameters::{
    ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
    RenameContainerOptionsBuilder, StopContainerOptions,
};

use super::{Docker, convert};
use crate::host::error::HostError;
use crate::model::{Addresses, Container, Network, Subnet, Volume};

/// What compose 1.29 would write. Neither it nor version 2 compares it.
const VERSION: &str = "1.29.2";

/// How long a container has to stop by itself that does not say it; `StopTimeout` in
/// <https://docs.docker.com/reference/api/engine/>.
const STOPS_WITHIN: Duration = Duration::from_secs(10);
/// Bound of one that may take as long as it likes: a negative `StopTimeout`.
const STOPS_ANY_TIME: Duration = Duration::from_secs(600);
/// What the engine has after that to kill it and to answer.
const KILL: Duration = Duration::from_secs(30);
/// How long the removal of a container may take.
const REMOVAL: Duration = Duration::from_secs(60);

impl Docker {
    /// Makes a network with the labels that compose expects, and returns its id.
    ///
    /// Compose 1.29 compares driver, options, `internal` and `enable_ipv6`, and warns about
    /// labels of one's own (compose/network.py); version 2 refuses a network whose labels
    /// `network` and `project` are not its own, and takes one without `config-hash` as it is
    /// (pkg/compose/create.go).
    pub(crate) async fn create_network(
        &self,
        name: &str,
        spec: &Network,
    ) -> Result<String, HostError> {
        self.refuse_second(name).await?;
        let doing = || format!("create network {name}");
        let made = self
            .line
            .request(doing, self.engine.create_network(new_network(name, spec)))
            .await?;
        Ok(made.id)
    }

    /// Says so where a network of that name already exists.
    ///
    /// # Errors
    /// [`HostError::NetworkExists`], and when the engine does not answer.
    pub(crate) async fn refuse_second(&self, name: &str) -> Result<(), HostError> {
        match self.network_id(name).await? {
            Some(id) => Err(HostError::NetworkExists {
                engine: self.kind(),
                name: name.to_owned(),
                id,
            }),
            None => Ok(()),
        }
    }

    /// Ids of the containers on a network; `None` when there is no such network.
    pub(crate) async fn endpoints(&self, id: &str) -> Result<Option<Vec<String>>, HostError> {
        let doing = || format!("inspect network {id}");
        let ask = || self.engine.inspect_network(id, None);
        match self.line.look(doing, ask).await {
            Ok(record) => Ok(Some(convert::endpoints(record).into_keys().collect())),
            Err(error) if error.is_gone() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a network by id.
    pub(crate) async fn remove_network(&self, id: &str) -> Result<(), HostError> {
        let doing = || format!("remove network {id}");
        self.line
            .request(doing, self.engine.remove_network(id))
            .await
    }

    /// Makes a volume with the labels that compose expects. One of that name and driver that
    /// exists already stays as it is, and that is no error to the engine.
    pub(crate) async fn create_volume(&self, name: &str, spec: &Volume) -> Result<(), HostError> {
        let labels = labels("volume", &spec.key, &spec.project, &spec.labels);
        let volume = models::VolumeCreateRequest {
            name: Some(name.to_owned()),
            driver: non_empty(&spec.driver),
            driver_opts: Some(unsorted(&spec.options)),
            labels: Some(labels),
            ..Default::default()
        };
        let doing = || format!("create volume {name}");
        self.line
            .request(doing, self.engine.create_volume(volume))
            .await?;
        Ok(())
    }

    /// Removes a volume with what is in it, unless a container has it.
    pub(crate) async fn remove_volume(&self, name: &str) -> Result<(), HostError> {
        let doing = || format!("remove volume {name}");
        let engine = self.engine.clone().with_timeout(REMOVAL);
        let answer = engine.remove_volume(name, None::<RemoveVolumeOptions>);
        self.line.request_within(REMOVAL, doing, answer).await
    }

    /// Attaches a container, running or stopped, with these names and maybe a fixed address. On
    /// a stopped one this also replaces a record of an earlier network of the same name, and
    /// whether the address is free only shows when it starts.
    pub(crate) async fn connect_container(
        &self,
        network_id: &str,
        container_id: &str,
        aliases: &BTreeSet<String>,
        addresses: Addresses,
    ) -> Result<(), HostError> {
        let result = self
            .attach(network_id, container_id, aliases, addresses)
            .await;
        if let Err(error) = &result
            && !addresses.is_empty()
            && leaves_ghost(error)
        {
            self.remove_ghost(network_id, container_id).await;
        }
        result
    }

    async fn attach(
        &self,
        network: &str,
        container: &str,
        aliases: &BTreeSet<String>,
        addresses: Addresses,
    ) -> Result<(), HostError> {
        let endpoint = models::EndpointSettings {
            aliases: Some(aliases.iter().cloned().collect()),
            ipam_config: (!addresses.is_empty()).then(|| fixed(addresses)),
            ..Default::default()
        };
        let body = models::NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(endpoint),
        };
        let doing = || format!("connect container {container} to network {network}");
        self.line
            .request(doing, self.engine.connect_network(network, body))
            .await
    }

    /// Where an address is refused, Docker 20.10 keeps it in the container's record all the
    /// same, and the container cannot start again. It cannot be disconnected either, because it
    /// is not connected; so it is connected, and then disconnected.
    async fn remove_ghost(&self, network: &str, container: &str) {
        let attached = self
            .attach(network, container, &BTreeSet::new(), Addresses::default())
            .await;
        // What is left behind is found by the next look; the refusal is what gets reported.
        if attached.is_ok() {
            let _ = self.disconnect_container(network, container, true).await;
        }
    }

    /// Detaches a container. A stopped one is only detached by the network's name, which also
    /// removes a record of a network that is gone or was made anew; an old id never does.
    pub(crate) async fn disconnect_container(
        &self,
        network_id_or_name: &str,
        container_id: &str,
        force: bool,
    ) -> Result<(), HostError> {
        let body = models::NetworkDisconnectRequest {
            container: container_id.to_owned(),
            force: Some(force),
        };
        let doing = || format!("disconnect container {container_id} from {network_id_or_name}");
        let answer = self.engine.disconnect_network(network_id_or_name, body);
        self.line.request(doing, answer).await
    }

    /// Stops a container at once and removes it; its named volumes stay. One that is gone, or is
    /// going, is no error.
    pub(crate) async fn remove_container(&self, id: &str) -> Result<(), HostError> {
        let doing = || format!("remove container {id}");
        let options = RemoveContainerOptionsBuilder::new().force(true).build();
        // Podman stops it before, within the time that it has to stop; Docker kills it at once.
        let engine = self.engine.clone().with_timeout(REMOVAL);
        let answer = engine.remove_container(id, Some(options));
        match self.line.request_within(REMOVAL, doing, answer).await {
            Err(error) if !error.is_not_found() && !error.is_going() => Err(error),
            _ => Ok(()),
        }
    }

    /// Stops a container with the signal and within the time that it asks for; one that is stopped or gone is no error.
    pub(crate) async fn stop_container(&self, id: &str) -> Result<(), HostError> {
        let container = match self.container(id).await {
            Ok(container) => container,
            Err(error) if error.is_gone() => return Ok(()),
            Err(error) => return Err(error),
        };
        self.stop_within(&container, stops_within(container.stop_timeout) + KILL)
            .await
    }

    /// Without a time in the request, the engine takes the container's own.
    pub(super) async fn stop_within(
        &self,
        container: &Container,
        bound: Duration,
    ) -> Result<(), HostError> {
        let doing = || format!("stop container {}", container.name);
        // The library's own bound is that of other requests.
        let engine = self.engine.clone().with_timeout(bound);
        let answer = engine.stop_container(&container.id, None::<StopContainerOptions>);
        match self.line.request_within(bound, doing, answer).await {
            Err(error) if error.is_not_found() => Ok(()),
            // An engine that answers something else waits for the container, as this program did.
            Err(HostError::DockerMute { .. }) if self.line.answers().await.is_ok() => {
                Err(HostError::NotStopped {
                    engine: self.kind,
                    container: container.name.clone(),
                    after: bound,
                })
            }
            other => other,
        }
    }

    pub(crate) async fn rename_container(&self, id: &str, name: &str) -> Result<(), HostError> {
        let doing = || format!("rename container {id} to {name}");
        let options = RenameContainerOptionsBuilder::new().name(name).build();
        self.line
            .request(doing, self.engine.rename_container(id, options))
            .await
    }

    /// The id of the network of that name, if there is one.
    pub(crate) async fn network_id(&self, name: &str) -> Result<Option<String>, HostError> {
        let filters = HashMap::from([("name", vec![name])]);
        let only = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let doing = || format!("look for network {name}");
        let ask = || self.engine.list_networks(Some(only.clone()));
        let found = self.line.look(doing, ask).await?;
        // The filter matches parts of names.
        let same = found
            .into_iter()
            .find(|network| network.name.as_deref() == Some(name));
        Ok(same.map(|network| network.id.unwrap_or_default()))
    }
}

/// How long the engine waits before it kills a container that is told to stop.
fn stops_within(seconds: Option<i64>) -> Duration {
    match seconds {
        None => STOPS_WITHIN,
        Some(seconds) => u64::try_from(seconds).map_or(STOPS_ANY_TIME, Duration::from_secs),
    }
}

fn leaves_ghost(error: &HostError) -> bool {
    let is_refusal = matches!(error, HostError::Docker { .. }) && !error.is_lost();
    is_refusal && !error.is_gone() && !error.is_already_connected()
}

fn new_network(name: &str, spec: &Network) -> models::NetworkCreateRequest {
    let ipam = models::Ipam {
        driver: Some("default".to_owned()),
        config: Some(spec.subnets.iter().map(range).collect()),
        options: None,
    };
    models::NetworkCreateRequest {
        name: name.to_owned(),
        driver: non_empty(&spec.driver),
        internal: Some(spec.internal),
        attachable: Some(spec.attachable),
        enable_ipv6: Some(spec.ipv6),
        ipam: (!spec.subnets.is_empty()).then_some(ipam),
        options: Some(unsorted(&spec.options)),
        labels: Some(labels("network", &spec.key, &spec.project, &spec.labels)),
        ..Default::default()
    }
}

fn range(subnet: &Subnet) -> models::IpamConfig {
    models::IpamConfig {
        subnet: Some(subnet.subnet.to_string()),
        ip_range: subnet.ip_range.map(|range| range.to_string()),
        gateway: subnet.gateway.map(|gateway| gateway.to_string()),
        auxiliary_addresses: None,
    }
}

fn labels(
    kind: &str,
    key: &str,
    project: &str,
    own: &BTreeMap<String, String>,
) -> HashMap<String, String> {
    let mut labels = unsorted(own);
    labels.insert(format!("com.docker.compose.{kind}"), key.to_owned());
    labels.insert("com.docker.compose.project".to_owned(), project.to_owned());
    labels.insert("com.docker.compose.version".to_owned(), VERSION.to_owned());
    labels
}

fn fixed(addresses: Addresses) -> models::EndpointIpamConfig {
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(IpAddr::is_ipv4);
    models::EndpointIpamConfig {
        ipv4_address: v4.first().map(IpAddr::to_string),
        ipv6_address: v6.first().map(IpAddr::to_string),
        ..Default::default()
    }
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn unsorted(map: &BTreeMap<String, String>) -> HashMap<String, String> {
    map.clone().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_carries_what_compose_looks_for() {
        let spec = Network {
            key: "infra".to_owned(),
            project: "p".to_owned(),
            driver: "bridge".to_owned(),
            ..Network::default()
        };
        let body = new_network("n", &spec);
        let labels = body.labels.unwrap_or_default();
        assert_eq!(labels["com.docker.compose.network"], "infra");
        assert_eq!(labels["com.docker.compose.project"], "p");
        assert!(!labels.contains_key("com.docker.compose.config-hash"));
        assert_eq!(body.ipam, None, "the engine chooses");
    }

    #[test]
    fn a_container_has_its_own_time_to_stop() {
        for (asked, seconds) in [(None, 10), (Some(0), 0), (Some(120), 120), (Some(-1), 600)] {
            assert_eq!(
                stops_within(asked),
                Duration::from_secs(seconds),
                "{asked:?}"
            );
        }
    }

    #[test]
    fn addresses_by_family() {
        let v4 = IpAddr::from([10, 0, 0, 1]);
        let v6 = IpAddr::from([0xfd, 0, 0, 0, 0, 0, 0, 1]);
        let asked = fixed([v4, v6].into_iter().collect());
        assert_eq!(asked.ipv4_address.as_deref(), Some("10.0.0.1"));
        assert_eq!(asked.ipv6_address.as_deref(), Some("fd::1"));
        assert_eq!(fixed(Some(v6).into()).ipv4_address, None);
    }
}
