//! What has to be known of units, of their files, and of the containers that they run.

use std::path::{Path, PathBuf};

use crate::kinds::Asked;
use crate::model::{Desired, Kind, ResourceId, Selector, Unit, Watch, layout};

pub(super) fn add_paths(desired: &Desired, watch: &mut Watch) {
    watch.folders.insert(PathBuf::from(layout::SYSTEMD));
    for (name, unit) in &desired.units {
        watch.paths.insert(layout::unit(name));
        watch
            .folders
            .insert(Path::new(layout::SYSTEMD).join(format!("{name}.d")));
        let links = unit.install.links.iter();
        watch
            .paths
            .extend(links.map(|link| Path::new(layout::SYSTEMD).join(link)));
        watch.paths.extend(unit.watched.iter().cloned());
        watch.paths.extend(unit.outside.iter().cloned());
    }
}

/// Units of the desired state and of the inventory, templates left out, and the services of sockets.
pub(in crate::kinds) fn add_units(asked: &Asked<'_>, watch: &mut Watch) {
    let (desired, inventory) = (asked.desired, &asked.recorded.inventory);
    let known = desired.units.keys().chain(&inventory.units);
    watch
        .units
        .extend(known.filter(|name| !name.contains("@.")).cloned());
    // A changed socket has to know whether its service runs.
    let sockets = desired
        .units
        .keys()
        .filter_map(|name| name.strip_suffix(".socket"));
    let services = sockets.filter(|stem| !stem.ends_with('@'));
    watch
        .units
        .extend(services.map(|stem| format!("{stem}.service")));
}

/// Containers of units that run some: whether they run, and after a rollback whether they are the ones from before.
pub(super) fn add_containers(asked: &Asked<'_>, watch: &mut Watch) {
    let any = |desired: &Desired, is: fn(&Unit) -> bool| {
        desired.units.iter().any(|(name, unit)| {
            let id = ResourceId::new(Kind::Unit, name);
            is(unit) && Selector::any(asked.only, &id)
        })
    };
    let runs_containers = |desired: &Desired| {
        any(desired, |unit| {
            !unit.stacks.is_empty() || !unit.runs.is_empty()
        })
    };
    watch.quadlets |= any(asked.desired, |unit| unit.by_podman.is_some());
    let applied = asked.recorded.desired();
    watch.docker |= runs_containers(asked.desired) || applied.is_some_and(runs_containers);
    for unit in asked.desired.units.values() {
        let (runs, stacks) = (unit.runs.iter(), unit.stacks.iter());
        watch
            .containers
            .extend(runs.filter_map(|run| run.name.clone()));
        watch
            .projects
            .extend(stacks.map(|stack| stack.project.clone()));
    }
}
