//! What a run that succeeded leaves on record.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::apply::Progress;
use crate::effect::Effect;
use crate::host::Host;
use crate::model::{
    Container, Inventory, Kind, Loaded, LoadedDaemon, LoadedUnit, Observed, RanImage, ResourceId,
    Selector,
};
use crate::plan;
use crate::reconcile::{Planned, error};
use crate::state::State;

/// What is managed after the run, on a host that is now as in `after`.
pub(in crate::reconcile) fn inventory(planned: &Planned, after: &Observed) -> Inventory {
    let mut inventory = planned.plan.inventory.clone();
    // What is still there although it left the desired state is not forgotten: a network goes
    // when nobody uses it any more, a volume when a person removes it.
    let docker = after.docker.as_ref();
    let before = &planned.recorded.inventory;
    let networks = before.networks.iter();
    let networks =
        networks.filter(|name| docker.is_none_or(|docker| docker.networks.contains_key(*name)));
    inventory.networks.extend(networks.cloned());
    let volumes = before.volumes.iter();
    let volumes =
        volumes.filter(|name| docker.is_none_or(|docker| docker.volumes.contains_key(*name)));
    inventory.volumes.extend(volumes.cloned());
    inventory.generation = planned.recorded.generation();
    inventory
}

/// What the containers of units run after the run, for a rollback to this generation. That it is not known fails nothing.
pub(in crate::reconcile) async fn images(
    host: &Host,
    state: &State,
    planned: &Planned,
    after: &Observed,
    progress: &mut dyn Progress,
) -> Vec<RanImage> {
    let units = &planned.desired.units;
    let Some(docker) = &after.docker else {
        // A run that did not look at containers has changed none.
        let before = planned.recorded.generation();
        let known = before.and_then(|number| state.generation_images(number).ok());
        return known.unwrap_or_default();
    };
    let run = docker.containers.iter().filter_map(|container| {
        let (unit, _) = units.iter().find(|(_, unit)| unit.owns(container))?;
        Some((unit, container))
    });
    let mut run = run.peekable();
    if run.peek().is_none() {
        return Vec::new();
    }
    let listed = match host.docker().await {
        Ok(docker) => docker.images().await,
        Err(error) => Err(error),
    };
    let listed = listed.unwrap_or_else(|cause| {
        let why = error::with_hint(&cause, cause.hint());
        progress.warn(&format!(
            "the digests of what runs are not on record: {why}"
        ));
        BTreeMap::new()
    });
    let ran = |(unit, container): (&String, &Container)| {
        RanImage::new(unit, container, listed.get(&container.image_id))
    };
    run.map(ran).collect()
}

/// What the daemons have loaded after the run: what they were made to load by it, and of units
/// also what the plan found to be current.
pub(in crate::reconcile) fn loaded(
    planned: &Planned,
    after: &Observed,
    switched: Option<Timestamp>,
    degraded: &BTreeMap<String, String>,
) -> Loaded {
    let mut loaded = planned.recorded.loaded.clone();
    loaded.switched = switched.or(loaded.switched);
    let did =
        |is: fn(&Effect) -> bool| planned.plan.changes.iter().any(|change| is(&change.effect));
    if let Some(systemd) = &after.systemd
        && (did(|action| matches!(action, Effect::DaemonReload))
            || is_another(&loaded.systemd, &systemd.identity))
    {
        loaded.systemd = Some(LoadedDaemon {
            identity: systemd.identity.clone(),
            hash: plan::systemd_hash(&planned.desired),
        });
    }
    if let Some(master) = after.nginx.as_ref().and_then(|nginx| nginx.master.clone())
        && (did(|action| action.loads_nginx()) || is_another(&loaded.nginx, &master))
    {
        loaded.nginx = Some(LoadedDaemon {
            identity: master,
            hash: plan::nginx_hash(&planned.desired),
        });
    }
    loaded
        .units
        .retain(|name, _| planned.desired.units.contains_key(name));
    record_units(planned, after, degraded, &mut loaded);
    let known = std::mem::take(&mut loaded.doubtful).into_iter();
    loaded.doubtful = known
        .filter(|(name, _)| !loaded.units.contains_key(name) || !is_selected(planned, name))
        .filter(|(name, _)| planned.desired.units.contains_key(name))
        .collect();
    loaded
}

fn is_selected(planned: &Planned, unit: &str) -> bool {
    Selector::any(&planned.only, &ResourceId::new(Kind::Unit, unit))
}

/// Whether a daemon has started anew since it was recorded: the plan has compared what it loaded.
fn is_another(record: &Option<LoadedDaemon>, identity: &str) -> bool {
    record
        .as_ref()
        .is_none_or(|record| record.identity != identity)
}

fn record_units(
    planned: &Planned,
    after: &Observed,
    degraded: &BTreeMap<String, String>,
    loaded: &mut Loaded,
) {
    let Some(systemd) = &after.systemd else {
        return;
    };
    for (name, unit) in &planned.desired.units {
        let id = ResourceId::new(Kind::Unit, name);
        // The unit in which this run lives was skipped: what it runs with is what it was.
        let own = systemd.own_unit.as_deref() == Some(name);
        let state = systemd.units.get(name);
        let ran = state.is_some_and(|state| state.is_active() || !state.invocation.is_empty());
        let failed = degraded.contains_key(name);
        if own || name.contains("@.") || !(ran || failed) || !Selector::any(&planned.only, &id) {
            continue;
        }
        let hash = plan::unit_hash(&planned.desired, after, unit);
        let invocation = state
            .map(|state| state.invocation.clone())
            .unwrap_or_default();
        let outside = plan::outside_hashes(after, unit);
        let record = LoadedUnit {
            hash,
            invocation,
            outside,
            mounts: plan::mounts_hash(&planned.desired, unit),
            failed,
        };
        loaded.units.insert(name.clone(), record);
    }
}
