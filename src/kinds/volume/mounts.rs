//! Data stays with its service: a compose project that gets another name would start with empty volumes, since a volume's
//! name begins with the project's.

use std::fmt::Display;

use crate::kinds::unit::{binds, replacement};
use crate::model::{
    BindSource, Container, DockerState, Kind, Observed, ResourceId, Unit, VolumeMount,
};
use crate::plan::draft::Draft;

/// The volumes that a unit mounts, with the service or the name of the container.
pub(crate) fn wanted(unit: &Unit) -> Vec<(&str, &VolumeMount)> {
    let stacks = unit.stacks.iter().flat_map(|stack| &stack.volumes);
    let of_stacks = stacks
        .flat_map(|(service, mounts)| mounts.iter().map(move |mount| (service.as_str(), mount)));
    let of_runs = unit.runs.iter().flat_map(|run| {
        let name = run.name.as_deref().unwrap_or_default();
        run.volumes.iter().map(move |mount| (name, mount))
    });
    of_stacks.chain(of_runs).collect()
}

pub(crate) fn plan(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let desired = draft.desired;
    for name in draft.starting() {
        let Some(unit) = desired.units.get(&name) else {
            continue;
        };
        let own = binds::containers(draft, &name, unit);
        for container in &own {
            of_container(draft, docker, &name, unit, container);
        }
        if own.is_empty() {
            of_record(draft, docker, &name, unit);
        }
    }
}

/// What a container has that another one of its service would not have.
fn of_container(
    draft: &mut Draft<'_>,
    docker: &DockerState,
    name: &str,
    unit: &Unit,
    container: &Container,
) {
    let called = binds::called(container);
    let removed = binds::removed(draft.observed, name, container);
    for (of, mount) in wanted(unit) {
        if !binds::is_of(container, of, unit) {
            continue;
        }
        let (new, target) = (&mount.volume, mount.target.display());
        let held = container.volumes.iter();
        let held = held.filter(|held| docker.volumes.contains_key(&held.volume));
        let mut held = held.filter(|held| held.target == mount.target);
        if let Some(held) = held.find(|held| held.volume != *new) {
            let has = format!("its {called} has the volume {} at {target}", held.volume);
            refuse(draft, docker, name, &has, (&held.volume, new), &removed);
        }
        let mut binds = container.binds.iter();
        let held = binds.find(|held| held.target == mount.target);
        if let Some(held) = held.filter(|held| has_data(draft.observed, held)) {
            let old = held.source.display();
            let why = format!(
                "its {called} has {old} at {target}, and would get the volume {new} instead"
            );
            let help = vec![
                format!(
                    "keep the data where it is: write {old}:{target} in its compose file or command"
                ),
                or_copy(&removed, &old, new),
            ];
            draft.refuse(ResourceId::new(Kind::Unit, name), why, help);
        }
    }
    for (of, bind) in binds::wanted(unit) {
        let held = container.volumes.iter();
        let mut held = held.filter(|held| docker.volumes.contains_key(&held.volume));
        if binds::is_of(container, of, unit)
            && let Some(held) = held.find(|held| held.target == bind.target)
        {
            let (old, target, new) = (&held.volume, bind.target.display(), bind.source.display());
            let why = format!(
                "its {called} has the volume {old} at {target}, and would get {new} instead"
            );
            let help = vec![
                format!("keep the data where it is: mount the volume {old} at {target}"),
                or_copy(&removed, old, &new),
            ];
            draft.refuse(ResourceId::new(Kind::Unit, name), why, help);
        }
    }
}

/// Where no container is left, the record of what was applied names its volumes. One that is there under the new name
/// was made by somebody who knows.
fn of_record(draft: &mut Draft<'_>, docker: &DockerState, name: &str, unit: &Unit) {
    let Some(before) = replacement::before(draft, name) else {
        return;
    };
    for (of, mount) in wanted(unit) {
        let same = |(other, was): &(&str, &VolumeMount)| {
            *other == of && was.target == mount.target && was.volume != mount.volume
        };
        let Some((_, was)) = wanted(&before).into_iter().find(same) else {
            continue;
        };
        let is_there = |name: &String| docker.volumes.contains_key(name);
        if is_there(&was.volume) && !is_there(&mount.volume) {
            let (old, target) = (&was.volume, was.target.display());
            let has = format!("{of} had the volume {old} at {target}");
            let stop = binds::stopped(draft.observed, name);
            let removed = stop.map_or_else(String::new, |stop| format!("{stop}; "));
            refuse(draft, docker, name, &has, (old, &mount.volume), &removed);
        }
    }
}

fn refuse(
    draft: &mut Draft<'_>,
    docker: &DockerState,
    unit: &str,
    has: &str,
    (old, new): (&str, &str),
    removed: &str,
) {
    let there = match docker.volumes.contains_key(new) {
        true => "which is another one",
        false => "which does not exist",
    };
    let why = format!("{has}, and would get the volume {new} instead, {there}");
    let help = vec![
        format!(
            "keep the data where it is: below volumes: in the compose file, give the volume \"name: {old}\" and \
             \"external: true\", or keep the project's name; for docker run, keep -v {old}:"
        ),
        or_copy(removed, &old, &new),
    ];
    draft.refuse(ResourceId::new(Kind::Unit, unit), why, help);
}

/// Volumes and folders are copied by a container, which sees both.
fn or_copy(removed: &str, from: &dyn Display, to: &dyn Display) -> String {
    let copy = format!("docker run --rm -v {from}:/from:ro -v {to}:/to busybox cp -a /from/. /to");
    format!("or copy it: {removed}{copy}; then apply again")
}

/// Whether something is lost with a mount.
fn has_data(observed: &Observed, bind: &crate::model::Bind) -> bool {
    let found = observed.binds.get(&bind.source);
    matches!(found, Some(BindSource::Other(_) | BindSource::File(_)))
}
