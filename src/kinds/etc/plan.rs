//! Files below /etc, paths at which nothing may stand, and what follows a change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::load::Loads;
use crate::effect::{Effect, UnitStep};
use crate::model::{
    Container, Entry, EtcAction, EtcFile, Hash, Kind, ResourceId, absent_id, layout,
};
use crate::plan::draft::{self, Draft, Stage, change};
use crate::plan::files;

/// The unit of the Docker engine.
const DOCKER: &str = "docker.service";
/// Bound of a restart or reload that a file under /etc asks for.
const ACTION_TIMEOUT: Duration = Duration::from_secs(90);
/// How long such a unit has to stay up afterwards, if it is none that the desired state defines.
const ACTION_SETTLE: Duration = Duration::from_secs(3);

pub(super) fn plan(draft: &mut Draft<'_>) {
    let desired = draft.desired;
    let mut actions = BTreeMap::new();
    let mut loads = Loads::new(draft);
    for (relative, etc) in &desired.etc {
        let id = ResourceId::new(Kind::Etc, relative.to_string_lossy());
        let changes = plan_file(draft, &id, relative, etc) && draft.selects(&id);
        match etc.action.as_ref() {
            Some(EtcAction::Load(loader)) => loads.add(draft, *loader, id, changes),
            Some(action) if changes => {
                actions.entry(action.clone()).or_insert(id);
            }
            _ => {}
        }
    }
    loads.plan(draft);
    for (action, id) in actions {
        let why = format!("/etc/{} changed", id.name);
        follow(draft, id, action, why);
    }
    for (action, id) in leaving(draft) {
        let why = format!("/etc/{} left the desired state", id.name);
        follow(draft, id, action, why);
    }
    for path in &desired.absent {
        let id = absent_id(path);
        files::remove(
            draft,
            Stage::Switch,
            &id,
            path,
            "watchme.toml says that it is absent",
        );
    }
}

/// Returns whether the file changes.
fn plan_file(draft: &mut Draft<'_>, id: &ResourceId, relative: &Path, etc: &EtcFile) -> bool {
    let stored = PathBuf::from(layout::store::ETC).join(relative);
    let path = layout::etc(relative);
    let live = layout::live(&stored);
    let in_store = files::store(draft, id, &stored, &etc.file, &path);
    // What already exists, byte by byte, was not changed by coming into the store.
    let is_there = draft
        .observed
        .content(&path)
        .is_some_and(|content| **content == *etc.file.content);
    if etc.link {
        files::link(
            draft,
            id,
            path,
            live.clone(),
            &live,
            Some((&etc.file, in_store)),
        );
        return !is_there;
    }
    draft.wanted.insert(path.clone(), id.clone());
    copy(draft, id, &path, &stored, etc, in_store)
}

fn copy(
    draft: &mut Draft<'_>,
    id: &ResourceId,
    path: &Path,
    stored: &Path,
    etc: &EtcFile,
    in_store: bool,
) -> bool {
    let observed = draft.observed;
    let wanted_owner = observed.owners.get(&etc.owner);
    let (why, keep) = match observed.entry(path) {
        Entry::File {
            content,
            mode,
            owner,
            ..
        } => {
            let same_owner = wanted_owner.is_none_or(|wanted| wanted == owner);
            if **content != *etc.file.content {
                let applied = draft.applied.get(stored).map(|file| file.hash.clone());
                let edited = Some(Hash::of(content)) != applied;
                let known = draft.recorded.inventory.paths.contains_key(path);
                let why = match (edited, known) {
                    (false, _) => "changed",
                    (true, true) => "was edited on the host",
                    (true, false) => "another file is there",
                };
                (why.to_owned(), edited)
            } else if mode & 0o7777 != etc.mode {
                (
                    format!("mode {:04o} instead of {:04o}", mode & 0o7777, etc.mode),
                    false,
                )
            } else if !same_owner {
                (
                    format!("owned by {}:{} instead of {}", owner.0, owner.1, etc.owner),
                    false,
                )
            } else {
                return false;
            }
        }
        Entry::Missing if draft.recorded.inventory.paths.contains_key(path) => {
            ("is gone".to_owned(), false)
        }
        Entry::Missing => ("new".to_owned(), false),
        Entry::Link { target, .. } => (format!("links to {}", target.display()), true),
        Entry::Unreadable => {
            files::note_unreadable(draft, id, path);
            return in_store;
        }
        Entry::Directory | Entry::Other => {
            let why = format!("there is no regular file at {}", path.display());
            draft.refuse(id.clone(), why, vec![format!("ls -la {}", path.display())]);
            return false;
        }
    };
    let diff = (!in_store)
        .then(|| observed.content(path))
        .flatten()
        .and_then(|old| draft::diff(path, Some(old), &etc.file.source, Some(&etc.file.content)));
    let action = Effect::Copy {
        path: path.to_owned(),
        file: etc.file.clone(),
        mode: etc.mode,
        owner: etc.owner.clone(),
        keep,
    };
    let mut planned = change(id.clone(), action, why);
    planned.diff = diff;
    draft.change(Stage::Switch, planned);
    true
}

/// Docker stops all its containers when it stops, and a plan names only units.
fn note_containers_of_nobody(draft: &mut Draft<'_>, id: &ResourceId) {
    let of_a_unit = |container: &Container| draft.units_of_both().any(|unit| unit.owns(container));
    let others: Vec<&str> = (draft.observed.containers())
        .filter(|container| container.is_running() && !of_a_unit(container))
        .map(|container| container.name.as_str())
        .collect();
    if !others.is_empty() {
        let text = format!(
            "the restart of Docker also stops containers that no unit here runs: {}; their restart policies decide whether they come back",
            others.join(", ")
        );
        draft.note(id.clone(), None, text);
    }
}

/// What follows when files go that an apply has put: the same as when they change. Not for a unit that goes, too.
fn leaving(draft: &Draft<'_>) -> BTreeMap<EtcAction, ResourceId> {
    let desired = draft.desired;
    let mut actions = BTreeMap::new();
    let Some(applied) = draft.recorded.desired() else {
        return actions;
    };
    let gone = (applied.etc.iter()).filter(|(relative, _)| !desired.etc.contains_key(*relative));
    for (relative, etc) in gone {
        let path = layout::etc(relative);
        let id = ResourceId::new(Kind::Etc, relative.to_string_lossy());
        let Some((action, unit)) = etc.action.as_ref().and_then(|one| Some((one, one.unit()?)))
        else {
            continue;
        };
        let unit_goes = applied.units.contains_key(unit) && !desired.units.contains_key(unit);
        let is_ours = draft.recorded.inventory.paths.contains_key(&path)
            && *draft.observed.entry(&path) != Entry::Missing;
        if is_ours && !unit_goes && draft.selects(&id) {
            actions.entry(action.clone()).or_insert(id);
        }
    }
    actions
}

fn follow(draft: &mut Draft<'_>, id: ResourceId, action: EtcAction, why: String) {
    let Some(unit) = action.unit() else { return };
    // One that does not run reads the file when it starts; one that failed may have done so for
    // want of it.
    let state = draft.observed.unit_state(unit);
    let failed = state.is_some_and(|state| state.active == "failed" || state.sub == "auto-restart");
    let state = state.filter(|state| !matches!(state.active.as_str(), "inactive" | "failed" | ""));
    if state.is_none() && !failed {
        return;
    }
    let step = UnitStep {
        unit: unit.clone(),
        timeout: ACTION_TIMEOUT,
        settle: (draft.desired.units.get(unit)).map_or(ACTION_SETTLE, |unit| unit.settle),
        ..UnitStep::default()
    };
    if unit == DOCKER && matches!(action, EtcAction::Restart(_)) {
        note_containers_of_nobody(draft, &id);
    }
    let (action, interrupts) = match action {
        _ if failed => (Effect::Start(step), BTreeSet::new()),
        EtcAction::Restart(_) => {
            let dependents = state.map(|state| state.dependents.clone());
            (Effect::Restart(step), dependents.unwrap_or_default())
        }
        EtcAction::Reload(_) | EtcAction::Load(_) => (Effect::ReloadUnit(step), BTreeSet::new()),
    };
    // What leaves stops first: nobody waits for it to come up again.
    let goes = |name: &String| {
        draft.recorded.unit(name).is_some() && !draft.desired.units.contains_key(name)
    };
    let (gone, interrupts): (BTreeSet<String>, BTreeSet<String>) =
        interrupts.into_iter().partition(goes);
    let stage = match gone.is_empty() {
        true => Stage::Etc,
        false => Stage::Forget,
    };
    let mut planned = change(id, action, why);
    planned.interrupts = interrupts;
    draft.change(stage, planned);
}
