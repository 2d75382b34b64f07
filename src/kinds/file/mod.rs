//! Files of the checkout that units name: they are in the store, and bound over their paths in the checkout.

pub(crate) mod data;

use std::path::Path;

use super::{Asked, ResourceKind, Unwanted};
use crate::effect::Effect;
use crate::model::{Desired, Kind, ResourceId, Watch, layout};
use crate::plan::draft::{Draft, Stage, change};
use crate::plan::files;
use crate::source::load::Reads;

/// The kind `file`.
pub(crate) struct Files;

/// Units are read with the files that they name.
impl Reads for Files {}

impl ResourceKind for Files {
    fn paths(&self, desired: &Desired, watch: &mut Watch) {
        watch.paths.extend(desired.files.keys().cloned());
    }

    /// What runs with them is asked for with the units.
    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        if asked.selects(Kind::File) {
            super::unit::watch::add_units(asked, watch);
        }
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        let desired = draft.desired;
        for file in desired.files.values() {
            let id = ResourceId::new(Kind::File, file.source.to_string_lossy());
            let stored = Path::new(layout::store::FILES).join(&file.source);
            files::store(draft, &id, &stored, file, &layout::live(&stored));
        }
    }

    fn retire(&self, draft: &mut Draft<'_>, _: &mut Unwanted) {
        clear_mount_points(draft);
    }
}

/// Checkout paths of files that no unit names any more: systemd has put an empty file there to
/// bind the stored one over it, if git had already removed it.
fn clear_mount_points(draft: &mut Draft<'_>) {
    let (Some(applied), Some(_)) = (draft.recorded.desired(), &draft.observed.systemd) else {
        return;
    };
    for (path, file) in &applied.files {
        let present = draft
            .observed
            .content(path)
            .is_some_and(|content| !content.is_empty());
        // What was laid over compose files was in the store alone.
        let is_stored = path.starts_with(layout::LIVE);
        if draft.desired.files.contains_key(path) || present || is_stored {
            continue;
        }
        let depth = file.source.components().count();
        let Some(checkout) = path.ancestors().nth(depth) else {
            continue;
        };
        let action = Effect::ClearMountPoint {
            path: path.clone(),
            checkout: checkout.to_owned(),
        };
        let id = ResourceId::new(Kind::File, file.source.to_string_lossy());
        draft.change(Stage::Retire, change(id, action, "no unit names it"));
    }
}
