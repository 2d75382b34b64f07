//! Data stays with its service: a compose file that moves takes its relative mounts along, and the data does not move.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{replacement, started};
use crate::effect::Plan;
use crate::kinds::volume::mounts;
use crate::model::{
    Bind, BindSource, Container, Desired, Kind, Observed, ResourceId, Unit, layout,
};
use crate::plan::draft::Draft;

/// The paths that containers mount whose units a plan starts or restarts, those of now and those of then.
pub(crate) fn binds_of(plan: &Plan, desired: &Desired, observed: &Observed) -> BTreeSet<PathBuf> {
    let starts: Vec<&Unit> = started(plan, desired).collect();
    let wanted: BTreeSet<&Bind> = (starts.iter())
        .flat_map(|unit| wanted(unit))
        .map(|(_, bind)| bind)
        .collect();
    let volumes = starts.iter().flat_map(|unit| mounts::wanted(unit));
    let targets: BTreeSet<&PathBuf> = (wanted.iter().map(|bind| &bind.target))
        .chain(volumes.map(|(_, mount)| &mount.target))
        .collect();
    let now = (observed.containers()).flat_map(|container| &container.binds);
    let now = now.filter(|bind| targets.contains(&bind.target));
    wanted
        .iter()
        .copied()
        .chain(now)
        .map(|bind| bind.source.clone())
        // What is in a secret is compared where it is decrypted.
        .filter(|path| layout::secret_name(path).is_none())
        .collect()
}

/// What a unit mounts, with the service or the name of the container.
pub(crate) fn wanted(unit: &Unit) -> Vec<(&str, &Bind)> {
    let stacks = unit.stacks.iter().flat_map(|stack| &stack.binds);
    let of_stacks =
        stacks.flat_map(|(service, binds)| binds.iter().map(move |bind| (service.as_str(), bind)));
    let of_runs = unit.runs.iter().flat_map(|run| {
        let name = run.name.as_deref().unwrap_or_default();
        run.binds.iter().map(move |bind| (name, bind))
    });
    of_stacks.chain(of_runs).collect()
}

pub(crate) fn plan(draft: &mut Draft<'_>) {
    let desired = draft.desired;
    for name in draft.starting() {
        let Some(unit) = desired.units.get(&name) else {
            continue;
        };
        for container in containers(draft, &name, unit) {
            for (of, bind) in wanted(unit) {
                if is_of(container, of, unit)
                    && let Some(now) = moved(draft.observed, container, bind)
                {
                    refuse(draft, &name, container, now, bind);
                }
            }
        }
    }
}

/// The containers that the next start of a unit replaces. One that is stopped has the data of the last run, unless the
/// same service or container runs elsewhere.
pub(crate) fn containers<'a>(draft: &Draft<'a>, name: &str, unit: &Unit) -> Vec<&'a Container> {
    let before = replacement::before(draft, name);
    let is_own = |container: &&Container| {
        unit.owns(container)
            || unit.container_names().contains(container.name.as_str())
            || before.as_ref().is_some_and(|before| before.owns(container))
    };
    let own: Vec<&Container> = draft.observed.containers().filter(is_own).collect();
    let is_replaced = |container: &Container| {
        let mut running = own.iter().filter(|other| other.is_running());
        running.any(|other| other.compose.is_some() && other.service() == container.service())
    };
    let counts = |container: &&Container| match container.state.as_str() {
        "created" | "removing" => false,
        _ => container.is_running() || (!container.oneoff && !is_replaced(container)),
    };
    own.iter().copied().filter(counts).collect()
}

/// Whether a mount of a service or named container is one of this container's. One that only the unit ties together
/// with it counts where the unit has one container.
pub(crate) fn is_of(container: &Container, of: &str, unit: &Unit) -> bool {
    let mut stacks = unit.stacks.iter();
    let services: usize = stacks.clone().map(|stack| stack.services.len()).sum();
    let fixed = stacks.any(|stack| stack.containers.contains(&container.name));
    container.service() == Some(of)
        || container.name == of
        || (fixed && services == 1)
        || services + unit.runs.len() == 1
}

/// What a container has now in the place of a mount, where that is something else.
fn moved<'a>(observed: &Observed, container: &'a Container, bind: &Bind) -> Option<&'a Bind> {
    let mut binds = container.binds.iter();
    let now = binds.find(|now| now.target == bind.target)?;
    if now.source == bind.source {
        return None;
    }
    let at = |bind: &Bind| observed.binds.get(&bind.source);
    let (old, new) = (at(now)?, at(bind)?);
    match (old, new) {
        // Nothing to lose, the same by another path, or the same content.
        (BindSource::Missing | BindSource::Empty(_), _) => None,
        (old, new) if old == new => None,
        // What the container cannot write holds no data of its own.
        (_, BindSource::File(_) | BindSource::Other(_)) if bind.read_only => None,
        _ => Some(now),
    }
}

fn refuse(draft: &mut Draft<'_>, name: &str, container: &Container, now: &Bind, bind: &Bind) {
    let (old, new) = (now.source.display(), bind.source.display());
    let target = bind.target.display();
    let there = match draft.observed.binds.get(&bind.source) {
        None | Some(BindSource::Missing) => "which does not exist",
        Some(BindSource::Empty(_)) => "which is empty",
        Some(_) => "which is something else",
    };
    let why = format!(
        "its {} has {old} at {target}, and would get {new} instead, {there}",
        called(container)
    );
    let help = vec![
        format!("keep the data where it is: write {old}:{target} in its compose file or command"),
        format!(
            "or copy it: {}cp -aT {old} {new}; then apply again",
            removed(draft.observed, name, container)
        ),
    ];
    draft.refuse(ResourceId::new(Kind::Unit, name), why, help);
}

/// A container as a refusal names it.
pub(crate) fn called(container: &Container) -> String {
    match container.is_running() {
        true => format!("container {}", container.name),
        false => format!("container {}, which is stopped,", container.name),
    }
}

/// The commands after which nothing holds a container's mounts any more, for others to follow.
pub(crate) fn removed(observed: &Observed, unit: &str, container: &Container) -> String {
    let stop = stopped(observed, unit);
    let stop = stop.map_or_else(String::new, |stop| format!("{stop}; "));
    format!("{stop}docker rm -f {}; ", container.name)
}

/// The command that stops a unit, if the host has it: one that an apply would bring has nothing to stop yet.
pub(crate) fn stopped(observed: &Observed, unit: &str) -> Option<String> {
    let systemd = observed.systemd.as_ref();
    let is_there = systemd.is_none_or(|systemd| {
        let unit = systemd.units.get(unit);
        unit.is_some_and(|unit| unit.load != "not-found")
    });
    is_there.then(|| format!("systemctl stop {unit}"))
}
