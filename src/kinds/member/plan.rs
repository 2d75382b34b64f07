//! Containers on networks. Membership is what the network lists: a container's own record can
//! hold ghosts, and ids of a network that was made anew since.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::lost;
use crate::effect::{Connect, Effect, Holder};
use crate::model::{
    Addresses, Attachment, Container, DockerState, DriftKind, Engine, Health, Kind, Member,
    MemberName, NetworkState, ResourceId, Unit, exit,
};
use crate::plan::draft::{Draft, Stage, change};

pub(crate) fn plan(draft: &mut Draft<'_>) {
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
            spoken_for: spec
                .members
                .iter()
                .filter_map(|member| member.address)
                .collect(),
        };
        let mut members = BTreeSet::new();
        for member in &spec.members {
            let containers = find(docker, &member.name);
            if containers.is_empty() {
                note_absent(draft, name, member);
            }
            for container in containers {
                members.insert(container.id.as_str());
                if !lost::plan(draft, docker, name, container) {
                    plan_member(draft, &network, member, container);
                }
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
    /// Addresses that the desired state names.
    spoken_for: BTreeSet<IpAddr>,
}

impl On<'_> {
    fn id(&self, container: &str) -> ResourceId {
        ResourceId::new(Kind::Member, format!("{}/{container}", self.name))
    }
}

/// The containers that a member's name stands for, one-offs of `compose run` left out.
pub(crate) fn find<'a>(docker: &'a DockerState, name: &MemberName) -> Vec<&'a Container> {
    let containers = docker.containers.iter();
    containers
        .filter(|container| !container.oneoff && name.is_of(container))
        .collect()
}

/// The unit that runs a member, by its compose stacks.
fn unit_of<'a>(draft: &Draft<'a>, name: &MemberName) -> Option<(&'a String, &'a Unit)> {
    let mut units = draft.desired.units.iter();
    units.find(|(_, unit)| unit.stacks.iter().any(|stack| stack.has(name)))
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
    if let Some((why, connect)) = connect(on, member, container) {
        let stage = stage(container);
        draft.change(stage, change(id, Effect::Connect(connect), why));
        return;
    }
    if is_excused(draft, &member.name) {
        return;
    }
    if let Some(Trouble::Down(why) | Trouble::Ill(why)) =
        trouble(on.docker.engine, container, draft.now)
    {
        draft.note(id, Some(DriftKind::Degraded), why);
    }
}

/// A container that does not run has to let go of an older network before its unit starts it.
fn stage(container: &Container) -> Stage {
    match container.is_running() {
        true => Stage::Members,
        false => Stage::Networks,
    }
}

/// What is wrong with a container.
pub(crate) enum Trouble {
    Down(String),
    /// It runs, and does not work: `is unhealthy`.
    Ill(String),
}

/// How often the engine may restart a container before that is a sign of trouble, and for how long it is.
const RESTARTS: i64 = 3;
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// What is wrong with a container; `None`: nothing that can be seen.
pub(crate) fn trouble(engine: Engine, container: &Container, now: Timestamp) -> Option<Trouble> {
    let command = engine.command();
    let name = &container.name;
    if let Some(why) = not_running(container) {
        return Some(Trouble::Down(why));
    }
    if container.health == Health::Unhealthy {
        return Some(Trouble::Ill(format!(
            "is unhealthy: {command} inspect --format '{{{{json .State.Health}}}}' {name}"
        )));
    }
    let recent = |since| now.duration_since(since) < RECENT;
    let flaps = container.restarts >= RESTARTS && container.since.is_some_and(recent);
    flaps.then(|| {
        Trouble::Ill(format!(
            "keeps restarting ({} times): {command} logs {name}",
            container.restarts
        ))
    })
}

/// Why a container does not run; `None` when it does.
pub(crate) fn not_running(container: &Container) -> Option<String> {
    if container.is_running() {
        return None;
    }
    let restarts = match container.restarts {
        0 => String::new(),
        times => format!(", restarted {times} times"),
    };
    let killed = if container.oom_killed {
        ", killed for lack of memory".to_owned()
    } else {
        let meaning = exit::of_container(container.exit_code, false);
        meaning.map_or_else(String::new, |meaning| format!(" ({meaning})"))
    };
    Some(match container.state.as_str() {
        "exited" | "dead" => {
            format!(
                "{} with status {}{killed}{restarts}",
                container.state, container.exit_code
            )
        }
        "restarting" if container.exit_code != 0 => {
            format!(
                "restarting, the last time it ended with status {}{killed}{restarts}",
                container.exit_code
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
    let has = attachment.into_iter().flat_map(|known| &known.aliases);
    let aliases = member.aliases.iter().chain(has).cloned().collect();
    let holders = wanted.map_or_else(Vec::new, |address| give_way(on, container, address));
    let kept = attachment.map(|known| free_addresses(on, container, known));
    let addresses = Addresses::from(wanted).or(kept.unwrap_or_default());
    let connect = Connect {
        network: on.name.to_owned(),
        container: container.name.clone(),
        container_id: container.id.clone(),
        aliases,
        addresses,
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
        return Some("the network is recreated".to_owned());
    };
    // The engine leaves the id empty until a container that was attached while stopped starts.
    if !attachment.network_id.is_empty() && attachment.network_id != present.id {
        return Some("still has the ID of an older network".to_owned());
    }
    let endpoint = present.endpoints.get(&container.id);
    if container.is_running() && endpoint.is_none() {
        return Some("the network does not list it: a stale connection".to_owned());
    }
    let missing: Vec<&str> = member
        .aliases
        .difference(&attachment.aliases)
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        let aliases = match missing.len() {
            1 => "alias",
            _ => "aliases",
        };
        return Some(format!("lacks the {aliases} {}", missing.join(", ")));
    }
    let wanted = wanted?;
    let holders = holders(on, container, wanted);
    if let Some(holder) = holders.first().filter(|_| !container.is_running()) {
        return Some(format!(
            "could not start: {holder} has its address {wanted}"
        ));
    }
    let addresses = endpoint.copied().filter(|known| !known.is_empty());
    let addresses = addresses.unwrap_or(attachment.configured);
    (!addresses.has(wanted)).then(|| match addresses.like(wanted) {
        Some(address) => format!("has {address} instead of {wanted}"),
        None => format!("is not pinned to {wanted}"),
    })
}

/// Names of other containers that hold `address`.
fn holders(on: &On<'_>, container: &Container, address: IpAddr) -> Vec<String> {
    let holds = |other: &&Container| {
        let endpoints = on.present.map(|network| &network.endpoints);
        let listed = endpoints.and_then(|endpoints| endpoints.get(&other.id));
        other.id != container.id && listed.is_some_and(|known| known.has(address))
    };
    let holders = on.docker.containers.iter().filter(holds);
    holders.map(|other| other.name.clone()).collect()
}

/// The addresses that a container asked for, but those that another one has.
fn free_addresses(on: &On<'_>, container: &Container, known: &Attachment) -> Addresses {
    let asked = known.configured.iter();
    asked
        .filter(|address| holders(on, container, *address).is_empty())
        .collect()
}

/// Where the holders of an address go. The engine gives out the lowest free one, which is the
/// very address again as long as the container that is to have it does not run: then the
/// highest free one is asked for.
fn give_way(on: &On<'_>, container: &Container, wanted: IpAddr) -> Vec<Holder> {
    let holders = holders(on, container, wanted);
    let mut free = match container.is_running() {
        true => Vec::new(),
        false => highest_free(on, wanted, holders.len()),
    };
    holders
        .into_iter()
        .map(|container| Holder {
            container,
            address: free.pop(),
        })
        .collect()
}

/// As many free addresses as asked for, from the end of the network's range that has `wanted`.
fn highest_free(on: &On<'_>, wanted: IpAddr, count: usize) -> Vec<IpAddr> {
    let Some(network) = on.present else {
        return Vec::new();
    };
    let mut ranges = network.subnets.iter();
    let Some(range) = ranges.find(|range| range.subnet.contains(&wanted)) else {
        return Vec::new();
    };
    let taken = |address: &IpAddr| {
        let mut endpoints = network.endpoints.values();
        let mut gateways = network.subnets.iter().map(|subnet| subnet.gateway);
        endpoints.any(|known| known.has(*address))
            || gateways.any(|gateway| gateway == Some(*address))
            || on.spoken_for.contains(address)
    };
    let addresses = range.subnet.hosts().rev();
    addresses
        .filter(|address| !taken(address))
        .take(count)
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
        if lost::plan(draft, on.docker, on.name, container) {
            continue;
        }
        let connect = Connect {
            network: on.name.to_owned(),
            container: container.name.clone(),
            container_id: container.id.clone(),
            aliases: attachment.aliases.clone(),
            addresses: free_addresses(on, container, attachment),
            detach_first: true,
            holders: Vec::new(),
        };
        let why = "still has the ID of an older network and can no longer start";
        draft.change(
            stage(container),
            change(on.id(&container.name), Effect::Connect(connect), why),
        );
    }
}
