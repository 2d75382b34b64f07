//! Networks: made when they are missing, never changed.

use std::collections::BTreeSet;

use crate::effect::{Change, Effect};
use crate::kinds::member::plan as members;
use crate::kinds::unit::binds::stopped;
use crate::model::{
    Container, Desired, DockerState, DriftKind, Kind, Network, NetworkState, ResourceId, Unit,
    Version,
};
use crate::plan::draft::{Draft, Stage, change};

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let desired = draft.desired;
    for (name, spec) in &desired.networks {
        let id = ResourceId::new(Kind::Network, name);
        match docker.networks.get(name).map(Vec::as_slice) {
            None | Some([]) => create(draft, id, name, spec),
            Some([present]) => compare(draft, id, name, spec, present),
            Some(several) => {
                let ids: Vec<&str> = several.iter().map(|network| network.id.as_str()).collect();
                let (command, ids) = (docker.engine.command(), ids.join(" or "));
                let why = format!("{} networks have this name", several.len());
                draft.refuse(
                    id,
                    why,
                    vec![format!("keep one: {command} network rm {ids}")],
                );
            }
        }
    }
}

fn create(draft: &mut Draft<'_>, id: ResourceId, name: &str, spec: &Network) {
    if let Some((other, subnet)) = overlapping(draft, spec) {
        let why = format!("its subnet overlaps {subnet} of the network {other}");
        let help = vec![
            format!("{} network inspect {other}", command(draft)),
            "choose another subnet, or remove that network".to_owned(),
        ];
        return draft.refuse(id, why, help);
    }
    let why = match draft.recorded.inventory.networks.contains(name) {
        true => "is gone",
        false => "missing",
    };
    let (name, spec) = (name.to_owned(), spec.clone());
    draft.change(
        Stage::Networks,
        change(id, Effect::CreateNetwork { name, spec }, why),
    );
}

/// The engine's own command.
fn command(draft: &Draft<'_>) -> &'static str {
    draft.observed.engine().command()
}

/// Another network of the engine whose range overlaps: the engine would refuse.
fn overlapping(draft: &Draft<'_>, spec: &Network) -> Option<(String, String)> {
    let docker = draft.observed.docker.as_ref()?;
    for (name, networks) in &docker.networks {
        for present in networks.iter().flat_map(|network| &network.subnets) {
            for wanted in &spec.subnets {
                let (wanted, present) = (wanted.subnet, present.subnet);
                if wanted.contains(&present.network()) || present.contains(&wanted.network()) {
                    return Some((name.clone(), present.to_string()));
                }
            }
        }
    }
    None
}

/// A network that differs is not replaced: that would cut off every container on it.
fn compare(
    draft: &mut Draft<'_>,
    id: ResourceId,
    name: &str,
    spec: &Network,
    present: &NetworkState,
) {
    let differences = differences(spec, present);
    if differences.is_empty() {
        return;
    }
    let why = format!(
        "the network on the host differs: {}",
        differences.join("; ")
    );
    let others = "and every unit with containers on it";
    let help = vec![
        "either write what the host has into the infra file, or replace it while nothing uses it:"
            .to_owned(),
        stop(draft, name, spec.owner.as_deref(), others),
        format!("    {} network rm {name}", command(draft)),
        "    watchme-apply".to_owned(),
    ];
    draft.refuse(id, why, help);
}

/// How a network is freed: by its owner and `others`, where the host has it.
fn stop(draft: &Draft<'_>, name: &str, owner: Option<&str>, others: &str) -> String {
    match owner.and_then(|owner| stopped(draft.observed, owner)) {
        Some(stop) => format!("    {stop}    # {others}"),
        None => format!(
            "    {} network inspect {name}    # and stop the containers that it lists",
            command(draft)
        ),
    }
}

fn differences(spec: &Network, present: &NetworkState) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, wanted: String, there: String| {
        if wanted != there {
            found.push(format!("{what} {there} instead of {wanted}"));
        }
    };
    differ("driver", spec.driver.clone(), present.driver.clone());
    for (what, wanted, there) in [
        ("internal", spec.internal, present.internal),
        ("enable_ipv6", spec.ipv6, present.ipv6),
    ] {
        differ(what, wanted.to_string(), there.to_string());
    }
    for (key, wanted) in &spec.options {
        let there = text(present.options.get(key));
        differ(&format!("option {key}"), wanted.clone(), there);
    }
    for wanted in &spec.subnets {
        let same_family = |other: &&crate::model::Subnet| {
            other.subnet.addr().is_ipv4() == wanted.subnet.addr().is_ipv4()
        };
        let Some(there) = present.subnets.iter().find(same_family) else {
            differ("subnet", wanted.subnet.to_string(), "none".to_owned());
            continue;
        };
        let ranges = (wanted.subnet.to_string(), there.subnet.to_string());
        differ("subnet", ranges.0, ranges.1);
        // A network made by hand with --subnet alone lists no gateway and has one.
        if let (Some(wanted), Some(there)) = (wanted.gateway, there.gateway) {
            differ("gateway", wanted.to_string(), there.to_string());
        }
        let (wanted, there) = (wanted.ip_range, there.ip_range);
        differ("ip_range", text(wanted), text(there));
    }
    found
}

fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// The label by which compose knows a network as the one of its file.
const KEY: &str = "com.docker.compose.network";

/// Networks that are there without compose's label, and that a plan has their owner take as its own.
pub(crate) fn unlabelled<'a, 'c>(
    changes: impl Iterator<Item = &'c Change>,
    desired: &'a Desired,
    docker: &DockerState,
) -> Vec<(&'a str, &'a str)> {
    let up = |change: &'c Change| match &change.effect {
        Effect::Start(step) | Effect::Restart(step) | Effect::ReloadUnit(step) => Some(&*step.unit),
        _ => None,
    };
    let up: BTreeSet<&str> = changes.filter_map(up).collect();
    let networks = desired.networks.iter();
    let networks = networks.filter_map(|(name, spec)| Some((name, spec, spec.owner.as_deref()?)));
    let is_foreign = |name: &str, spec: &Network| match docker.networks.get(name).map(Vec::as_slice)
    {
        Some([present]) => present.labels.get(KEY) != Some(&spec.key),
        _ => false,
    };
    networks
        .filter(|(name, spec, owner)| up.contains(owner) && is_foreign(name, spec))
        .map(|(name, _, owner)| (name.as_str(), owner))
        .collect()
}

/// Compose 2 refuses a network without the label of its file (resolveOrCreateNetwork in its pkg/compose/create.go), so that its owner would
/// not start; compose 1 does not look.
pub(super) fn refuse_unlabelled(draft: &mut Draft<'_>) {
    let (Some(docker), Some(compose)) = (&draft.observed.docker, draft.observed.compose) else {
        return;
    };
    if compose.is_before(Version::major(2)) {
        return;
    }
    let found = unlabelled(draft.changes(), draft.desired, docker);
    for (name, owner) in found {
        let why = format!(
            "the network on the host was not created by compose: compose {compose} refuses it, and {owner} would not start"
        );
        let others = "and whatever has containers on it";
        let help = vec![
            "replace it while nothing uses it:".to_owned(),
            stop(draft, name, Some(owner), others),
            format!("    docker network rm {name}"),
            "    watchme-apply".to_owned(),
        ];
        draft.refuse(ResourceId::new(Kind::Network, name), why, help);
    }
}

/// Networks that left the desired state go once nothing of ours is on them any more. It is decided last, when it is known which units stop.
pub(super) fn prune(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let wanted = &draft.desired.networks;
    let left = draft.recorded.inventory.networks.iter();
    for name in left.filter(|name| !wanted.contains_key(*name)) {
        for network in docker.networks.get(name).into_iter().flatten() {
            prune_network(draft, docker, name, network);
        }
    }
}

fn prune_network(draft: &mut Draft<'_>, docker: &DockerState, name: &str, network: &NetworkState) {
    let id = ResourceId::new(Kind::Network, name);
    let leaving = Leaving::of(draft, docker, name);
    let on_it = network.endpoints.keys();
    let on_it: Vec<&Container> = on_it
        .filter_map(|id| docker.containers.iter().find(|known| known.id == *id))
        .collect();
    let foreign: Vec<&str> = on_it
        .iter()
        .filter(|container| !leaving.has(container))
        .map(|container| container.name.as_str())
        .collect();
    if !foreign.is_empty() {
        let command = command(draft);
        let free = |container| format!("{command} network disconnect -f {name} {container}");
        let commands: Vec<String> = foreign.iter().map(free).collect();
        let text = format!(
            "left the desired state, and stays as long as {} {} on it; to free it: {}",
            foreign.join(", "),
            if foreign.len() == 1 { "is" } else { "are" },
            commands.join("; ")
        );
        draft.note(id, Some(DriftKind::Degraded), text);
        return;
    }
    let applied = draft.recorded.desired();
    let applied = applied.and_then(|applied| applied.networks.get(name));
    let detach = on_it
        .iter()
        .filter(|container| leaving.is_detached(container))
        .map(|container| container.name.clone())
        .collect();
    let effect = Effect::RemoveNetwork {
        name: name.to_owned(),
        id: network.id.clone(),
        spec: applied.cloned().unwrap_or_else(|| as_it_is(network)),
        detach,
    };
    draft.change(Stage::Forget, change(id, effect, "left the desired state"));
}

/// Whose containers are no reason to keep a network that left the desired state.
struct Leaving<'a> {
    /// Units that leave: what is still on the network once they have stopped is taken off.
    gone: Vec<&'a Unit>,
    /// Units that start anew, with what they were applied as: their containers are made anew, on
    /// what their new files name.
    anew: Vec<&'a Unit>,
    /// Containers that were members, and were put there by us.
    members: BTreeSet<&'a str>,
}

impl<'a> Leaving<'a> {
    fn of(draft: &Draft<'a>, docker: &'a DockerState, network: &str) -> Self {
        let applied = draft.recorded.desired();
        let starting = draft.starting();
        let (mut gone, mut anew) = (Vec::new(), Vec::new());
        for (name, unit) in applied.iter().flat_map(|applied| &applied.units) {
            let id = ResourceId::new(Kind::Unit, name);
            if !draft.desired.units.contains_key(name) && draft.selects(&id) {
                gone.push(unit);
            } else if starting.contains(name) {
                anew.push(unit);
            }
        }
        let spec = applied.and_then(|applied| applied.networks.get(network));
        let members = spec.iter().flat_map(|spec| &spec.members);
        let members = members.flat_map(|member| members::find(docker, &member.name));
        Self {
            gone,
            anew,
            members: members.map(|container| container.name.as_str()).collect(),
        }
    }

    /// Whether a container leaves the network with this plan.
    fn has(&self, container: &Container) -> bool {
        self.is_detached(container) || self.anew.iter().any(|unit| runs(unit, container))
    }

    /// Whether a container that is still on the network in the end is taken off.
    fn is_detached(&self, container: &Container) -> bool {
        self.members.contains(container.name.as_str())
            || self.gone.iter().any(|unit| runs(unit, container))
    }
}

/// Whether a container is one of a unit's compose projects.
fn runs(unit: &Unit, container: &Container) -> bool {
    unit.stacks.iter().any(|stack| {
        let is_own = |(project, service): &(String, String)| {
            stack.project == *project && stack.services.contains(service)
        };
        let labels = container.compose.as_ref();
        stack.containers.contains(&container.name) || labels.is_some_and(is_own)
    })
}

/// What a network would have to be defined as to be what it is.
fn as_it_is(network: &NetworkState) -> Network {
    const OF_COMPOSE: &str = "com.docker.compose.";
    let of_compose = |name: &str| {
        let label = network.labels.get(&format!("{OF_COMPOSE}{name}"));
        label.cloned().unwrap_or_default()
    };
    let labels = network.labels.iter();
    Network {
        key: of_compose("network"),
        project: of_compose("project"),
        driver: network.driver.clone(),
        options: network.options.clone(),
        labels: labels
            .filter(|(name, _)| !name.starts_with(OF_COMPOSE))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        internal: network.internal,
        ipv6: network.ipv6,
        subnets: network.subnets.clone(),
        ..Network::default()
    }
}
