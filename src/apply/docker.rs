//! Networks and memberships.

use std::collections::BTreeSet;

use super::{Run, StepError};
use crate::model::plan::Connect;
use crate::model::{Container, DockerState, Network};
use crate::state::Undo;

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
