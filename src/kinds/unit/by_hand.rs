//! Containers of a stack's compose project that somebody started by hand, and that compose does not take over.

use std::collections::BTreeSet;

use super::anew;
use crate::model::{Container, Kind, ResourceId, Stack, Unit};
use crate::plan::draft::Draft;

pub(super) fn plan(draft: &mut Draft<'_>) {
    let desired = draft.desired;
    for name in draft.starting() {
        let Some(unit) = desired.units.get(&name).filter(|one| one.stack.is_some()) else {
            continue;
        };
        for stack in &unit.stacks {
            match without_copies(unit, stack) {
                Some(project) => refuse_second(draft, &name, unit, &project),
                None => note_left(draft, &name, stack),
            }
        }
    }
}

/// The project that a stack has while it does not update start-first; `None` for one that does not.
fn without_copies(unit: &Unit, stack: &Stack) -> Option<String> {
    let end = format!("-{}", unit.copy.as_ref()?.letter);
    stack.project.strip_suffix(&end).map(str::to_owned)
}

/// Whether a container is of a stack that updates start-first, made while it did not.
pub(super) fn is_without_copies(unit: &Unit, container: &Container) -> bool {
    let project = container.project();
    let mut stacks = unit.stacks.iter();
    stacks.any(|stack| project.is_some() && without_copies(unit, stack).as_deref() == project)
}

/// Names of the containers of a project that run and that no unit of now or before has, with their services.
fn of_nobody(draft: &Draft<'_>, project: &str) -> Vec<(String, String)> {
    let units: Vec<&Unit> = draft.units_of_both().collect();
    let own = (draft.observed.containers())
        .filter(|one| !one.oneoff && one.is_running() && !units.iter().any(|unit| unit.owns(one)));
    own.filter_map(|one| match &one.compose {
        Some((known, service)) if known == project => Some((one.name.clone(), service.clone())),
        _ => None,
    })
    .collect()
}

/// Both would run, and the sites would ask the new one.
fn refuse_second(draft: &mut Draft<'_>, name: &str, unit: &Unit, project: &str) {
    let running = of_nobody(draft, project);
    let Some((container, _)) = running.first() else {
        return;
    };
    let stack = unit.stack.as_deref().unwrap_or_default();
    let why = format!(
        "the compose project {project} runs already ({container}), and the first copy of {stack} would run beside it"
    );
    let compose = match anew::is_by_compose_1(unit) {
        true => "docker-compose",
        false => "docker compose",
    };
    let help = vec![
        format!(
            "adopt it first: apply without update and ports in [stack.{stack}], and add them in the next commit"
        ),
        format!("or stop it: {compose} -p {project} down"),
    ];
    draft.refuse(ResourceId::new(Kind::Unit, name), why, help);
}

/// Compose leaves what its file does not have.
fn note_left(draft: &mut Draft<'_>, name: &str, stack: &Stack) {
    let known: BTreeSet<&String> = stack.services.iter().chain(stack.idle.keys()).collect();
    for (container, service) in of_nobody(draft, &stack.project) {
        if !known.contains(&service) {
            let text = format!(
                "{container} of the compose project {} runs, and the file has no service {service}: it goes on running; to remove it: {} rm -f {container}",
                stack.project,
                draft.observed.engine().command()
            );
            draft.note(ResourceId::new(Kind::Unit, name), None, text);
        }
    }
}
