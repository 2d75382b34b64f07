//! Containers on networks. Membership is what the network lists: a container's own record can
//! hold ghosts, and ids of a network that was made anew since.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::draft::{Draft, Stage, change};
use crate::model::plan::Connect;
use crate::model::{
    Action, Attachment, Container, DockerState, DriftKind, Health, Kind, Member, MemberName,
    NetworkState, ResourceId, Unit,
};

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let desired = draft.desired;
    for (name, spec) in &desired.networks {
        let present = match docker.networks.get(name).map(Vec::as_slice) {
            Some([present]) => Some(present),
            _ => None,
        };
        let network = On {
            name,
            present,
            docker,
        };
        let mut members = BTreeSet::new();
        for member in &spec.members {
            let containers = find(docker, &member.name);
            if containers.is_empty() {
                note_absent(draft, name, member);
            }
            for container in containers {
                members.insert(container.id.as_str());
                plan_member(draft, &network, member, container);
            }
        }
        reattach_others(draft, &network, &members);
    }
}

/// A network by name, and what the engine says of it.
struct On<'a> {
    name: &'a str,
    present: Option<&'a NetworkState>,
    docker: &'a DockerState,
}

impl On<'_> {
    fn id(&self, container: &str) -> ResourceId {
        ResourceId::new(Kind::Member, format!("{}/{container}", self.name))
    }
}

/// The containers that a member's name stands for, one-offs of `compose run` left out.
pub fn find<'a>(docker: &'a DockerState, name: &MemberName) -> Vec<&'a Container> {
    docker
        .containers
        .iter()
        .filter(|container| !container.oneoff)
        .filter(|container| match name {
            MemberName::Container(name) => container.name == *name,
            MemberName::Service { project, service } => container
                .compose
                .as_ref()
                .is_some_and(|(p, s)| p == project && s == service),
        })
        .collect()
}

/// The unit that runs a member, by its compose stacks.
fn unit_of<'a>(draft: &Draft<'a>, name: &MemberName) -> Option<(&'a String, &'a Unit)> {
    draft.desired.units.iter().find(|(_, unit)| {
        unit.stacks.iter().any(|stack| match name {
            MemberName::Container(name) => stack.containers.contains(name),
            MemberName::Service { project, service } => {
                stack.project == *project && stack.services.contains(service)
            }
        })
    })
}

/// Whether the member's unit explains why it does not run: paused, or about to start.
fn is_excused(draft: &Draft<'_>, name: &MemberName) -> bool {
    unit_of(draft, name)
        .is_some_and(|(unit, _)| draft.paused(unit) || draft.starting().contains(unit))
}

fn note_absent(draft: &mut Draft<'_>, network: &str, member: &Member) {
    if !is_excused(draft, &member.name) {
        let id = ResourceId::new(Kind::Member, format!("{network}/{}", member.name));
        let text = match unit_of(draft, &member.name) {
            Some((unit, _)) => format!("no such container: systemctl status {unit}"),
            None => "no such container".to_owned(),
        };
        draft.note(id, Some(DriftKind::Degraded), text);
    }
}

fn plan_member(draft: &mut Draft<'_>, on: &On<'_>, member: &Member, container: &Container) {
    let id = on.id(&container.name);
    if let Some(connect) = connect(on, member, container) {
        let (why, connect) = connect;
        let stage = stage(container);
        draft.change(stage, change(id, Action::Connect(connect), why));
        return;
    }
    if is_excused(draft, &member.name) {
        return;
    }
    if let Some(reason) = not_running(container) {
        draft.note(id, Some(DriftKind::Degraded), reason);
    } else if container.health == Health::Unhealthy {
        let text = format!(
            "is unhealthy: docker inspect --format '{{{{json .State.Health}}}}' {}",
            container.name
        );
        draft.note(id, Some(DriftKind::Degraded), text);
    }
}

/// A container that does not run has to let go of an older network before its unit starts it.
fn stage(container: &Container) -> Stage {
    match container.is_running() {
        true => Stage::Members,
        false => Stage::Networks,
    }
}

/// Why a container does not run; `None` when it does.
pub fn not_running(container: &Container) -> Option<String> {
    if container.is_running() {
        return None;
    }
    let restarts = match container.restarts {
        0 => String::new(),
        times => format!(", restarted {times} times"),
    };
    let killed = if container.oom_killed {
        ", killed for memory"
    } else {
        ""
    };
    Some(match container.state.as_str() {
        "exited" | "dead" => {
            format!(
                "{} with status {}{killed}{restarts}",
                container.state, container.exit_code
            )
        }
        other => format!("{other}{killed}{restarts}"),
    })
}

/// The step that makes the membership right, and why; `None` when it is.
fn connect(on: &On<'_>, member: &Member, container: &Container) -> Option<(String, Connect)> {
    let attachment = container.attachments.get(on.name);
    let wanted = member.pin.then_some(member.address).flatten();
    let why = wrong(on, member, container, attachment, wanted)?;
    let mut aliases = member.aliases.clone();
    aliases.extend(
        attachment
            .into_iter()
            .flat_map(|known| known.aliases.iter().cloned()),
    );
    let holders = match wanted {
        Some(address) => holders(on, container, address),
        None => Vec::new(),
    };
    let address = wanted.or(attachment.and_then(|known| known.configured));
    let connect = Connect {
        network: on.name.to_owned(),
        container: container.name.clone(),
        container_id: container.id.clone(),
        aliases,
        address,
        detach_first: attachment.is_some(),
        holders,
    };
    Some((why, connect))
}

/// What is wrong with a container's membership.
fn wrong(
    on: &On<'_>,
    member: &Member,
    container: &Container,
    attachment: Option<&Attachment>,
    wanted: Option<IpAddr>,
) -> Option<String> {
    let Some(attachment) = attachment else {
        return Some("is not on the network".to_owned());
    };
    let Some(present) = on.present else {
        return Some("the network is made anew".to_owned());
    };
    // The engine leaves the id empty until a container that was attached while stopped starts.
    if !attachment.network_id.is_empty() && attachment.network_id != present.id {
        return Some("holds the id of an older network".to_owned());
    }
    let endpoint = present.endpoints.get(&container.id);
    if container.is_running() && endpoint.is_none() {
        return Some("the network does not list it: a ghost of a connection".to_owned());
    }
    let missing: Vec<&str> = member
        .aliases
        .difference(&attachment.aliases)
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        return Some(format!("does not answer to {}", missing.join(", ")));
    }
    let wanted = wanted?;
    let holders = holders(on, container, wanted);
    if let Some((holder, _)) = holders.first().filter(|_| !container.is_running()) {
        return Some(format!(
            "could not start: {holder} has its address {wanted}"
        ));
    }
    let address = endpoint.copied().flatten().or(attachment.configured);
    (address != Some(wanted)).then(|| match address {
        Some(address) => format!("has {address} instead of {wanted}"),
        None => format!("is not pinned to {wanted}"),
    })
}

/// Other containers that hold `address`, running or by their own record.
fn holders(on: &On<'_>, container: &Container, address: IpAddr) -> Vec<(String, String)> {
    on.docker
        .containers
        .iter()
        .filter(|other| other.id != container.id)
        .filter(|other| {
            let listed = on
                .present
                .and_then(|network| network.endpoints.get(&other.id));
            listed.copied().flatten() == Some(address)
        })
        .map(|other| (other.name.clone(), other.id.clone()))
        .collect()
}

/// Stopped containers that are no members and hold the id of an older network could not start
/// any more.
fn reattach_others(draft: &mut Draft<'_>, on: &On<'_>, members: &BTreeSet<&str>) {
    for container in &on.docker.containers {
        let Some(attachment) = container.attachments.get(on.name) else {
            continue;
        };
        let stale = on
            .present
            .is_none_or(|present| present.id != attachment.network_id);
        if members.contains(container.id.as_str()) || !stale || attachment.network_id.is_empty() {
            continue;
        }
        let connect = Connect {
            network: on.name.to_owned(),
            container: container.name.clone(),
            container_id: container.id.clone(),
            aliases: attachment.aliases.clone(),
            address: attachment.configured,
            detach_first: true,
            holders: Vec::new(),
        };
        let why = "holds the id of an older network and could not start any more";
        draft.change(
            stage(container),
            change(on.id(&container.name), Action::Connect(connect), why),
        );
    }
}
