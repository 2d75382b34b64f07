//! Networks and memberships.

use std::collections::BTreeSet;

use super::{Run, StepError};
use crate::effect::{Connect, Effect, Plan};
use crate::host::docker::Docker;
use crate::host::{Host, HostError};
use crate::model::{Addresses, Container, Network, Observed};
use crate::state::Undo;

impl Run<'_> {
    pub(super) async fn create_network(
        &mut self,
        name: &str,
        spec: &Network,
    ) -> Result<(), StepError> {
        let docker = &*self.host.docker().await?;
        // What somebody else has made since is not ours to remove.
        docker.refuse_second(name).await?;
        self.journal.record(Undo::RemoveNetwork(name.to_owned()))?;
        docker.create_network(name, spec).await?;
        Ok(())
    }

    /// Writes down what brings a network back, before the first stop: the unit that owns it may
    /// take it away when it stops, before its own turn comes.
    pub(super) fn record_networks(&mut self, plan: &Plan) -> Result<(), StepError> {
        for change in &plan.changes {
            if let Effect::RemoveNetwork { name, spec, .. } = &change.effect {
                self.record_network(name, spec)?;
            }
        }
        Ok(())
    }

    pub(super) fn record_network(&mut self, name: &str, spec: &Network) -> Result<(), StepError> {
        let (name, spec) = (name.to_owned(), spec.clone());
        Ok(self.journal.record(Undo::CreateNetwork { name, spec })?)
    }

    /// Removes a network once its own containers are off it. Somebody else's keep it, and that is
    /// said.
    pub(super) async fn remove_network(
        &mut self,
        name: &str,
        id: &str,
        detach: &BTreeSet<String>,
    ) -> Result<(), StepError> {
        let docker = &*self.host.docker().await?;
        let mut foreign = Vec::new();
        for container in docker.endpoints(id).await?.unwrap_or_default() {
            match there(docker, &container).await? {
                Some(container) if detach.contains(&container.name) => {
                    self.detach(name, &container).await?;
                }
                Some(container) => foreign.push(container.name),
                None => {}
            }
        }
        if let [first, ..] = &*foreign {
            let text = format!(
                "the network {name} stays: {} on it ({} network disconnect -f {name} {first})",
                foreign.join(", "),
                docker.kind().command()
            );
            self.progress.warn(&text);
            return Ok(());
        }
        Ok(unless_gone(docker.remove_network(id).await)?)
    }

    /// Removes a container that cannot start any more. One that runs all the same is not touched.
    pub(super) async fn remove_stopped(&mut self, id: &str) -> Result<(), StepError> {
        let docker = &*self.host.docker().await?;
        match there(docker, id).await? {
            Some(container) if !container.is_running() => Ok(docker.remove_container(id).await?),
            _ => Ok(()),
        }
    }

    /// Attaches a container. Whoever holds the address lets go first and comes back afterwards.
    pub(super) async fn connect(&mut self, connect: &Connect) -> Result<(), StepError> {
        let docker = &*self.host.docker().await?;
        // A unit that was restarted since the plan was made has made its container anew.
        let Some(container) = there(docker, &connect.container).await? else {
            return Ok(());
        };
        if container.id != connect.container_id
            && container.attachments.contains_key(&connect.network)
        {
            return Ok(());
        }
        for holder in &connect.holders {
            if let Some(holder) = there(docker, &holder.container).await? {
                self.detach(&connect.network, &holder).await?;
            }
        }
        if connect.detach_first {
            self.detach(&connect.network, &container).await?;
        } else {
            self.journal.record(Undo::Disconnect {
                network: connect.network.clone(),
                container: connect.container.clone(),
            })?;
        }
        let (network, addresses) = (&connect.network, connect.addresses);
        attach(docker, network, &container, &connect.aliases, addresses).await?;
        for holder in &connect.holders {
            if let Some(container) = there(docker, &holder.container).await? {
                let aliases = aliases_of(&container, network, self.before);
                let address = holder.address.into();
                attach(docker, network, &container, &aliases, address).await?;
            }
        }
        Ok(())
    }

    /// Detaches a container, with what brings it back on record.
    async fn detach(&mut self, network: &str, container: &Container) -> Result<(), StepError> {
        let attachment = container.attachments.get(network);
        let attachment = attachment.cloned().unwrap_or_default();
        self.journal.record(Undo::Connect {
            network: network.to_owned(),
            container: container.name.clone(),
            aliases: attachment.aliases,
            addresses: attachment.configured,
        })?;
        let docker = &*self.host.docker().await?;
        Ok(disconnect(docker, network, &container.id).await?)
    }
}

/// What came of taking something away that may be gone already.
pub(super) fn unless_gone(taken: Result<(), HostError>) -> Result<(), HostError> {
    match taken {
        Err(error) if error.is_gone() => Ok(()),
        taken => taken,
    }
}

/// Detaches a container that may be gone, or detached, already.
pub(super) async fn disconnect(
    docker: &Docker,
    network: &str,
    container: &str,
) -> Result<(), HostError> {
    match docker.disconnect_container(network, container, true).await {
        Err(error) if error.is_not_connected() => Ok(()),
        detached => unless_gone(detached),
    }
}

/// A container by its name or id, if there is one.
pub(super) async fn there(
    docker: &Docker,
    container: &str,
) -> Result<Option<Container>, HostError> {
    match docker.container(container).await {
        Ok(container) => Ok(Some(container)),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Attaches a container. One that vanishes meanwhile is on no network, and that is no failure:
/// the look at the host that follows tells whether one is missing.
pub(super) async fn attach(
    docker: &Docker,
    network: &str,
    container: &Container,
    aliases: &BTreeSet<String>,
    addresses: Addresses,
) -> Result<(), HostError> {
    match docker
        .connect_container(network, &container.id, aliases, addresses)
        .await
    {
        Err(error) if error.is_already_connected() => Ok(()),
        Err(error) if error.is_gone() && there(docker, &container.id).await?.is_none() => Ok(()),
        other => other,
    }
}

/// The names that a container had on the network before the run.
fn aliases_of(container: &Container, network: &str, before: &Observed) -> BTreeSet<String> {
    let known = before.containers().find(|known| known.id == container.id);
    let attachment = known.and_then(|known| known.attachments.get(network));
    attachment.map_or_else(BTreeSet::new, |attachment| attachment.aliases.clone())
}

/// Makes a network again. What was stopped meanwhile and holds the id of the one that went gets
/// the new one: it could not start otherwise.
pub(super) async fn make_again(host: &Host, name: &str, spec: &Network) -> Result<(), StepError> {
    let docker = &*host.docker().await?;
    if let Err(error) = docker.create_network(name, spec).await
        && !matches!(error, HostError::NetworkExists { .. })
    {
        return Err(error.into());
    }
    let Some(id) = docker.network_id(name).await? else {
        return Ok(());
    };
    let listed = docker.observe(&BTreeSet::new(), &|_| true).await?;
    let stopped = listed.containers.iter().filter(|one| !one.is_running());
    let (lost, others): (Vec<&Container>, Vec<&Container>) =
        stopped.partition(|one| listed.has_lost_network(one));
    // Those of compose that cannot start any more: the next `up` makes them anew, and would fail over them.
    for container in lost.iter().filter(|one| one.compose.is_some()) {
        docker.remove_container(&container.id).await?;
    }
    for container in others {
        if let Some(known) = container.attachments.get(name)
            && known.network_id != id
        {
            attach(docker, name, container, &known.aliases, known.configured).await?;
        }
    }
    Ok(())
}

/// Removes a network that a run has made. It was not there before, so whoever is on it now was not
/// on it either.
pub(super) async fn unmake(host: &Host, name: &str) -> Result<(), StepError> {
    let docker = &*host.docker().await?;
    let Some(id) = docker.network_id(name).await? else {
        return Ok(());
    };
    for container in docker.endpoints(&id).await?.unwrap_or_default() {
        disconnect(docker, &id, &container).await?;
    }
    Ok(unless_gone(docker.remove_network(&id).await)?)
}
