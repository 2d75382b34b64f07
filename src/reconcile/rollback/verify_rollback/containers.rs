//! Whether containers run as they did, and on the networks that they were on.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Container, DockerState};

/// What tells a container that was made again: its name, or the service whose replicas may get other numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who<'c> {
    Named(&'c str),
    Of(&'c str, &'c str),
}

impl<'c> Who<'c> {
    fn of(container: &'c Container) -> Self {
        match &container.compose {
            Some((project, service)) if !container.oneoff => Self::Of(project, service),
            _ => Self::Named(&container.name),
        }
    }
}

/// Containers by what tells them.
fn grouped<'c>(
    containers: impl Iterator<Item = &'c Container>,
) -> BTreeMap<Who<'c>, Vec<&'c Container>> {
    let mut groups: BTreeMap<Who<'c>, Vec<&Container>> = BTreeMap::new();
    for container in containers {
        groups
            .entry(Who::of(container))
            .or_default()
            .push(container);
    }
    groups
}

fn running(docker: &DockerState) -> impl Iterator<Item = &Container> {
    docker.containers.iter().filter(|known| known.is_running())
}

/// How a container that runs now is like one that ran.
const ALIKE: [fn(&Container, &Container) -> bool; 3] = [
    |was, is| was.image_id == is.image_id && was.name == is.name,
    |was, is| was.image_id == is.image_id,
    |_, _| true,
];

/// Containers that ran and do not run now, or run another image.
pub(super) fn containers(before: &DockerState, after: &DockerState) -> Vec<String> {
    let mut found = Vec::new();
    let mut now = grouped(running(after));
    for (who, mut before) in grouped(running(before)) {
        let mut now = now.remove(&who).unwrap_or_default();
        for alike in ALIKE {
            before.retain(|was| {
                let Some(at) = now.iter().position(|is| alike(was, is)) else {
                    return true;
                };
                let is = now.swap_remove(at);
                if is.image_id != was.image_id {
                    found.push(format!(
                        "container {} runs image {} instead of {}",
                        is.name, is.image_id, was.image_id
                    ));
                }
                false
            });
        }
        let gone = before.into_iter();
        found.extend(gone.map(|was| format!("container {} does not run", was.name)));
    }
    found
}

/// Containers that run now, of compose projects of units, and were not there.
pub(super) fn additional(
    before: &DockerState,
    after: &DockerState,
    projects: &BTreeSet<String>,
) -> Vec<String> {
    let before = grouped(before.containers.iter());
    let mut found = Vec::new();
    for (who, now) in grouped(running(after)) {
        let Who::Of(project, _) = who else {
            continue;
        };
        let before = before.get(&who).map(Vec::as_slice).unwrap_or_default();
        if projects.contains(project) {
            let is_new = |is: &&Container| before.iter().all(|was| was.name != is.name);
            let more = now.len().saturating_sub(before.len());
            let new = now.into_iter().filter(is_new).take(more);
            found.extend(new.map(|is| format!("container {} runs, and was not there", is.name)));
        }
    }
    found
}

/// Containers that ran and were on a network, and are not on it now.
pub(super) fn memberships(before: &DockerState, after: &DockerState) -> Vec<String> {
    let after = members(after);
    let mut found = Vec::new();
    for ((network, who), before) in members(before) {
        let now = after.get(&(network, who));
        let now = now.map(Vec::as_slice).unwrap_or_default();
        let fewer = before.len().saturating_sub(now.len());
        let gone = before.into_iter().filter(|name| !now.contains(name));
        found.extend(
            gone.take(fewer)
                .map(|name| format!("container {name} is not on {network}")),
        );
    }
    found
}

/// The names of the containers that run on each network, by what tells them.
fn members(docker: &DockerState) -> BTreeMap<(&str, Who<'_>), Vec<&str>> {
    let mut members: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (name, networks) in &docker.networks {
        for container in running(docker) {
            let listed = networks
                .iter()
                .any(|network| network.endpoints.contains_key(&container.id));
            if listed {
                let key = (name.as_str(), Who::of(container));
                members.entry(key).or_default().push(&container.name);
            }
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docker(containers: &[(&str, &str)]) -> DockerState {
        let container = |(name, image): &(&str, &str)| Container {
            id: format!("id of {name}"),
            name: (*name).into(),
            image_id: (*image).into(),
            state: "running".into(),
            compose: name
                .split_once('-')
                .map(|(service, _)| ("p".into(), service.into())),
            ..Container::default()
        };
        DockerState {
            containers: containers.iter().map(container).collect(),
            ..DockerState::default()
        }
    }

    fn on_network(mut docker: DockerState, names: &[&str]) -> DockerState {
        let endpoints = names.iter().map(|name| format!("id of {name}"));
        let network = crate::model::NetworkState {
            endpoints: endpoints.map(|id| (id, Default::default())).collect(),
            ..Default::default()
        };
        docker.networks.insert("n".into(), vec![network]);
        docker
    }

    #[test]
    fn replicas_are_counted_and_others_have_their_names() {
        let projects = BTreeSet::from(["p".to_owned()]);
        let all = |before: &DockerState, after: &DockerState| -> Vec<String> {
            let mut found = containers(before, after);
            found.extend(additional(before, after, &projects));
            found.extend(memberships(before, after));
            found
        };
        let before = docker(&[("web-2", "1"), ("web-3", "1"), ("db", "9")]);
        let renumbered = docker(&[("web-1", "1"), ("web-2", "1"), ("db", "9")]);
        assert_eq!(all(&before, &renumbered), [""; 0]);
        for (after, said) in [
            (
                docker(&[("web-1", "1"), ("db", "9")]),
                &["container web-3 does not run"][..],
            ),
            (
                docker(&[("web-1", "2"), ("web-2", "1"), ("db", "9")]),
                &["container web-1 runs image 2 instead of 1"],
            ),
            (
                docker(&[("web-1", "1"), ("web-2", "1"), ("web-3", "1"), ("db", "9")]),
                &["container web-1 runs, and was not there"],
            ),
            (
                docker(&[("web-2", "1"), ("web-3", "1"), ("store", "9")]),
                &["container db does not run"],
            ),
        ] {
            assert_eq!(all(&before, &after), said);
        }
        let before = on_network(before, &["web-2", "web-3", "db"]);
        let well = on_network(renumbered.clone(), &["web-1", "web-2", "db"]);
        assert_eq!(all(&before, &well), [""; 0]);
        let fewer = on_network(renumbered, &["web-2", "db"]);
        assert_eq!(all(&before, &fewer), ["container web-3 is not on n"]);
    }
}
