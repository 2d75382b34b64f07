//! Memberships of containers in networks.

pub(crate) mod data;
mod lost;
pub(super) mod plan;

use super::{Asked, ResourceKind};
use crate::model::{Desired, Kind, Watch};
use crate::plan::draft::Draft;
use crate::source::load::Reads;

/// The kind `member`.
pub(crate) struct Members;

/// Networks are read with their members.
impl Reads for Members {}

impl ResourceKind for Members {
    fn paths(&self, _: &Desired, _: &mut Watch) {}

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        watch.docker |= asked.selects(Kind::Member) && asked.needs_docker();
        let networks = asked.desired.networks.values();
        let members = networks.flat_map(|network| &network.members);
        watch
            .members
            .extend(members.map(|member| member.name.clone()));
    }

    /// Containers are compared once it is known which units start.
    fn compare(&self, _: &mut Draft<'_>) {}

    fn follow(&self, draft: &mut Draft<'_>) {
        plan::plan(draft);
    }
}
