//! Containers of stacks that nobody runs any more: a stack's stop keeps its containers.

use std::collections::{BTreeMap, BTreeSet};

use super::holders;
use super::replacement;
use crate::effect::{Effect, TakeDown};
use crate::model::{
    Container, Desired, Idle, Kind, NetworkState, PROJECT_LABEL, ResourceId, Stack, Unit, joined,
    list,
};
use crate::plan::draft::{Draft, Stage, change};
use crate::plan::prune;

/// Of stacks that go on: services that their files no longer have.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    for (name, unit, old) in replacement::stacks_that_go_on(draft) {
        for gone in left(draft, name, &old) {
            let why = why(unit, &gone);
            let takes_room = |container: &Container| {
                gone.has(container) && holders::wanted(unit, docker.engine, container).is_some()
            };
            let stage = match docker.containers.iter().any(takes_room) {
                true => Stage::MakeRoom,
                false => Stage::Retire,
            };
            let id = ResourceId::new(Kind::Unit, name);
            draft.derived(stage, change(id, Effect::TakeDown(gone), why));
        }
    }
}

/// Of a stack that leaves: all that it ran.
pub(super) fn retire(draft: &mut Draft<'_>, name: &str, old: &Unit) {
    if old.stack.is_none() {
        return;
    }
    let id = ResourceId::new(Kind::Unit, name);
    let volumes = old.stacks.iter().flat_map(|stack| stack.volumes.values());
    let volumes: BTreeSet<&String> = volumes.flatten().map(|mount| &mount.volume).collect();
    let left_behind = match volumes.is_empty() {
        true => "volumes stay".to_owned(),
        false => format!("its volumes stay: {}", list(volumes)),
    };
    for gone in left(draft, name, old) {
        let why = format!("{}; {left_behind}", prune::left(draft, &id));
        draft.change(
            Stage::Retire,
            change(id.clone(), Effect::TakeDown(gone), why),
        );
    }
}

/// Why a stack that goes on runs these no more.
fn why(unit: &Unit, gone: &TakeDown) -> String {
    let Some(stack) = unit.project(&gone.project) else {
        let now = unit.stacks.first().map_or("", |stack| &stack.project);
        return format!("its compose project is {now} now");
    };
    let mut reasons: BTreeMap<Option<Idle>, Vec<&str>> = BTreeMap::new();
    for service in &gone.services {
        let idle = stack.idle.get(service).copied();
        reasons.entry(idle).or_default().push(service);
    }
    let said = |idle: &Option<Idle>| match idle {
        None => "left its compose file",
        Some(Idle::Profile) => "its profile is no longer enabled",
        Some(Idle::NoReplica) => "its compose file asks for no replica of it",
        Some(Idle::NotNamed) => "its unit does not start it any more",
    };
    let alone = reasons.len() < 2;
    let reasons = reasons.iter().map(|(idle, services)| match alone {
        true => said(idle).to_owned(),
        false => format!("{}: {}", services.join(", "), said(idle)),
    });
    joined(reasons, "; ")
}

/// Containers that `old` has made and that no desired unit runs.
fn left(draft: &Draft<'_>, name: &str, old: &Unit) -> Vec<TakeDown> {
    let Some(docker) = &draft.observed.docker else {
        return Vec::new();
    };
    let runs = |desired: &Desired, container: &Container| {
        desired.units.values().any(|unit| unit.owns(container))
    };
    let is_wanted = |container: &Container| runs(draft.desired, container);
    let leaves = |container: &Container| {
        let applied = draft.recorded.desired();
        !is_wanted(container) && applied.is_some_and(|applied| runs(applied, container))
    };
    let of = |stack: &Stack| {
        let containers = docker.containers.iter();
        let containers = containers.filter(|known| stack.owns(known) && !is_wanted(known));
        let services = containers.filter_map(Container::service);
        let mut stacks = draft.desired.units.values().flat_map(|unit| &unit.stacks);
        let goes_on = stacks.any(|other| other.project == stack.project);
        let stays_on = |network: &str| {
            let mut containers = docker.containers.iter();
            containers.any(|known| !leaves(known) && known.attachments.contains_key(network))
        };
        let networks = docker.networks.iter().filter(|(network, found)| {
            let label = |one: &NetworkState| one.labels.get(PROJECT_LABEL) == Some(&stack.project);
            !goes_on
                && found.iter().any(label)
                && !stays_on(network)
                && !draft.desired.networks.contains_key(*network)
                && !draft.recorded.inventory.networks.contains(*network)
        });
        TakeDown {
            unit: name.to_owned(),
            project: stack.project.clone(),
            services: services.map(str::to_owned).collect(),
            networks: networks.map(|(network, _)| network.clone()).collect(),
        }
    };
    let all = old.stacks.iter().map(of);
    all.filter(|gone| !gone.services.is_empty() || !gone.networks.is_empty())
        .collect()
}
