//! Who has the container names and ports that a plan needs: a container that the unit makes anew anyway, one of a unit
//! that the plan stops first, or one of nobody here, which stops the plan before anything else stops.

use std::collections::{BTreeMap, BTreeSet};

use super::{by_hand, replacement};
use crate::effect::{Effect, Release};
use crate::model::{Container, DockerRun, Engine, Kind, Publish, ResourceId, Stack, Unit};
use crate::plan::draft::{Draft, Stage, change};

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let stopped = stopped_first(draft);
    let desired = draft.desired;
    let in_pods = in_pods(draft);
    let mut released = BTreeSet::new();
    for name in &draft.starting() {
        let Some(unit) = desired.units.get(name) else {
            continue;
        };
        let before = replacement::before(draft, name);
        for container in &docker.containers {
            let Some(what) = wanted(unit, docker.engine, container)
                .filter(|_| !makes_anew(unit, before.as_deref(), docker.engine, container))
            else {
                continue;
            };
            // It has the ports of its pod no longer than that has them.
            let is_of_pod = docker.engine == Engine::Podman && in_pods.contains(&container.name);
            let is_named = unit.container_names().contains(container.name.as_str());
            if is_taken_down(draft, container) || (is_of_pod && !is_named) {
                continue;
            }
            let of_stopped = stopped
                .iter()
                .find(|(_, old)| old.owns_in(docker.engine, container));
            match of_stopped {
                Some((old, unit)) if released.insert(&container.id) => {
                    release(draft, old, unit, container, &what);
                }
                Some(_) => {}
                // That is refused already, with what helps.
                None if by_hand::is_without_copies(unit, container) => {}
                None => refuse(draft, name, container, &what),
            }
        }
    }
}

/// Whether the plan removes a container before anything starts.
fn is_taken_down(draft: &Draft<'_>, container: &Container) -> bool {
    let is = |effect: &Effect| matches!(effect, Effect::TakeDown(gone) if gone.has(container));
    draft.any_action_in(Stage::MakeRoom, is)
}

/// The units that stop before anything starts, as they were.
fn stopped_first<'a>(draft: &Draft<'a>) -> BTreeMap<String, Unit> {
    let before = |name: String| {
        let unit = replacement::before(draft, &name)?.into_owned();
        Some((name, unit))
    };
    let stops = draft.stopping(Stage::MakeRoom).into_iter();
    stops.filter_map(before).collect()
}

/// Names of the containers that Quadlets have in pods, now or before.
fn in_pods(draft: &Draft<'_>) -> BTreeSet<String> {
    let runs = (draft.units_of_both()).filter_map(|unit| unit.by_podman.as_ref());
    let names = runs.flat_map(|run| {
        let own = run.name.iter().filter(|_| run.in_pod);
        own.chain(&run.containers)
    });
    names.cloned().collect()
}

/// What a unit needs and a container has, in words.
pub(super) fn wanted(unit: &Unit, engine: Engine, container: &Container) -> Option<String> {
    if unit.names_in(engine).contains(container.name.as_str()) {
        return Some(format!("the container name {}", container.name));
    }
    let port = taken(&unit.published(), &container.published)?;
    Some(format!("port {}", port.port))
}

fn taken<'a>(wanted: &BTreeSet<Publish>, held: &'a BTreeSet<Publish>) -> Option<&'a Publish> {
    held.iter()
        .find(|held| wanted.iter().any(|wanted| wanted.collides(held)))
}

/// Whether the unit itself takes the container away or over where it starts: compose makes its services' containers
/// anew, `docker start` starts the one that is there, and `docker rm` comes before `docker run`.
fn makes_anew(unit: &Unit, before: Option<&Unit>, engine: Engine, container: &Container) -> bool {
    // `podman run --replace`, and one that stops with the unit that has run it.
    let of_quadlet = |unit: &Unit| unit.is_quadlet_of(container);
    if engine == Engine::Podman && (of_quadlet(unit) || before.is_some_and(of_quadlet)) {
        return true;
    }
    let is_named = |run: &DockerRun| run.name.as_deref() == Some(&container.name);
    // One that the same unit has made stops with it: that this works was its author's affair before, too.
    let was_run =
        container.compose.is_none() && before.is_some_and(|unit| unit.runs.iter().any(is_named));
    let of_stack = |stack: &Stack| stack.owns(container);
    let of_run = |run: &DockerRun| is_named(run) && (run.clears || run.image.is_none() || was_run);
    unit.stacks.iter().any(of_stack) || unit.runs.iter().any(of_run)
}

fn release(draft: &mut Draft<'_>, old: &str, unit: &Unit, container: &Container, what: &str) {
    let made_by_others =
        |run: &DockerRun| run.image.is_none() && run.name.as_deref() == Some(&container.name);
    // The stop of a stack keeps its containers: on the way back they are the ones that were there.
    let keep = unit.stack.is_some() || unit.runs.iter().any(made_by_others);
    let release = Release {
        container: container.name.clone(),
        id: container.id.clone(),
        unit: old.to_owned(),
        keep,
    };
    let why = format!("only if the stop of {old} leaves it: {what} is needed");
    let id = ResourceId::new(Kind::Unit, old);
    draft.derived(Stage::MakeRoom, change(id, Effect::Release(release), why));
}

fn refuse(draft: &mut Draft<'_>, name: &str, container: &Container, what: &str) {
    let engine = draft.observed.engine();
    let mut units = draft.desired.units.iter();
    let owner = units.find(|(other, unit)| *other != name && unit.owns_in(engine, container));
    let by = owner.map_or("no unit", |(other, _)| other);
    let project = container.project();
    let project = project.map(|project| format!(" of the compose project {project}"));
    let project = project.unwrap_or_default();
    let why = format!(
        "{what} is taken by a container that {by} runs ({}{project}, image {}, {})",
        container.name, container.image, container.state
    );
    let container = &container.name;
    let help = match owner {
        Some(_) => vec!["give one of the two another name or port".to_owned()],
        None => vec![
            format!("docker rm -f {container}   (what it has written outside its volumes is lost)"),
            format!(
                "or keep it: docker stop {container} && docker rename {container} {container}.old"
            ),
        ],
    };
    draft.refuse(ResourceId::new(Kind::Unit, name), why, help);
}
