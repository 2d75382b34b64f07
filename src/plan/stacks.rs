//! Containers of compose projects that a unit runs and that do not work. No change of ours mends
//! them: the unit is active, and restarting it is a person's decision.

use super::draft::Draft;
use super::members::not_running;
use crate::model::{Container, DriftKind, Health, Kind, MemberName, ResourceId, Unit, UnitState};

pub(super) fn plan(draft: &mut Draft<'_>) {
    let (Some(systemd), Some(_)) = (&draft.observed.systemd, &draft.observed.docker) else {
        return;
    };
    let starting = draft.starting();
    for (name, unit) in &draft.desired.units {
        let active = systemd.units.get(name).is_some_and(UnitState::is_active);
        if !active || starting.contains(name) {
            continue;
        }
        note_containers(draft, name, unit);
    }
}

fn note_containers(draft: &mut Draft<'_>, name: &str, unit: &Unit) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let containers: Vec<&Container> = docker
        .containers
        .iter()
        .filter(|container| unit.owns(container) && !is_member(draft, container))
        .collect();
    let id = ResourceId::new(Kind::Unit, name);
    for container in containers {
        let finished = container.state == "exited" && container.exit_code == 0;
        if let Some(why) = not_running(container).filter(|_| !finished) {
            let text = format!("its container {} does not run: {why}", container.name);
            draft.note(id.clone(), Some(DriftKind::Degraded), text);
        } else if container.health == Health::Unhealthy {
            let text = format!("its container {} is unhealthy", container.name);
            draft.note(id.clone(), Some(DriftKind::Degraded), text);
        }
    }
}

/// Members are reported with their network.
fn is_member(draft: &Draft<'_>, container: &Container) -> bool {
    let members = draft
        .desired
        .networks
        .values()
        .flat_map(|network| &network.members);
    members.into_iter().any(|member| match &member.name {
        MemberName::Container(name) => *name == container.name,
        MemberName::Service { project, service } => container
            .compose
            .as_ref()
            .is_some_and(|(p, s)| p == project && s == service),
    })
}
