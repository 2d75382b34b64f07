//! What the stop of a stack keeps and nobody runs any more.

use std::collections::{BTreeMap, BTreeSet};

use super::docker::unless_gone;
use super::{Run, StepError};
use crate::effect::TakeDown;
use crate::host::Host;
use crate::model::Container;
use crate::state::Undo;

impl Run<'_> {
    /// Removes containers and networks of a compose project, as its `down` would: volumes stay.
    pub(super) async fn take_down(&mut self, gone: &TakeDown) -> Result<(), StepError> {
        if self.before.systemd.is_some()
            && (self.host.systemd().await?.unit(&gone.unit).await?).is_active()
        {
            // With its old files it makes them anew.
            self.journal.record(Undo::ReloadUnit(gone.unit.clone()))?;
        }
        let docker = self.host.docker().await?;
        let listed = docker.observe(&BTreeSet::new(), &|_| false).await?;
        let ids = |name: &String| {
            let networks = listed.networks.get(name).into_iter().flatten();
            networks.map(|network| network.id.clone()).collect()
        };
        let networks = gone.networks.iter().map(|name| (name.clone(), ids(name)));
        self.journal.record(Undo::RemoveOthers {
            project: gone.project.clone(),
            networks: networks.collect(),
        })?;
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

/// Networks of these names with other ids.
async fn others(
    host: &Host,
    networks: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<(String, String)>, StepError> {
    let docker = host.docker().await?;
    let listed = docker.observe(&BTreeSet::new(), &|_| false).await?;
    let found = networks.iter().flat_map(|(name, known)| {
        let there = listed.networks.get(name).into_iter().flatten();
        let others = there.filter(|network| !known.contains(&network.id));
        others.map(|network| (name.clone(), network.id.clone()))
    });
    Ok(found.collect())
}

/// Whether such networks are there.
pub(super) async fn has_others(host: &Host, networks: &BTreeMap<String, BTreeSet<String>>) -> bool {
    !others(host, networks)
        .await
        .is_ok_and(|others| others.is_empty())
}

/// Removes such networks with the containers of a project that are on them.
pub(super) async fn remove_others(
    host: &Host,
    project: &str,
    networks: &BTreeMap<String, BTreeSet<String>>,
) -> Result<(), StepError> {
    let others = others(host, networks).await?;
    let docker = host.docker().await?;
    let is_on = |container: &Container| {
        let mut names = others.iter().map(|(name, _)| name);
        container.project() == Some(project)
            && names.any(|name| container.attachments.contains_key(name))
    };
    let listed = docker.observe(&BTreeSet::new(), &is_on).await?;
    for container in listed.containers.iter().filter(|one| is_on(one)) {
        docker.stop_container(&container.id).await?;
        docker.remove_container(&container.id).await?;
    }
    for (_, id) in &others {
        unless_gone(docker.remove_network(id).await)?;
    }
    Ok(())
}
