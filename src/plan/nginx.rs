//! When nginx has to load its configuration.

use std::path::Path;

use super::draft::{Draft, Stage, change};
use super::loaded;
use crate::model::{Action, Change, DriftKind, Kind, ResourceId, layout};

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(nginx) = &draft.observed.nginx else {
        return;
    };
    let id = ResourceId::new(Kind::Site, "nginx");
    let touches_nginx = |path: &Path, stored: bool| match stored {
        true => path.starts_with(layout::store::SITES),
        false => path.starts_with(layout::NGINX),
    };
    let changes = draft.any_path(touches_nginx)
        || draft.any_action(|action| matches!(action, Action::WriteCertificate(_)));
    let Some(master) = &nginx.master else {
        if !draft.desired.sites.is_empty() && draft.selects_kind(Kind::Site) {
            let planned = change(id, Action::StartNginx, "nginx does not run");
            draft.derived(Stage::Nginx, planned);
        }
        return;
    };
    let loaded = draft.desired.sites.is_empty()
        || !draft.selects_kind(Kind::Site)
        || loaded::is_loaded(
            &draft.inputs,
            draft.recorded.loaded.nginx.as_ref(),
            master,
            nginx.started,
            &loaded::nginx_hash(draft.desired),
        );
    if !changes && loaded {
        return;
    }
    let (why, drift) = match changes {
        true => ("sites changed", DriftKind::Drifted),
        false => (
            "nginx has not loaded the present sites",
            DriftKind::Unloaded,
        ),
    };
    let planned = Change {
        drift,
        ..change(id, Action::ReloadNginx, why)
    };
    draft.derived(Stage::Nginx, planned);
}
