//! Files below /etc.

pub(crate) mod data;
mod load;
mod plan;
pub(crate) mod read;

use super::{Asked, ResourceKind};
use crate::model::{Desired, EtcAction, Kind, Watch, layout};
use crate::plan::draft::Draft;

/// The kind `etc`.
pub(crate) struct EtcFiles;

impl ResourceKind for EtcFiles {
    fn paths(&self, desired: &Desired, watch: &mut Watch) {
        watch.paths.extend(desired.etc.keys().map(layout::etc));
    }

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        let files = asked.desired.etc.values();
        watch
            .owners
            .extend(files.clone().map(|etc| etc.owner.clone()));
        if asked.selects(Kind::Etc) {
            let applied = asked.recorded.desired().into_iter();
            let applied = applied.flat_map(|applied| applied.etc.values());
            let actions = files.chain(applied).filter_map(|etc| etc.action.as_ref());
            watch
                .units
                .extend(actions.filter_map(EtcAction::unit).cloned());
            watch
                .parameters
                .extend(load::parameters(asked.desired).into_keys());
        }
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        plan::plan(draft);
    }
}
