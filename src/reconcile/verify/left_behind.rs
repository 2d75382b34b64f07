//! What a compose project leaves on the host when no unit runs it any more: its unit stops it with its own `ExecStop`,
//! and `docker-compose stop` takes away neither containers nor networks.

use std::collections::BTreeSet;

use crate::apply::Progress;
use crate::model::{Desired, DockerState, NetworkState, Observed, Unit};
use crate::reconcile::Planned;

/// The label that compose puts on the networks of a project;
/// <https://docs.docker.com/compose/how-tos/networking/>.
const PROJECT: &str = "com.docker.compose.project";

/// Reports what is left of projects that this run has dropped, with the command that removes it.
pub(in crate::reconcile) fn report(
    planned: &Planned,
    after: &Observed,
    progress: &mut dyn Progress,
) {
    let Some(docker) = &after.docker else {
        return;
    };
    let applied = planned.recorded.desired().into_iter();
    let applied = applied.flat_map(|applied| &applied.units);
    let installed = planned.observed.installed.iter();
    let replaced = installed.filter(|(name, _)| planned.desired.units.contains_key(*name));
    let before = applied.chain(replaced).map(|(_, unit)| unit);
    for line in lines(before, &planned.desired, docker) {
        progress.warn(&line);
    }
}

/// A line for each project that only the units of `before` run, and of which something is left.
fn lines<'a>(
    before: impl Iterator<Item = &'a Unit>,
    desired: &Desired,
    docker: &DockerState,
) -> Vec<String> {
    let dropped = &projects(before) - &projects(desired.units.values());
    let command = docker.engine.command();
    let left = dropped.iter().filter_map(|project| {
        let containers = docker
            .containers
            .iter()
            .filter(|container| container.project() == Some(project) && !container.is_running());
        let containers: Vec<&str> = containers.map(|known| known.name.as_str()).collect();
        let networks = docker.networks.iter().filter(|(name, networks)| {
            let is_its = |network: &NetworkState| network.labels.get(PROJECT) == Some(project);
            !desired.networks.contains_key(*name) && networks.iter().any(is_its)
        });
        let networks: Vec<&str> = networks.map(|(name, _)| name.as_str()).collect();
        let mut things = Vec::new();
        let mut commands = Vec::new();
        if !containers.is_empty() {
            things.push(format!("stopped containers ({})", containers.join(", ")));
            commands.push(format!("{command} rm {}", containers.join(" ")));
        }
        if !networks.is_empty() {
            things.push(format!("networks ({})", networks.join(", ")));
            commands.push(format!("{command} network rm {}", networks.join(" ")));
        }
        (!things.is_empty()).then(|| {
            format!(
                "no unit runs the compose project {project} any more, and it left {}: {}",
                things.join(" and "),
                commands.join("; ")
            )
        })
    });
    left.collect()
}

fn projects<'a>(units: impl Iterator<Item = &'a Unit>) -> BTreeSet<String> {
    let stacks = units.flat_map(|unit| &unit.stacks);
    stacks.map(|stack| stack.project.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Container, Stack};

    fn unit(project: &str) -> Unit {
        Unit {
            stacks: vec![Stack {
                project: project.to_owned(),
                ..Stack::default()
            }],
            ..Unit::default()
        }
    }

    fn docker() -> DockerState {
        let network = NetworkState {
            labels: [(PROJECT.to_owned(), "old".to_owned())].into(),
            ..NetworkState::default()
        };
        let container = Container {
            name: "old_web_1".to_owned(),
            compose: Some(("old".to_owned(), "web".to_owned())),
            state: "exited".to_owned(),
            ..Container::default()
        };
        DockerState {
            networks: [("old_default".to_owned(), vec![network])].into(),
            containers: vec![container],
            ..DockerState::default()
        }
    }

    #[test]
    fn what_a_dropped_project_leaves_is_named_with_the_commands() {
        let old = unit("old");
        assert_eq!(
            lines([&old].into_iter(), &Desired::default(), &docker()),
            [
                "no unit runs the compose project old any more, and it left stopped containers (old_web_1) and networks \
                 (old_default): docker rm old_web_1; docker network rm old_default"
            ]
        );
    }

    #[test]
    fn a_project_that_another_unit_runs_has_left_nothing() {
        let old = unit("old");
        let desired = Desired {
            units: [("new.service".to_owned(), unit("old"))].into(),
            ..Desired::default()
        };
        assert!(lines([&old].into_iter(), &desired, &docker()).is_empty());
    }
}
