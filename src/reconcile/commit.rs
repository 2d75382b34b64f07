//! What a run that succeeded leaves on record.

use jiff::Timestamp;

use super::Planned;
use crate::model::{
    Action, Inventory, Kind, Loaded, LoadedDaemon, LoadedUnit, Observed, ResourceId, Selector,
};
use crate::plan::{self, Inputs};

/// What is managed after the run.
pub(super) fn inventory(planned: &Planned) -> Inventory {
    plan::inventory(Inputs {
        desired: &planned.desired,
        observed: &planned.observed,
        recorded: &planned.recorded,
        only: &planned.only,
        checkouts: &planned.checkouts,
        allow_empty: true,
        now: Timestamp::now(),
    })
}

/// What the daemons have loaded after the run: what they were made to load by it, and of units
/// also what the plan found to be current.
pub(super) fn loaded(planned: &Planned, after: &Observed, switched: Option<Timestamp>) -> Loaded {
    let mut loaded = planned.recorded.loaded.clone();
    loaded.switched = switched.or(loaded.switched);
    let did =
        |is: fn(&Action) -> bool| planned.plan.changes.iter().any(|change| is(&change.action));
    if let Some(systemd) = &after.systemd
        && (did(|action| matches!(action, Action::DaemonReload)) || loaded.systemd.is_none())
    {
        loaded.systemd = Some(LoadedDaemon {
            identity: systemd.identity.clone(),
            hash: plan::systemd_hash(&planned.desired),
        });
    }
    if let Some(master) = after.nginx.as_ref().and_then(|nginx| nginx.master.clone())
        && (did(|action| matches!(action, Action::ReloadNginx | Action::StartNginx))
            || loaded.nginx.is_none())
    {
        loaded.nginx = Some(LoadedDaemon {
            identity: master,
            hash: plan::nginx_hash(&planned.desired),
        });
    }
    loaded
        .units
        .retain(|name, _| planned.desired.units.contains_key(name));
    record_units(planned, after, &mut loaded);
    loaded
}

fn record_units(planned: &Planned, after: &Observed, loaded: &mut Loaded) {
    let Some(systemd) = &after.systemd else {
        return;
    };
    for (name, unit) in &planned.desired.units {
        let id = ResourceId::new(Kind::Unit, name);
        // The unit in which this run lives was left alone: what it runs with is what it was.
        let own = systemd.own_unit.as_deref() == Some(name);
        let state = systemd.units.get(name);
        let ran = state.is_some_and(|state| state.is_active() || !state.invocation.is_empty());
        if own || name.contains("@.") || !ran || !Selector::any(&planned.only, &id) {
            continue;
        }
        let hash = plan::unit_hash(&planned.desired, after, unit);
        let invocation = state
            .map(|state| state.invocation.clone())
            .unwrap_or_default();
        loaded
            .units
            .insert(name.clone(), LoadedUnit { hash, invocation });
    }
}
