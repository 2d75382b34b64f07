//! Networks and volumes: made when they are missing, never changed.

use super::draft::{Draft, Stage, change};
use crate::model::{Action, DriftKind, Kind, Network, NetworkState, ResourceId};

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
                draft.refuse(
                    id,
                    format!("{} networks have this name", several.len()),
                    vec![format!("keep one: docker network rm {}", ids.join(" or "))],
                );
            }
        }
    }
    for (name, spec) in &desired.volumes {
        if !docker.volumes.contains_key(name) {
            let id = ResourceId::new(Kind::Volume, name);
            let (name, spec) = (name.clone(), spec.clone());
            draft.change(
                Stage::Networks,
                change(id, Action::CreateVolume { name, spec }, "missing"),
            );
        }
    }
    prune(draft);
}

fn create(draft: &mut Draft<'_>, id: ResourceId, name: &str, spec: &Network) {
    if let Some((other, subnet)) = overlapping(draft, spec) {
        draft.refuse(
            id,
            format!("its subnet overlaps {subnet} of the network {other}"),
            vec![
                format!("docker network inspect {other}"),
                "choose another subnet, or remove that network".to_owned(),
            ],
        );
        return;
    }
    let why = match draft.recorded.inventory.networks.contains(name) {
        true => "is gone",
        false => "missing",
    };
    let (name, spec) = (name.to_owned(), spec.clone());
    draft.change(
        Stage::Networks,
        change(id, Action::CreateNetwork { name, spec }, why),
    );
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
    let owner = spec
        .owner
        .as_deref()
        .unwrap_or("the unit that brings it up");
    draft.refuse(
        id,
        format!("the network on the host differs: {}", differences.join("; ")),
        vec![
            "either write what the host has into the infra file, or replace it while nothing uses it:".to_owned(),
            format!("    systemctl stop {owner}    # and every unit with containers on it"),
            format!("    docker network rm {name}"),
            "    watchme-apply".to_owned(),
        ],
    );
}

fn differences(spec: &Network, present: &NetworkState) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, wanted: String, there: String| {
        if wanted != there {
            found.push(format!("{what} {there} instead of {wanted}"));
        }
    };
    differ("driver", spec.driver.clone(), present.driver.clone());
    differ(
        "internal",
        spec.internal.to_string(),
        present.internal.to_string(),
    );
    differ(
        "enable_ipv6",
        spec.ipv6.to_string(),
        present.ipv6.to_string(),
    );
    for (key, wanted) in &spec.options {
        let there = present
            .options
            .get(key)
            .cloned()
            .unwrap_or_else(|| "none".to_owned());
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
        differ(
            "subnet",
            wanted.subnet.to_string(),
            there.subnet.to_string(),
        );
        let text = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        // A network made by hand with --subnet alone lists no gateway and has one.
        if let (Some(wanted), Some(there)) = (wanted.gateway, there.gateway) {
            differ("gateway", wanted.to_string(), there.to_string());
        }
        let (wanted, there) = (wanted.ip_range, there.ip_range);
        differ(
            "ip_range",
            text(wanted.map(|range| range.to_string())),
            text(there.map(|range| range.to_string())),
        );
    }
    found
}

/// Networks that left the desired state go when nothing is on them; volumes are only reported.
fn prune(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let inventory = &draft.recorded.inventory;
    let applied = draft.recorded.applied.as_ref().map(|(_, applied)| applied);
    for name in &inventory.networks {
        if draft.desired.networks.contains_key(name) {
            continue;
        }
        let id = ResourceId::new(Kind::Network, name);
        for network in docker.networks.get(name).into_iter().flatten() {
            if network.endpoints.is_empty() {
                let action = Action::RemoveNetwork {
                    name: name.clone(),
                    id: network.id.clone(),
                    spec: applied
                        .and_then(|applied| applied.networks.get(name))
                        .cloned(),
                };
                draft.change(
                    Stage::Forget,
                    change(id.clone(), action, "left the desired state"),
                );
            } else {
                let text = format!(
                    "left the desired state, and {} containers are still on it: docker network inspect {name}",
                    network.endpoints.len()
                );
                draft.note(id.clone(), Some(DriftKind::Degraded), text);
            }
        }
    }
    for name in &inventory.volumes {
        if !draft.desired.volumes.contains_key(name) && docker.volumes.contains_key(name) {
            let id = ResourceId::new(Kind::Volume, name);
            let text = format!(
                "left the desired state; volumes are never removed: docker volume rm {name}"
            );
            draft.note(id, None, text);
        }
    }
}
