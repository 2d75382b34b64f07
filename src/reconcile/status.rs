//! What was applied, when and by which run, and the table of each network.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Drift, ReconcileError, Request, drift};
use crate::host::Host;
use crate::model::{
    Container, Desired, DockerState, Health, Kind, Member, Network, NetworkState, Observed, Pause,
    RunRecord,
};
use crate::plan::{find_members, not_running, watch};
use crate::state::{InProgress, State};

/// A host at a glance.
#[derive(Debug)]
pub struct Status {
    /// What was applied last; `None`: nothing yet.
    pub applied: Option<RunRecord>,
    /// How the host deviates.
    pub drift: Drift,
    /// Units that are kept stopped.
    pub pauses: BTreeMap<String, Pause>,
    /// Whether a run was interrupted and is not undone yet.
    pub interrupted: bool,
    /// Each network.
    pub networks: Vec<NetworkStatus>,
}

/// A network and who is on it.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NetworkStatus {
    /// Its name.
    pub name: String,
    /// Whether it exists.
    pub exists: bool,
    /// Its first address range, as desired.
    pub subnet: Option<String>,
    /// How many members are connected.
    pub connected: usize,
    /// The members.
    pub members: Vec<MemberStatus>,
    /// Containers on it that are no members.
    pub foreign: Vec<String>,
}

/// A member of a network.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MemberStatus {
    /// The container, or how it is looked for when there is none.
    pub name: String,
    /// Whether the network lists it.
    pub connected: bool,
    /// Its address.
    pub address: Option<IpAddr>,
    /// The address that the desired state expects.
    pub expected_address: Option<IpAddr>,
    /// Whether that address is enforced.
    pub pinned: bool,
    /// Whether it runs.
    pub running: bool,
    /// Why not.
    pub why_not: Option<String>,
    /// What its health check says.
    pub health: Health,
    /// Names that it answers to on the network.
    pub aliases: BTreeSet<String>,
}

/// Looks at everything and tells. Writes nothing.
///
/// # Errors
/// When the records cannot be read or the host cannot be looked at.
pub async fn status(host: &Host, request: &Request) -> Result<Status, ReconcileError> {
    let state = State::new(host.root().clone());
    let recorded = state.recorded()?;
    let interrupted = !state.journal()?.is_empty() && state.in_progress() == InProgress::No;
    let pauses = recorded.pauses.clone();
    let mut networks = Vec::new();
    if let Some((_, desired)) = &recorded.applied {
        let mut watch = watch(desired, &recorded, &request.only);
        watch.paths.clear();
        watch.units.clear();
        watch.nginx = false;
        // Without the right to ask, `drift` says so, and the table stays empty.
        if let Ok(observed) = host.observe(&watch).await {
            networks = network_table(desired, &observed);
        }
    }
    let drift = drift(host, request).await?;
    Ok(Status {
        applied: drift.applied.clone(),
        drift,
        pauses,
        interrupted,
        networks,
    })
}

fn network_table(desired: &Desired, observed: &Observed) -> Vec<NetworkStatus> {
    let Some(docker) = &observed.docker else {
        return Vec::new();
    };
    desired
        .networks
        .iter()
        .map(|(name, spec)| {
            let present = docker.networks.get(name).and_then(|found| found.first());
            network_status(name, spec, present, docker)
        })
        .collect()
}

fn network_status(
    name: &str,
    spec: &Network,
    present: Option<&NetworkState>,
    docker: &DockerState,
) -> NetworkStatus {
    let mut known = BTreeSet::new();
    let mut members = Vec::new();
    for member in &spec.members {
        let containers = find_members(docker, &member.name);
        if containers.is_empty() {
            members.push(absent(member));
        }
        for container in containers {
            known.insert(container.id.clone());
            members.push(member_status(name, member, container, present));
        }
    }
    let foreign = docker
        .containers
        .iter()
        .filter(|container| {
            present.is_some_and(|network| network.endpoints.contains_key(&container.id))
        })
        .filter(|container| !known.contains(&container.id))
        .map(|container| container.name.clone())
        .collect();
    NetworkStatus {
        name: name.to_owned(),
        exists: present.is_some(),
        subnet: spec.subnets.first().map(|subnet| subnet.subnet.to_string()),
        connected: members.iter().filter(|member| member.connected).count(),
        members,
        foreign,
    }
}

fn absent(member: &Member) -> MemberStatus {
    MemberStatus {
        name: member.name.to_string(),
        connected: false,
        address: None,
        expected_address: member.address,
        pinned: member.pin,
        running: false,
        why_not: Some("no such container".to_owned()),
        health: Health::None,
        aliases: BTreeSet::new(),
    }
}

fn member_status(
    network: &str,
    member: &Member,
    container: &Container,
    present: Option<&NetworkState>,
) -> MemberStatus {
    let endpoint = present.and_then(|network| network.endpoints.get(&container.id));
    let attachment = container.attachments.get(network);
    MemberStatus {
        name: container.name.clone(),
        connected: endpoint.is_some(),
        address: endpoint.copied().flatten(),
        expected_address: member.address,
        pinned: member.pin,
        running: container.is_running(),
        why_not: not_running(container),
        health: container.health,
        aliases: attachment
            .map(|known| known.aliases.clone())
            .unwrap_or_default(),
    }
}

impl Status {
    /// Whether nothing needs a look.
    pub fn is_well(&self) -> bool {
        self.drift.is_none() && !self.interrupted
    }

    /// Resources that are out of sync, each once.
    pub fn out_of_sync(&self) -> BTreeSet<String> {
        let items = self.drift.items.iter();
        items
            .filter(|item| item.resource.kind != Kind::Volume)
            .map(|item| item.resource.to_string())
            .collect()
    }
}
