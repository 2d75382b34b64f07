//! Containers that were made on a network that is gone: a stopped one cannot start any more, and one that runs can be connected to
//! no network.

use crate::effect::Effect;
use crate::model::{Container, DockerState, DriftKind, Kind, ResourceId};
use crate::plan::draft::{Draft, Stage, change};

/// Plans what is done about one of them; `false` where a container is not one.
pub(super) fn plan(
    draft: &mut Draft<'_>,
    docker: &DockerState,
    network: &str,
    container: &Container,
) -> bool {
    if !docker.has_lost_network(container) {
        return false;
    }
    let name = &container.name;
    let id = ResourceId::new(Kind::Member, format!("{network}/{name}"));
    let mut units = draft.desired.units.iter();
    let unit = units.find(|(_, unit)| unit.owns(container));
    if container.is_running() {
        let mut present = docker.networks.get(network).into_iter().flatten();
        if present.any(|present| present.endpoints.contains_key(&container.id)) {
            return false;
        }
        // "could not find a network matching network mode": the engine refuses each connection.
        let again = match unit {
            Some((unit, _)) => format!("systemctl restart {unit}"),
            None => help(container),
        };
        let text = format!(
            "was created on a network that is gone, and the engine connects it to no other until it is recreated: {again}"
        );
        draft.note(id, Some(DriftKind::Degraded), text);
        return true;
    }
    if unit.is_some() {
        let remove = Effect::RemoveContainer {
            name: name.clone(),
            id: container.id.clone(),
        };
        let why = "was created on a network that is gone and can no longer start; its unit creates it again";
        draft.change(Stage::Networks, change(id, remove, why));
        return true;
    }
    let text = format!(
        "was created on a network that is gone and can no longer start: {}",
        help(container)
    );
    draft.note(id, Some(DriftKind::Degraded), text);
    true
}

/// What helps where no unit makes the container anew.
fn help(container: &Container) -> String {
    let Some((project, service)) = &container.compose else {
        return format!("docker rm {}, and create it again", container.name);
    };
    let files = container.config_files.iter();
    let files: String = files
        .map(|file| format!(" -f {}", file.display()))
        .collect();
    format!("docker compose -p {project}{files} up -d --force-recreate {service}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NetworkState;

    const OLD: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

    #[test]
    fn a_network_by_its_id_is_lost_with_it() {
        let of = |mode: &str| Container {
            network_mode: mode.to_owned(),
            ..Container::default()
        };
        let with = |id: &str| DockerState {
            networks: [(
                "n".to_owned(),
                vec![NetworkState {
                    id: id.to_owned(),
                    ..NetworkState::default()
                }],
            )]
            .into(),
            ..DockerState::default()
        };
        assert!(with("new").has_lost_network(&of(OLD)));
        assert!(!with(OLD).has_lost_network(&of(OLD)));
        for mode in ["", "n", "gone", "bridge", "host", "container:x"] {
            assert!(!with("new").has_lost_network(&of(mode)), "{mode}");
        }
    }

    #[test]
    fn what_helps() {
        let mut container = Container {
            name: "web".to_owned(),
            ..Container::default()
        };
        assert_eq!(help(&container), "docker rm web, and create it again");
        container.compose = Some(("p".to_owned(), "s".to_owned()));
        container.config_files = vec!["/opt/p/a.yml".into()];
        assert_eq!(
            help(&container),
            "docker compose -p p -f /opt/p/a.yml up -d --force-recreate s"
        );
    }
}
