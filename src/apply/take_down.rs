//! What the stop of a stack keeps and nobody runs any more.

use std::collections::BTreeSet;

use super::{Run, StepError};
use crate::effect::TakeDown;
use crate::state::Undo;

impl Run<'_> {
    /// Removes containers and networks of a compose project, as its `down` would: volumes stay.
    pub(super) async fn take_down(&mut self, gone: &TakeDown) -> Result<(), StepError> {
        let runs = match &self.before.systemd {
            Some(_) => self
                .host
                .systemd()
                .await?
                .unit(&gone.unit)
                .await?
                .is_active(),
            None => false,
        };
        if runs {
            // With its old files it makes them anew.
            self.journal.record(Undo::ReloadUnit(gone.unit.clone()))?;
        }
        let docker = self.host.docker().await?;
        let listed = docker.observe(&BTreeSet::new(), &|_| false).await?;
        for container in listed.containers.iter().filter(|known| gone.has(known)) {
            if container.is_running() {
                let stop = docker.stop_container(&container.id);
                self.unless_interrupted(stop).await?;
            }
            docker.remove_container(&container.id).await?;
        }
        for name in &gone.networks {
            for network in listed.networks.get(name).into_iter().flatten() {
                // A container of somebody else keeps it.
                let used = docker.endpoints(&network.id).await?;
                if used.is_some_and(|used| used.is_empty()) {
                    docker.remove_network(&network.id).await?;
                }
            }
        }
        Ok(())
    }
}
