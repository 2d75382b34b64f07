//! Backups: what is made when, where it goes, and what is made before a plan interrupts what it is made of. Timers and
//! services are generated units, which the kind `unit` takes care of.

mod before;
pub(crate) mod data;
pub(crate) mod read;

use super::{Asked, ResourceKind};
use crate::model::{Desired, Watch};
use crate::plan::draft::Draft;

/// The kind `backup`.
pub(crate) struct Backups;

impl ResourceKind for Backups {
    fn paths(&self, _: &Desired, _: &mut Watch) {}

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        let mut backups = asked.desired.backups.values();
        watch.docker |= backups.any(|backup| backup.before_change.is_some());
    }

    fn compare(&self, _: &mut Draft<'_>) {}

    fn follow(&self, draft: &mut Draft<'_>) {
        before::plan(draft);
    }
}
