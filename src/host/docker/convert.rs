//! Answers of the engine as plain data.

mod health;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use bollard::models;
use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{
    Addresses, Attachment, Bind, Container, MOUNTS_LABEL, NetworkState, Publish, Subnet, Volume,
    VolumeMount,
};
use health::{HealthState, failed_probe, health};

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const FILES: &str = "com.docker.compose.project.config_files";
const FOLDER: &str = "com.docker.compose.project.working_dir";
const HASH: &str = "com.docker.compose.config-hash";
const SYSTEMD_UNIT: &str = "PODMAN_SYSTEMD_UNIT";
const ONEOFF: &str = "com.docker.compose.oneoff";

type Labels = HashMap<String, String>;

/// A row of the list of containers, with words where bollard has enumerations; see [`super::get`].
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Row {
    id: Option<String>,
    names: Option<Vec<String>>,
    image: Option<String>,
    #[serde(rename = "ImageID")]
    image_id: Option<String>,
    labels: Option<Labels>,
    ports: Option<Vec<models::PortSummary>>,
    mounts: Option<Vec<models::MountPoint>>,
    state: Option<String>,
    network_settings: Option<models::ContainerSummaryNetworkSettings>,
    host_config: Option<HostConfig>,
}

/// A container's own record, likewise.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Record {
    id: Option<String>,
    name: Option<String>,
    image: Option<String>,
    config: Option<models::ContainerConfig>,
    mounts: Option<Vec<models::MountPoint>>,
    restart_count: Option<i64>,
    state: Option<State>,
    network_settings: Option<models::NetworkSettings>,
    host_config: Option<HostConfig>,
}

/// What it was made with, as far as it is looked at.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct HostConfig {
    network_mode: Option<String>,
    memory: Option<i64>,
}

/// How a container is, in its own record.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct State {
    status: Option<String>,
    running: Option<bool>,
    restarting: Option<bool>,
    #[serde(rename = "OOMKilled")]
    oom_killed: Option<bool>,
    exit_code: Option<i64>,
    started_at: Option<String>,
    finished_at: Option<String>,
    health: Option<HealthState>,
}

/// A row of the list of networks, by name; without endpoints, which the list does not have.
pub(super) fn network(network: models::Network) -> (String, NetworkState) {
    let ranges = network.ipam.and_then(|ipam| ipam.config);
    let state = NetworkState {
        id: network.id.unwrap_or_default(),
        driver: network.driver.unwrap_or_default(),
        options: sorted(network.options),
        labels: sorted(network.labels),
        internal: network.internal.unwrap_or_default(),
        ipv6: network.enable_ipv6.unwrap_or_default(),
        subnets: ranges
            .unwrap_or_default()
            .iter()
            .filter_map(subnet)
            .collect(),
        endpoints: BTreeMap::new(),
    };
    (network.name.unwrap_or_default(), state)
}

/// Who is on a network, with addresses. An endpoint whose container is gone is listed as
/// `ep-ID` (moby's daemon/network.go) and is left out.
pub(super) fn endpoints(network: models::NetworkInspect) -> BTreeMap<String, Addresses> {
    let endpoints = network.containers.unwrap_or_default().into_iter();
    endpoints
        .filter(|(id, _)| !id.starts_with("ep-"))
        .map(|(id, endpoint)| (id, both(endpoint.ipv4_address, endpoint.ipv6_address)))
        .collect()
}

/// A volume, by name.
pub(super) fn volume(volume: models::Volume) -> (String, Volume) {
    let state = Volume {
        driver: volume.driver,
        options: sorted(Some(volume.options)),
        labels: sorted(Some(volume.labels)),
        ..Volume::default()
    };
    (volume.name, state)
}

/// A row of the list of containers.
pub(super) fn listed(row: Row) -> Container {
    let id = row.id.unwrap_or_default();
    let labels = row.labels.unwrap_or_default();
    let networks = row.network_settings.and_then(|settings| settings.networks);
    let mode = row.host_config.and_then(|config| config.network_mode);
    Container {
        name: own_name(&row.names.unwrap_or_default()),
        image: row.image.unwrap_or_default(),
        image_id: row.image_id.unwrap_or_default(),
        published: row
            .ports
            .unwrap_or_default()
            .iter()
            .filter_map(listed_port)
            .collect(),
        volumes: volumes(row.mounts.as_deref()),
        binds: binds(row.mounts),
        state: row.state.unwrap_or_default(),
        attachments: attachments(&id, networks),
        network_mode: mode.unwrap_or_default(),
        id,
        ..labelled(&labels)
    }
}

/// A container's own record.
pub(super) fn container(record: Record) -> Container {
    let id = record.id.unwrap_or_default();
    let config = record.config.unwrap_or_default();
    let labels = config.labels.unwrap_or_default();
    let state = record.state.unwrap_or_default();
    let settings = record.network_settings.unwrap_or_default();
    let networks = settings.networks;
    let made = record.host_config.unwrap_or_default();
    Container {
        name: own_name(&[record.name.unwrap_or_default()]),
        image: config.image.unwrap_or_default(),
        image_id: record.image.unwrap_or_default(),
        published: published(settings.ports.unwrap_or_default()),
        volumes: volumes(record.mounts.as_deref()),
        binds: binds(record.mounts),
        exit_code: state.exit_code.unwrap_or_default(),
        oom_killed: state.oom_killed.unwrap_or_default(),
        has_memory_limit: made.memory.is_some_and(|bytes| bytes > 0),
        since: since(&state),
        restarts: record.restart_count.unwrap_or_default(),
        probe: state.health.as_ref().and_then(failed_probe),
        health: health(state.health.and_then(|health| health.status)),
        state: state.status.unwrap_or_default(),
        attachments: attachments(&id, networks),
        network_mode: made.network_mode.unwrap_or_default(),
        stop_timeout: config.stop_timeout,
        id,
        ..labelled(&labels)
    }
}

/// What a container's labels say of it.
fn labelled(labels: &Labels) -> Container {
    Container {
        compose: compose(labels),
        config_files: config_files(labels),
        config_hash: labels.get(HASH).cloned(),
        oneoff: is_oneoff(labels),
        systemd_unit: labels.get(SYSTEMD_UNIT).cloned(),
        is_laid_over: labels.contains_key(MOUNTS_LABEL),
        ..Container::default()
    }
}

fn attachments(
    container: &str,
    networks: Option<HashMap<String, models::EndpointSettings>>,
) -> BTreeMap<String, Attachment> {
    let networks = networks.unwrap_or_default().into_iter();
    networks
        .map(|(name, endpoint)| (name, attachment(container, endpoint)))
        .collect()
}

fn attachment(container: &str, endpoint: models::EndpointSettings) -> Attachment {
    let asked = endpoint.ipam_config.unwrap_or_default();
    Attachment {
        network_id: endpoint.network_id.unwrap_or_default(),
        endpoint_id: endpoint.endpoint_id.unwrap_or_default(),
        addresses: both(endpoint.ip_address, endpoint.global_ipv6_address),
        configured: both(asked.ipv4_address, asked.ipv6_address),
        aliases: aliases(container, endpoint.aliases.unwrap_or_default()),
    }
}

/// Engines before 25 add the container's short id to the aliases, and compose 1 asks for it.
fn aliases(container: &str, aliases: Vec<String>) -> BTreeSet<String> {
    let short = container.get(..12).unwrap_or(container);
    let own = aliases.into_iter().filter(|alias| alias != short);
    own.collect()
}

/// A container has further names where another one links to it (`/other/alias`).
fn own_name(names: &[String]) -> String {
    let names = names.iter().map(|name| name.trim_start_matches('/'));
    let own = names.filter(|name| !name.contains('/')).min();
    own.unwrap_or_default().to_owned()
}

/// Labels of compose, the same in version 1 and 2; compose's const.py and pkg/api/labels.go.
fn compose(labels: &Labels) -> Option<(String, String)> {
    Some((labels.get(PROJECT)?.clone(), labels.get(SERVICE)?.clone()))
}

/// The compose files of a container. Compose 1 writes them as they were given, relative ones to the folder.
fn config_files(labels: &Labels) -> Vec<PathBuf> {
    let folder = labels.get(FOLDER).map(Path::new).unwrap_or(Path::new("/"));
    let files = labels
        .get(FILES)
        .into_iter()
        .flat_map(|files| files.split(','));
    let files = files.filter(|file| !file.is_empty());
    files.map(|file| folder.join(file)).collect()
}

/// A port of the list of containers; those that are not published have none of the host.
fn listed_port(port: &models::PortSummary) -> Option<Publish> {
    Some(Publish {
        port: port.public_port?,
        protocol: port.typ.map(|kind| kind.to_string()).unwrap_or_default(),
        address: port.ip.as_deref().and_then(address),
    })
}

/// `"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8010"}]`.
fn published(ports: HashMap<String, Option<Vec<models::PortBinding>>>) -> BTreeSet<Publish> {
    let mut published = BTreeSet::new();
    for (port, bindings) in ports {
        let protocol = port
            .rsplit_once('/')
            .map_or("tcp", |(_, protocol)| protocol);
        for binding in bindings.into_iter().flatten() {
            if let Some(port) = binding.host_port.and_then(|port| port.parse().ok()) {
                published.insert(Publish {
                    port,
                    protocol: protocol.to_owned(),
                    address: binding.host_ip.as_deref().and_then(address),
                });
            }
        }
    }
    published
}

/// What bindings of a port, `8000/tcp`, publish on ports that somebody chose; each with the port of the container.
pub(super) fn published_at(
    port: &str,
    bindings: Option<Vec<models::PortBinding>>,
) -> Vec<(Publish, u16)> {
    let inside = port.split('/').next().and_then(|port| port.parse().ok());
    let published = published(HashMap::from([(port.to_owned(), bindings)]));
    let pairs = inside.into_iter().flat_map(|inside| {
        let published = published.iter().filter(|port| port.port > 0);
        published.map(move |port| (port.clone(), inside))
    });
    pairs.collect()
}

fn binds(mounts: Option<Vec<models::MountPoint>>) -> BTreeSet<Bind> {
    let mounts = mounts.unwrap_or_default().into_iter();
    let binds = mounts.filter(|mount| mount.typ.as_deref() == Some("bind"));
    let bind = |mount: models::MountPoint| {
        Some(Bind {
            target: mount.destination?.into(),
            source: mount.source?.into(),
            read_only: mount.rw == Some(false),
        })
    };
    binds.filter_map(bind).collect()
}

/// Volumes by name. One that was made for this container alone has 64 hexadecimal digits.
fn volumes(mounts: Option<&[models::MountPoint]>) -> BTreeSet<VolumeMount> {
    let is_anonymous =
        |name: &str| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let volume = |mount: &models::MountPoint| {
        let name = mount.name.clone().filter(|name| !is_anonymous(name))?;
        (mount.typ.as_deref() == Some("volume")).then_some(())?;
        Some(VolumeMount {
            target: mount.destination.clone()?.into(),
            volume: name,
        })
    };
    mounts.into_iter().flatten().filter_map(volume).collect()
}

/// When it started, or when it ended; the engine writes the year 1 for never.
fn since(state: &State) -> Option<Timestamp> {
    let is_up = state.running == Some(true) && state.restarting != Some(true);
    let text = match is_up {
        true => state.started_at.as_deref(),
        false => state.finished_at.as_deref(),
    };
    let moment: Timestamp = text?.parse().ok()?;
    (moment > Timestamp::UNIX_EPOCH).then_some(moment)
}

/// Compose 1 writes "True" and "False".
fn is_oneoff(labels: &Labels) -> bool {
    let value = labels.get(ONEOFF);
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn subnet(range: &models::IpamConfig) -> Option<Subnet> {
    Some(Subnet {
        subnet: range.subnet.as_deref()?.parse().ok()?,
        gateway: range.gateway.as_deref().and_then(address),
        ip_range: range
            .ip_range
            .as_deref()
            .and_then(|range| range.parse().ok()),
    })
}

/// An address, with or without the length of its prefix.
fn address(text: &str) -> Option<IpAddr> {
    text.split('/').next()?.parse().ok()
}

fn both(v4: Option<String>, v6: Option<String>) -> Addresses {
    let texts = [v4, v6].into_iter().flatten();
    texts.filter_map(|text| address(&text)).collect()
}

fn sorted(map: Option<Labels>) -> BTreeMap<String, String> {
    map.unwrap_or_default().into_iter().collect()
}
