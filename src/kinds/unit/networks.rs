//! Networks of stacks that their files describe otherwise than before. compose leaves one that is there as it is, or ends with an
//! error: docker-compose 1.29 where its driver or an option changed, 2.26 never. So it is taken down with the containers on
//! it, and compose makes it again.

use std::collections::BTreeSet;

use super::replacement;
use crate::effect::{Effect, TakeDown};
use crate::model::{Container, Kind, ResourceId, Stack, Unit, joined, list};
use crate::plan::draft::{Draft, Stage, change};

/// Of stacks that start or are reloaded.
pub(super) fn plan(draft: &mut Draft<'_>) {
    for (name, unit, old) in replacement::stacks_that_go_on(draft) {
        for stack in &unit.stacks {
            let networks = changed(draft, &old, stack);
            if !networks.is_empty() {
                take_down(draft, (name, &old), stack, networks);
            }
        }
    }
}

/// The networks of a project that are there and are to be others, by the names that the engine knows.
pub(super) fn changed(draft: &Draft<'_>, old: &Unit, stack: &Stack) -> BTreeSet<String> {
    let (Some(docker), Some(old)) = (&draft.observed.docker, old.project(&stack.project)) else {
        return BTreeSet::new();
    };
    let networks = stack.networks.iter().filter(|(name, wanted)| {
        let known = old.networks.get(*name);
        known.is_some_and(|known| known != *wanted) && docker.networks.contains_key(*name)
    });
    networks.map(|(name, _)| name.clone()).collect()
}

fn take_down(
    draft: &mut Draft<'_>,
    (name, old): (&str, &Unit),
    stack: &Stack,
    networks: BTreeSet<String>,
) {
    let id = ResourceId::new(Kind::Unit, name);
    let is_on = |one: &&Container| one.attachments.keys().any(|name| networks.contains(name));
    let containers = draft.observed.containers().filter(is_on);
    let (own, others): (Vec<&Container>, Vec<&Container>) =
        containers.partition(|one| old.owns(one));
    let named = list(&networks);
    if !others.is_empty() {
        let others = joined(others.iter().map(|one| &one.name), " ");
        let engine = draft.observed.engine().command();
        let why = format!(
            "its network {named} changed and has to be recreated, and other containers are on it: {others}"
        );
        let help = vec![
            format!("take them off it first: {engine} network disconnect {named} NAME"),
            "or give the network another name in the compose file".to_owned(),
        ];
        draft.refuse(id, why, help);
        return;
    }
    let services = own.iter().filter_map(|one| one.service());
    let gone = TakeDown {
        unit: name.to_owned(),
        project: stack.project.clone(),
        services: services.map(str::to_owned).collect(),
        networks: networks.clone(),
    };
    let why = format!("its network {named} changed, and compose does not change one that is there");
    draft.derived(Stage::MakeRoom, change(id, Effect::TakeDown(gone), why));
}
