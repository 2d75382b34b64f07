//! Networks that containers were on, and are on again after a rollback.

use std::collections::BTreeSet;
use std::time::Instant;

use super::docker::{attach, there};
use super::{LOOK_AGAIN, StepError};
use crate::host::Host;
use crate::host::docker::Docker;
use crate::model::{Addresses, Attachment, Container, DockerState, NetworkState, Observed};
use crate::state::{Replicas, Undo};

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
                    replicas: replicas(docker, container),
                    aliases: attachment
                        .map(|known| known.aliases.clone())
                        .unwrap_or_default(),
                    addresses: attachment.map(|known| known.configured).unwrap_or_default(),
                });
            }
        }
    }
    rejoins
}

/// The containers of a service of which this is one.
fn replicas(docker: &DockerState, container: &Container) -> Option<Replicas> {
    let (project, service) = container.compose.clone().filter(|_| !container.oneoff)?;
    let same = |one: &&Container| one.is_of(&project, &service) && !one.oneoff && one.is_running();
    let containers = docker.containers.iter().filter(same);
    Some(Replicas {
        names: containers.map(|one| one.name.clone()).collect(),
        project,
        service,
    })
}

/// Whether a container is on a network again, or the one that was made in its place.
#[derive(Debug, PartialEq)]
enum Joined {
    Yes,
    /// This one runs, and is not.
    Not(Box<Container>),
    /// Neither runs so far.
    Awaited,
}

async fn joined(
    docker: &Docker,
    network: &str,
    container: &str,
    replicas: Option<&Replicas>,
) -> Result<Joined, StepError> {
    let found = there(docker, container).await?;
    if let Some(found) = found.filter(Container::is_running) {
        return Ok(match is_on(&found, network) {
            true => Joined::Yes,
            false => Joined::Not(Box::new(found)),
        });
    }
    let Some(replicas) = replicas else {
        return Ok(Joined::Awaited);
    };
    // Those that compose makes again may get other numbers than they had.
    let listed = docker
        .observe(&BTreeSet::new(), &|one| replicas.has(one))
        .await?;
    let running = listed.containers.into_iter();
    let running: Vec<Container> = running
        .filter(|one| replicas.has(one) && one.is_running() && !is_being_replaced(&one.name))
        .collect();
    Ok(in_place(running, replicas, network, container))
}

/// Whether one of the running containers of a service is there in the place of one that is missing.
fn in_place(
    running: Vec<Container>,
    replicas: &Replicas,
    network: &str,
    container: &str,
) -> Joined {
    // It runs since the first look: the next one tells whether it is on the network.
    if running.iter().any(|one| one.name == container) {
        return Joined::Awaited;
    }
    let is_back = |name: &&String| running.iter().any(|one| one.name == **name);
    let missing = replicas.names.iter().filter(|name| !is_back(name)).count();
    let (on, off): (Vec<Container>, Vec<Container>) = running
        .into_iter()
        .filter(|one| !replicas.names.contains(&one.name))
        .partition(|one| is_on(one, network));
    match off.into_iter().next() {
        _ if on.len() >= missing => Joined::Yes,
        Some(instead) => Joined::Not(Box::new(instead)),
        None => Joined::Awaited,
    }
}

/// Whether compose is about to replace a container: both of its generations put an id before the name of one of the two
/// meanwhile, `0123456789ab_app_web_1`. What is attached to it then is lost with it.
fn is_being_replaced(name: &str) -> bool {
    let id = name.split_once('_').map(|(id, _)| id);
    id.is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Attaches a container that comes back in time. One that does not is reported when the host is observed again.
pub(super) async fn rejoin(
    host: &Host,
    network: &str,
    (container, replicas): (&str, Option<&Replicas>),
    aliases: &BTreeSet<String>,
    addresses: Addresses,
    until: Instant,
) -> Result<(), StepError> {
    let docker = &*host.docker().await?;
    loop {
        match joined(docker, network, container, replicas).await? {
            Joined::Yes => return Ok(()),
            // Nothing is left to join. The look at the host that follows tells of it, and the next apply makes the
            // network again with its members.
            Joined::Not(_) if docker.network_id(network).await?.is_none() => return Ok(()),
            Joined::Not(found) => {
                return Ok(attach(docker, network, &found, aliases, addresses).await?);
            }
            Joined::Awaited if Instant::now() > until => return Ok(()),
            Joined::Awaited => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// Whether a container runs, and is on a network; or the one that was made in its place.
pub(super) async fn is_joined(
    host: &Host,
    network: &str,
    container: &str,
    replicas: Option<&Replicas>,
) -> bool {
    let Ok(docker) = host.docker().await else {
        return false;
    };
    let found = joined(&docker, network, container, replicas).await;
    matches!(found, Ok(Joined::Yes))
}

fn is_on(container: &Container, network: &str) -> bool {
    let attachment = container.attachments.get(network);
    attachment.is_some_and(Attachment::is_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_has_started_meanwhile_is_looked_at_again() {
        let one = |name: &str| Container {
            name: name.into(),
            ..Container::default()
        };
        let replicas = Replicas {
            project: "app".into(),
            service: "web".into(),
            names: BTreeSet::from(["app_web_1".into()]),
        };
        let seen = |running: &[&str]| {
            let running = running.iter().map(|name| one(name)).collect();
            in_place(running, &replicas, "shared", "app_web_1")
        };
        assert_eq!(seen(&[]), Joined::Awaited);
        assert_eq!(seen(&["app_web_1"]), Joined::Awaited);
        assert_eq!(
            seen(&["app_web_2"]),
            Joined::Not(Box::new(one("app_web_2")))
        );
    }

    #[test]
    fn a_container_that_compose_replaces_has_an_id_before_its_name() {
        for (name, expected) in [
            ("0123456789ab_app_web_1", true),
            ("0123456789ab_app-web-1", true),
            ("app_web_1", false),
            ("app-web-1", false),
            ("facade_web_1", false),
            ("0123456789abc_web_1", false),
        ] {
            assert_eq!(is_being_replaced(name), expected, "{name}");
        }
    }
}
