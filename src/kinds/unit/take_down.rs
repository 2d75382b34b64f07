//! Containers of stacks that nobody runs any more: a stack's stop keeps its containers.

use std::collections::BTreeSet;

use super::holders;
use super::replacement;
use crate::effect::{Effect, TakeDown};
use crate::model::{Container, Kind, PROJECT_LABEL, ResourceId, Stack, Unit};
use crate::plan::draft::{Draft, Stage, change};

/// Of stacks that go on: services that their files no longer have.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let desired = draft.desired;
    let starting = draft.starting();
    for (name, unit) in &desired.units {
        if unit.stack.is_none() || !starting.contains(name) {
            continue;
        }
        let Some(old) = replacement::before(draft, name) else {
            continue;
        };
        for gone in left(draft, name, &old) {
            let takes_room = |container: &Container| {
                gone.has(container) && holders::wanted(unit, container).is_some()
            };
            let stage = match docker.containers.iter().any(takes_room) {
                true => Stage::MakeRoom,
                false => Stage::Retire,
            };
            let id = ResourceId::new(Kind::Unit, name);
            draft.derived(
                stage,
                change(id, Effect::TakeDown(gone), "left its compose file"),
            );
        }
    }
}

/// Of a stack that leaves: all that it ran.
pub(super) fn retire(draft: &mut Draft<'_>, name: &str, old: &Unit) {
    if old.stack.is_none() {
        return;
    }
    let id = ResourceId::new(Kind::Unit, name);
    for gone in left(draft, name, old) {
        let why = "left the desired state; volumes stay";
        draft.change(
            Stage::Retire,
            change(id.clone(), Effect::TakeDown(gone), why),
        );
    }
}

/// Containers that `old` has made and that no desired unit runs.
fn left(draft: &Draft<'_>, name: &str, old: &Unit) -> Vec<TakeDown> {
    let Some(docker) = &draft.observed.docker else {
        return Vec::new();
    };
    let is_wanted = |container: &Container| {
        draft
            .desired
            .units
            .values()
            .any(|unit| unit.owns(container))
    };
    let applied = draft.recorded.applied.as_ref();
    let leaves = |container: &Container| {
        let mut known = applied
            .iter()
            .flat_map(|(_, applied)| applied.units.values());
        !is_wanted(container) && known.any(|unit| unit.owns(container))
    };
    let of = |stack: &Stack| {
        let containers = docker.containers.iter();
        let containers = containers.filter(|known| stack.owns(known) && !is_wanted(known));
        let services: BTreeSet<String> = containers
            .filter_map(|known| Some(known.compose.as_ref()?.1.clone()))
            .collect();
        let mut stacks = draft.desired.units.values().flat_map(|unit| &unit.stacks);
        let goes_on = stacks.any(|other| other.project == stack.project);
        let stays_on = |network: &str| {
            let mut containers = docker.containers.iter();
            containers.any(|known| !leaves(known) && known.attachments.contains_key(network))
        };
        let networks = docker.networks.iter().filter(|(network, found)| {
            let label = |one: &crate::model::NetworkState| {
                one.labels
                    .get(PROJECT_LABEL)
                    .is_some_and(|project| *project == stack.project)
            };
            !goes_on
                && found.iter().any(label)
                && !stays_on(network)
                && !draft.desired.networks.contains_key(*network)
                && !draft.recorded.inventory.networks.contains(*network)
        });
        TakeDown {
            unit: name.to_owned(),
            project: stack.project.clone(),
            services,
            networks: networks.map(|(network, _)| network.clone()).collect(),
        }
    };
    let all = old.stacks.iter().map(of);
    all.filter(|gone| !gone.services.is_empty() || !gone.networks.is_empty())
        .collect()
}
