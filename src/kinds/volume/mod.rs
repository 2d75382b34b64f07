//! Docker volumes: made when they are missing, never changed and never removed.

pub(crate) mod data;
pub(super) mod mounts;

use super::{Asked, ResourceKind};
use crate::effect::Effect;
use crate::model::{Desired, Kind, ResourceId, Watch};
use crate::plan::draft::{Draft, Stage, change};
use crate::source::load::Reads;

/// The kind `volume`.
pub(crate) struct Volumes;

/// The infrastructure file has them beside the networks, which read it.
impl Reads for Volumes {}

impl ResourceKind for Volumes {
    fn paths(&self, _: &Desired, _: &mut Watch) {}

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        watch.docker |= asked.selects(Kind::Volume) && asked.needs_docker();
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        let Some(docker) = &draft.observed.docker else {
            return;
        };
        let desired = draft.desired;
        for (name, spec) in &desired.volumes {
            if !docker.volumes.contains_key(name) {
                let id = ResourceId::new(Kind::Volume, name);
                let (name, spec) = (name.clone(), spec.clone());
                let effect = Effect::CreateVolume { name, spec };
                draft.change(Stage::Networks, change(id, effect, "missing"));
            }
        }
    }

    fn follow(&self, draft: &mut Draft<'_>) {
        mounts::plan(draft);
        report_left(draft);
    }
}

/// Volumes that left the desired state are only reported.
fn report_left(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let inventory = &draft.recorded.inventory;
    for name in &inventory.volumes {
        if !draft.desired.volumes.contains_key(name) && docker.volumes.contains_key(name) {
            let id = ResourceId::new(Kind::Volume, name);
            let text = format!(
                "left the desired state; volumes are never removed: {} volume rm {name}",
                docker.engine.command()
            );
            draft.note(id, None, text);
        }
    }
}
