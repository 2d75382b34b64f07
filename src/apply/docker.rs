//! Networks and memberships.

use super::{Run, StepError};
use crate::model::plan::Connect;
use crate::model::{Container, Network};
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
        let mut holders = Vec::new();
        for (name, _) in &connect.holders {
            let holder = docker.container(name).await?;
            docker
                .disconnect_container(&connect.network, &holder.id, true)
                .await?;
            holders.push(holder);
        }
        if connect.detach_first {
            let detached = docker
                .disconnect_container(&connect.network, &container.id, true)
                .await;
            match detached {
                Err(error) if !error.is_not_found() && !error.is_not_connected() => {
                    return Err(error.into());
                }
                _ => {}
            }
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
        for holder in holders {
            self.bring_back(&connect.network, &holder).await?;
        }
        Ok(())
    }

    /// A container whose address another one got: it keeps its names and gets any address.
    async fn bring_back(&self, network: &str, container: &Container) -> Result<(), StepError> {
        let aliases = container
            .attachments
            .get(network)
            .map(|attachment| attachment.aliases.clone())
            .unwrap_or_default();
        let docker = self.host.docker().await?;
        Ok(docker
            .connect_container(network, &container.id, &aliases, None)
            .await?)
    }
}
