//! systemd units: files and links, what starts and stops, and the containers that they run.

mod activity;
mod adopted;
mod anew;
pub(super) mod binds;
mod builds;
mod by_hand;
pub(crate) mod data;
mod holders;
pub(super) mod images;
mod mounts;
mod networks;
mod plan;
pub(super) mod podman;
mod ran;
pub(crate) mod read;
pub(super) mod replacement;
mod replicas;
mod retire;
mod stacks;
mod take_down;
pub(super) mod watch;

use super::{Asked, ResourceKind, Unwanted};
use crate::effect::Plan;
use crate::model::{Desired, Kind, Unit, Watch};
use crate::plan::draft::Draft;

/// The kind `unit`.
pub(crate) struct Units;

impl ResourceKind for Units {
    fn paths(&self, desired: &Desired, watch: &mut Watch) {
        watch::add_paths(desired, watch);
    }

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        if asked.selects(Kind::Unit) {
            watch::add_units(asked, watch);
        }
        watch::add_containers(asked, watch);
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        plan::compare(draft);
    }

    fn retire(&self, draft: &mut Draft<'_>, unwanted: &mut Unwanted) {
        retire::plan(draft, unwanted);
    }

    fn activate(&self, draft: &mut Draft<'_>) {
        plan::reload_if_needed(draft);
        activity::plan(draft);
        take_down::plan(draft);
        networks::plan(draft);
        by_hand::plan(draft);
        holders::plan(draft);
        images::plan(draft);
        podman::plan(draft);
        binds::plan(draft);
    }

    fn follow(&self, draft: &mut Draft<'_>) {
        stacks::plan(draft);
    }
}

/// The units that a plan starts or restarts.
fn started<'a>(plan: &'a Plan, desired: &'a Desired) -> impl Iterator<Item = &'a Unit> {
    plan.changes
        .iter()
        .filter_map(|change| desired.units.get(&change.effect.starts()?.unit))
}
