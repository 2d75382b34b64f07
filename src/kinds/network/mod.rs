//! Docker networks.

pub(crate) mod data;
pub(crate) mod plan;
pub(crate) mod read;

use super::{Asked, ResourceKind};
use crate::model::{Desired, Kind, Watch};
use crate::plan::draft::Draft;

/// The kind `network`.
pub(crate) struct Networks;

impl ResourceKind for Networks {
    fn paths(&self, _: &Desired, _: &mut Watch) {}

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        watch.docker |= asked.selects(Kind::Network) && asked.needs_docker();
        watch
            .networks
            .extend(asked.desired.networks.keys().cloned());
        watch
            .networks
            .extend(asked.recorded.inventory.networks.iter().cloned());
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        plan::plan(draft);
    }

    fn follow(&self, draft: &mut Draft<'_>) {
        plan::refuse_unlabelled(draft);
        plan::prune(draft);
    }
}
