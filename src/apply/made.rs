//! What units make that was not there before a run: containers and networks of their compose projects, and other names.

use std::collections::BTreeSet;

use super::StepError;
use super::docker::{there, unless_gone};
use crate::host::Host;
use crate::model::{Container, Observed, PROJECT_LABEL, Stack};
use crate::state::Undo;

/// What takes containers and networks away that a unit is about to make and that its compose projects did not have
/// before the run.
pub(super) fn removals(before: &Observed, stacks: &[Stack], serves: Option<u16>) -> Vec<Undo> {
    let Some(docker) = &before.docker else {
        return Vec::new();
    };
    let removal = |stack: &Stack| {
        let (mut known, mut services) = (BTreeSet::new(), BTreeSet::new());
        for container in &docker.containers {
            if container.project() == Some(&stack.project) {
                known.insert(container.id.clone());
                services.extend(container.service().map(str::to_owned));
            }
        }
        let networks = |last| Undo::RemoveNetworks {
            project: stack.project.clone(),
            known: docker.networks.keys().cloned().collect(),
            last,
        };
        let containers = Undo::RemoveContainers {
            project: stack.project.clone(),
            known,
            services,
            serves: serves.into_iter().collect(),
        };
        // Undone from the last one on: containers before the networks that they are on.
        [networks(true), networks(false), containers]
    };
    stacks.iter().flat_map(removal).collect()
}

/// Undoes [`removals`]' making of containers.
pub(super) async fn made(
    host: &Host,
    project: &str,
    known: &BTreeSet<String>,
    services: &BTreeSet<String>,
) -> Result<Vec<String>, StepError> {
    let docker = &*host.docker().await?;
    let listed = docker.observe(&BTreeSet::new(), &|_| false).await?;
    let is_made = |container: &Container| {
        let of_project =
            |(other, service): &(String, String)| other == project && !services.contains(service);
        container.compose.as_ref().is_some_and(of_project) && !known.contains(&container.id)
    };
    let made = listed.containers.into_iter().filter(is_made);
    Ok(made.map(|container| container.id).collect())
}

/// Networks of a compose project that were not there, and that nobody is on.
pub(super) async fn made_networks(
    host: &Host,
    project: &str,
    known: &BTreeSet<String>,
) -> Result<Vec<String>, StepError> {
    let docker = &*host.docker().await?;
    let listed = docker.observe(&BTreeSet::new(), &|_| false).await?;
    let new = listed.networks.into_iter();
    let new = new.filter(|(name, _)| !known.contains(name));
    let mut made = Vec::new();
    for network in new.flat_map(|(_, networks)| networks) {
        let label = network.labels.get(PROJECT_LABEL);
        if label.is_some_and(|label| label == project)
            && let Some(on_it) = docker.endpoints(&network.id).await?
            && on_it.is_empty()
        {
            made.push(network.id);
        }
    }
    Ok(made)
}

/// What gives every container of a compose project its name back.
pub(super) fn renames(before: &Observed) -> Vec<Undo> {
    let containers = before.containers();
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
    let docker = &*host.docker().await?;
    let found = there(docker, id).await?;
    Ok(found.filter(|found| found.name != name))
}

/// Gives a container its name back. One that was made in its place and does not run goes; one that runs keeps the name.
pub(super) async fn rename(host: &Host, id: &str, name: &str) -> Result<(), StepError> {
    if renamed(host, id, name).await?.is_none() {
        return Ok(());
    }
    let docker = &*host.docker().await?;
    match there(docker, name).await? {
        Some(holder) if holder.is_running() => return Ok(()),
        Some(holder) => docker.remove_container(&holder.id).await?,
        None => {}
    }
    Ok(unless_gone(docker.rename_container(id, name).await)?)
}
