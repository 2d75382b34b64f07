//! Units: their files, drop-ins, enablement, and whether systemd has read them.

use std::path::{Path, PathBuf};

use crate::effect::{Change, Effect};
use crate::model::{DriftKind, Entry, Kind, ResourceId, Unit, layout};
use crate::plan::draft::{Draft, Stage, change};
use crate::plan::{files, loaded};

pub(super) fn compare(draft: &mut Draft<'_>) {
    let desired = draft.desired;
    for (name, unit) in &desired.units {
        let id = ResourceId::new(Kind::Unit, name);
        plan_files(draft, &id, name);
        plan_enablement(draft, &id, name, unit);
        if unit.is_ours() {
            remove_foreign_dropins(draft, &id, name);
        }
    }
}

/// The unit's file and drop-ins, the generated one included: each in the store, each linked.
fn plan_files(draft: &mut Draft<'_>, id: &ResourceId, name: &str) {
    let folder = Path::new(layout::store::UNITS);
    let own = folder.join(name);
    let dropins = folder.join(format!("{name}.d"));
    let mine: Vec<_> = draft
        .tree
        .iter()
        .filter(|(path, _)| **path == own || path.parent() == Some(&dropins))
        .map(|(path, file)| (path.clone(), file.clone()))
        .collect();
    for (stored, file) in mine {
        let Ok(relative) = stored.strip_prefix(folder) else {
            continue;
        };
        let path = Path::new(layout::SYSTEMD).join(relative);
        let live = layout::live(&stored);
        let changed = files::store(draft, id, &stored, &file, &path);
        files::link(draft, id, path, live.clone(), &live, Some((&file, changed)));
    }
}

/// Links that enable the unit, compared one by one.
fn plan_enablement(draft: &mut Draft<'_>, id: &ResourceId, name: &str, unit: &Unit) {
    let file = unit.template.as_deref().unwrap_or(name);
    let live = layout::live(Path::new(layout::store::UNITS).join(file));
    for link in &unit.install.links {
        let path = Path::new(layout::SYSTEMD).join(link);
        files::link(draft, id, path, live.clone(), &live, None);
    }
    if unit.is_ours() {
        for path in enabling_links(draft, name) {
            if !draft.wanted.contains_key(&path) {
                let why = "enabled by hand: [Install] does not ask for it";
                files::remove(draft, Stage::Switch, id, &path, why);
            }
        }
    }
}

/// Links to `name` in folders such as `multi-user.target.wants`.
pub(super) fn enabling_links(draft: &Draft<'_>, name: &str) -> Vec<PathBuf> {
    draft
        .observed
        .files
        .iter()
        .filter(|(path, entry)| {
            matches!(entry, Entry::Link { .. })
                && path.file_name().is_some_and(|file| file == name)
                && path.parent().is_some_and(|folder| {
                    folder.parent() == Some(Path::new(layout::SYSTEMD))
                        && layout::is_dependency_folder(folder)
                })
        })
        .map(|(path, _)| path.clone())
        .collect()
}

/// Drop-ins of our units that the desired state does not know, such as `systemctl edit` makes.
fn remove_foreign_dropins(draft: &mut Draft<'_>, id: &ResourceId, name: &str) {
    let folder = Path::new(layout::SYSTEMD).join(format!("{name}.d"));
    let paused = draft.paused(name);
    files::remove_foreign_dropins(draft, id, &folder, |_, file| {
        match (file == layout::PAUSE_DROPIN, paused) {
            (true, true) => None,
            (true, false) => Some("the pause is over"),
            (false, _) => Some(files::FOREIGN),
        }
    });
}

/// systemd has to read its units again when a file or link of theirs changes, and when it has
/// not read the present ones.
pub(super) fn reload_if_needed(draft: &mut Draft<'_>) {
    let Some(systemd) = &draft.observed.systemd else {
        return;
    };
    let id = ResourceId::new(Kind::Unit, "systemd");
    let touches_units = |path: &Path, stored: bool| match stored {
        true => path.starts_with(layout::store::UNITS) || path.starts_with(layout::store::QUADLETS),
        false => path.starts_with(layout::SYSTEMD) || path.starts_with(layout::QUADLETS),
    };
    let changes = draft.any_path(touches_units);
    let unread = loaded::unread_units(&draft.inputs, systemd);
    if !changes && unread.is_none() {
        return;
    }
    let (why, drift) = match unread {
        Some(why) if !changes => (why, DriftKind::Unloaded),
        _ => ("units changed".to_owned(), DriftKind::Drifted),
    };
    // Not through `Draft::change`: --only decides about the files, and those need it.
    let reload = Change {
        drift,
        ..change(id, Effect::DaemonReload, why)
    };
    draft.derived(Stage::Manager, reload.clone());
    if draft.retires_units() {
        let why = "units were removed".to_owned();
        draft.derived(Stage::Forget, Change { why, ..reload });
    }
}
