//! What has to be looked at for a plan.

use crate::model::{Desired, Kind, Recorded, Selector, Watch, layout};
use crate::plan::recovery;

/// What a look is for.
pub(crate) struct Asked<'a> {
    pub(crate) desired: &'a Desired,
    /// What earlier runs recorded.
    pub(crate) recorded: &'a Recorded,
    /// What `--only` selects; empty: everything.
    pub(crate) only: &'a [Selector],
}

impl Asked<'_> {
    /// Whether `--only` leaves any resource of `kind` in.
    pub(crate) fn selects(&self, kind: Kind) -> bool {
        Selector::any_of_kind(self.only, kind)
    }

    /// Whether there is, or was, something that only Docker has.
    pub(crate) fn needs_docker(&self) -> bool {
        let inventory = &self.recorded.inventory;
        self.desired.needs_docker()
            || !inventory.networks.is_empty()
            || !inventory.volumes.is_empty()
    }
}

/// What a plan for `desired` has to know.
pub(crate) fn watch(desired: &Desired, recorded: &Recorded, only: &[Selector]) -> Watch {
    let asked = Asked {
        desired,
        recorded,
        only,
    };
    let mut watch = Watch::default();
    add_paths(&mut watch, desired);
    if let Some(applied) = recorded.desired() {
        add_paths(&mut watch, applied);
    }
    watch.paths.extend(recorded.inventory.paths.keys().cloned());
    watch.paths.extend(desired.absent.iter().cloned());
    watch.paths.extend(recovery::UNIT.paths());
    watch.paths.insert(recovery::PACKAGED.into());
    super::all().for_each(|kind| kind.watch(&asked, &mut watch));
    watch
}

fn add_paths(watch: &mut Watch, desired: &Desired) {
    watch.paths.extend(desired.tree().keys().map(layout::live));
    super::all().for_each(|kind| kind.paths(desired, watch));
}
