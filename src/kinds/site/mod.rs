//! nginx sites: files and links, certificates, nginx itself, and what requests go to.

mod certificates;
pub(crate) mod data;
mod drain;
mod nginx;
mod plan;
pub(crate) mod read;
pub(super) mod unserved;
mod upstreams;
mod watch;

use super::{Asked, ResourceKind};
use crate::model::{Desired, Kind, Watch};
use crate::plan::draft::Draft;

/// The kind `site`.
pub(crate) struct Sites;

impl ResourceKind for Sites {
    fn paths(&self, desired: &Desired, watch: &mut Watch) {
        watch::add_paths(desired, watch);
    }

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        if asked.selects(Kind::Site) {
            watch::add_certificates(asked.desired, watch);
            let mut managed = asked.recorded.inventory.paths.values();
            watch.nginx =
                !asked.desired.sites.is_empty() || managed.any(|id| id.kind == Kind::Site);
        }
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        plan::plan(draft);
    }

    fn follow(&self, draft: &mut Draft<'_>) {
        certificates::plan(draft);
        nginx::plan(draft);
        drain::plan(draft);
        upstreams::plan(draft);
        unserved::plan(draft);
    }
}
