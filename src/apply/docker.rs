//! Networks and memberships.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::{Run, StepError};
use crate::host::Host;
use crate::model::plan::Connect;
use crate::model::{Container, DockerState, Network, NetworkState, Observed, Stack};
use crate::state::Undo;

/// How long a container that is rolled back has to run again.
const COMES_BACK: Duration = Duration::from_secs(20);
/// How often it is looked for meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Run<'_> {
    pub(super) async fn create_network(
        &mut self,
        name: &str,
        spec: &Network,
    ) -> Result<(), StepError> {
        self.journal.record(Undo::RemoveNetwork(name.to_owned()))?;
        self.host.docker().await?.create_network(name, spec).await?;
        Ok(())
    }

    pub(super) async fn remove_network(
        &mut self,
        name: &str,
        id: &str,
        spec: Option<&Network>,
    ) -> Result<(), StepError> {
        if let Some(spec) = spec {
            self.journal.record(Undo::CreateNetwork {
                name: name.to_owned(),
                spec: spec.clone(),
            })?;
        }
        Ok(self.host.docker().await?.remove_network(id).await?)
    }

    /// Attaches a container. Whoever holds the address lets go first and comes back afterwards.
    pub(super) async fn connect(&mut self, connect: &Connect) -> Result<(), StepError> {
        let docker = self.host.docker().await?;
        // A unit that was restarted since the plan was made has made its container anew.
        let container = match docker.container(&connect.container).await {
            Ok(container) => container,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if container.id != connect.container_id
            && container.attachments.contains_key(&connect.network)
        {
            return Ok(());
        }
        for holder in &connect.holders {
            let holder = docker.container(&holder.container).await?;
            self.detach(&connect.network, &holder).await?;
        }
        if connect.detach_first {
            self.detach(&connect.network, &container).await?;
        } else {
            self.journal.record(Undo::Disconnect {
                network: connect.network.clone(),
                container: connect.container.clone(),
            })?;
        }
        docker
            .connect_container(
                &connect.network,
                &container.id,
                &connect.aliases,
                connect.address,
            )
            .await?;
        for holder in &connect.holders {
            let container = docker.container(&holder.container).await?;
            let aliases = aliases_of(&container, &connect.network, &self.before.docker);
            docker
                .connect_container(&connect.network, &container.id, &aliases, holder.address)
                .await?;
        }
        Ok(())
    }

    /// Detaches a container, with what brings it back on record.
    async fn detach(&mut self, network: &str, container: &Container) -> Result<(), StepError> {
        let attachment = container
            .attachments
            .get(network)
            .cloned()
            .unwrap_or_default();
        self.journal.record(Undo::Connect {
            network: network.to_owned(),
            container: container.name.clone(),
            aliases: attachment.aliases,
            address: attachment.configured,
        })?;
        let docker = self.host.docker().await?;
        match docker
            .disconnect_container(network, &container.id, true)
            .await
        {
            Err(error) if !error.is_not_found() && !error.is_not_connected() => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// The names that a container had on the network before the run.
fn aliases_of(
    container: &Container,
    network: &str,
    before: &Option<DockerState>,
) -> BTreeSet<String> {
    let known = before.as_ref().and_then(|docker| {
        docker
            .containers
            .iter()
            .find(|known| known.id == container.id)
    });
    known
        .and_then(|known| known.attachments.get(network))
        .map(|attachment| attachment.aliases.clone())
        .unwrap_or_default()
}

/// What takes containers away that a unit is about to make and that its compose projects did not
/// have before the run.
pub(super) fn removals(before: &Observed, stacks: &[Stack]) -> Vec<Undo> {
    let Some(docker) = &before.docker else {
        return Vec::new();
    };
    let removal = |stack: &Stack| {
        let (mut known, mut services) = (BTreeSet::new(), BTreeSet::new());
        for container in &docker.containers {
            if let Some((project, service)) = &container.compose
                && *project == stack.project
            {
                known.insert(container.id.clone());
                services.insert(service.clone());
            }
        }
        Undo::RemoveContainers {
            project: stack.project.clone(),
            known,
            services,
        }
    };
    stacks.iter().map(removal).collect()
}

/// Undoes [`removals`]' making of containers.
pub(super) async fn made(
    host: &Host,
    project: &str,
    known: &BTreeSet<String>,
    services: &BTreeSet<String>,
) -> Result<Vec<String>, StepError> {
    let docker = host.docker().await?;
    let listed = docker.observe(&BTreeSet::new(), &|_| false).await?;
    let is_made = |container: &Container| {
        let of_project =
            |(other, service): &(String, String)| other == project && !services.contains(service);
        container.compose.as_ref().is_some_and(of_project) && !known.contains(&container.id)
    };
    let made = listed.containers.into_iter().filter(is_made);
    Ok(made.map(|container| container.id).collect())
}

/// What gives every container of a compose project its name back.
pub(super) fn renames(before: &Observed) -> Vec<Undo> {
    let docker = before.docker.iter();
    let containers = docker.flat_map(|docker| &docker.containers);
    let running = containers.filter(|known| known.compose.is_some() && known.is_running());
    let rename = |container: &Container| Undo::Rename {
        container: container.id.clone(),
        name: container.name.clone(),
    };
    running.map(rename).collect()
}

/// The container, if there still is one of that id and it has another name now.
pub(super) async fn renamed(
    host: &Host,
    id: &str,
    name: &str,
) -> Result<Option<Container>, StepError> {
    match host.docker().await?.container(id).await {
        Ok(found) => Ok(Some(found).filter(|found| found.name != name)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Gives a container its name back. One that was made in its place and does not run goes; one that runs keeps the name.
pub(super) async fn rename(host: &Host, id: &str, name: &str) -> Result<(), StepError> {
    if renamed(host, id, name).await?.is_none() {
        return Ok(());
    }
    let docker = host.docker().await?;
    match docker.container(name).await {
        Ok(holder) if holder.is_running() => return Ok(()),
        Ok(holder) => docker.remove_container(&holder.id).await?,
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(docker.rename_container(id, name).await?)
}

/// What brings every container back to the networks that it was on: one that its unit makes anew
/// is only on those that its compose file names.
pub(super) fn rejoins(before: &Observed) -> Vec<Undo> {
    let Some(docker) = &before.docker else {
        return Vec::new();
    };
    let mut rejoins = Vec::new();
    for container in docker.containers.iter().filter(|known| known.is_running()) {
        for (name, networks) in &docker.networks {
            let is_on = |network: &NetworkState| network.endpoints.contains_key(&container.id);
            let attachment = container.attachments.get(name);
            if networks.iter().any(is_on) {
                rejoins.push(Undo::Rejoin {
                    network: name.clone(),
                    container: container.name.clone(),
                    aliases: attachment
                        .map(|known| known.aliases.clone())
                        .unwrap_or_default(),
                    address: attachment.and_then(|known| known.configured),
                });
            }
        }
    }
    rejoins
}

/// Attaches a container that comes back within [`COMES_BACK`]. One that does not is told of by
/// the look at the host that follows.
pub(super) async fn rejoin(
    host: &Host,
    network: &str,
    container: &str,
    aliases: &BTreeSet<String>,
    address: Option<IpAddr>,
) -> Result<(), StepError> {
    let docker = host.docker().await?;
    let until = Instant::now() + COMES_BACK;
    loop {
        match docker.container(container).await {
            Ok(found) if found.is_running() => {
                if is_on(&found, network) {
                    return Ok(());
                }
                let joined = docker.connect_container(network, &found.id, aliases, address);
                return match joined.await {
                    Err(error) if !error.is_already_connected() => Err(error.into()),
                    _ => Ok(()),
                };
            }
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        if Instant::now() > until {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether a container runs, and is on a network.
pub(super) async fn is_joined(host: &Host, network: &str, container: &str) -> bool {
    let Ok(docker) = host.docker().await else {
        return false;
    };
    let found = docker.container(container).await;
    found.is_ok_and(|found| found.is_running() && is_on(&found, network))
}

fn is_on(container: &Container, network: &str) -> bool {
    let attachment = container.attachments.get(network);
    attachment.is_some_and(|attachment| !attachment.endpoint_id.is_empty())
}
