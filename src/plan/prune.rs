//! What left the desired state leaves the host: only what the inventory records, and links into
//! the checkout, which the old setup script made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::draft::{Draft, Stage, change, store_id};
use super::{Inputs, activity, etc, files, recovery, replacement, sites, units};
use crate::effect::Effect;
use crate::model::{Entry, Inventory, Kind, ResourceId, layout};

/// An empty desired state is more likely a wrong folder than a wish.
pub(super) fn refuse_empty(draft: &mut Draft<'_>) {
    if draft.desired.is_empty() && !draft.recorded.inventory.is_empty() && !draft.allow_empty {
        draft.refuse(
            ResourceId::new(Kind::File, "desired-state"),
            "the desired state is empty, and applying it would remove everything",
            vec!["use --allow-empty if that is intended".to_owned()],
        );
    }
}

/// What is managed once `inputs` is applied.
pub fn inventory(inputs: Inputs<'_>) -> Inventory {
    let mut draft = Draft::new(inputs);
    etc::plan(&mut draft);
    sites::plan(&mut draft);
    units::plan(&mut draft);
    recovery::plan(&mut draft);
    Inventory {
        paths: draft.wanted,
        units: inputs
            .desired
            .units
            .iter()
            .filter(|(_, unit)| units::is_ours(unit))
            .map(|(name, _)| name.clone())
            .collect(),
        networks: inputs.desired.networks.keys().cloned().collect(),
        volumes: inputs.desired.volumes.keys().cloned().collect(),
        generation: None,
    }
}

pub(super) fn plan(draft: &mut Draft<'_>) {
    if draft.desired.is_empty() && !draft.allow_empty {
        return;
    }
    let mut unwanted = draft.recorded.inventory.paths.clone();
    unwanted.extend(adopted_links(draft));
    unwanted.retain(|path, _| !draft.wanted.contains_key(path));
    let departing = departing_units(draft, &unwanted);
    for name in &departing {
        retire_unit(draft, name, &mut unwanted);
    }
    for (path, id) in &unwanted {
        let why = match draft.recorded.inventory.paths.contains_key(path) {
            true => "left the desired state",
            false => "a link into the checkout that the desired state does not have",
        };
        files::remove(draft, Stage::Switch, id, path, why);
    }
    prune_store(draft);
    clear_mount_points(draft);
}

/// Links into the checkout, dangling ones included, and the links that enable their units.
fn adopted_links(draft: &Draft<'_>) -> BTreeMap<PathBuf, ResourceId> {
    let mut links = BTreeMap::new();
    for (path, entry) in &draft.observed.files {
        let Entry::Link { target, .. } = entry else {
            continue;
        };
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if !draft.in_checkout(target) {
            continue;
        }
        let kind = match (
            path.starts_with(layout::NGINX),
            path.starts_with(layout::SYSTEMD),
        ) {
            (true, _) => Kind::Site,
            (_, true) => Kind::Unit,
            _ => continue,
        };
        links.insert(path.clone(), ResourceId::new(kind, name));
    }
    let onward = links_to(draft, &links);
    links.extend(onward);
    links
}

/// The old script linked in two stages: `sites-enabled` to `sites-available` to the checkout.
fn links_to(
    draft: &Draft<'_>,
    known: &BTreeMap<PathBuf, ResourceId>,
) -> BTreeMap<PathBuf, ResourceId> {
    let mut links = BTreeMap::new();
    for (path, entry) in &draft.observed.files {
        if let Entry::Link { target, .. } = entry
            && let Some(folder) = path.parent()
            && let Some(id) = known.get(&layout::normal(&folder.join(target)))
        {
            links.insert(path.clone(), id.clone());
        }
    }
    links
}

/// Units of ours that are no longer desired.
fn departing_units(
    draft: &Draft<'_>,
    unwanted: &BTreeMap<PathBuf, ResourceId>,
) -> BTreeSet<String> {
    let linked = unwanted
        .iter()
        .filter(|(path, id)| {
            id.kind == Kind::Unit && path.parent() == Some(Path::new(layout::SYSTEMD))
        })
        .map(|(_, id)| id.name.clone());
    draft
        .recorded
        .inventory
        .units
        .iter()
        .cloned()
        .chain(linked)
        .filter(|name| !draft.desired.units.get(name).is_some_and(units::is_ours))
        .collect()
}

/// Stop, then disable, then remove: a unit whose file is gone cannot be stopped in order.
fn retire_unit(draft: &mut Draft<'_>, name: &str, unwanted: &mut BTreeMap<PathBuf, ResourceId>) {
    let id = ResourceId::new(Kind::Unit, name);
    let observed = draft.observed;
    let state = observed
        .systemd
        .as_ref()
        .and_then(|systemd| systemd.units.get(name));
    let runs =
        state.is_some_and(|state| !matches!(state.active.as_str(), "inactive" | "failed" | ""));
    if runs {
        let old = replacement::before(draft, name).unwrap_or_default();
        let mut step = activity::step(name, &old);
        step.timeout = step.timeout.max(STOP_TIMEOUT);
        let mut planned = change(id.clone(), Effect::Stop(step), "left the desired state");
        planned.interrupts = state
            .map(|state| state.dependents.clone())
            .unwrap_or_default();
        let stage = match replacement::replaced_by(draft, name, &old) {
            Some((new, because)) => {
                planned.why = format!("{new} replaces it and cannot run beside it ({because})");
                Stage::MakeRoom
            }
            None => Stage::Retire,
        };
        draft.change(stage, planned);
    }
    let mut paths: BTreeSet<PathBuf> = units::enabling_links(draft, name).into_iter().collect();
    paths.extend(
        unwanted
            .iter()
            .filter(|(_, owner)| **owner == id)
            .map(|(path, _)| path.clone()),
    );
    for path in paths {
        unwanted.remove(&path);
        let why = match draft.recorded.inventory.paths.contains_key(&path) {
            true => "left the desired state",
            false => "a link into the checkout that the desired state does not have",
        };
        files::remove(draft, Stage::Retire, &id, &path, why);
    }
}

/// Bound of stopping an old unit.
const STOP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(120);

/// Checkout paths of files that no unit names any more: systemd has put an empty file there to
/// bind the stored one over it, if git had already removed it.
fn clear_mount_points(draft: &mut Draft<'_>) {
    let Some((_, applied)) = &draft.recorded.applied else {
        return;
    };
    if draft.observed.systemd.is_none() {
        return;
    }
    for (path, file) in &applied.files {
        let present = draft
            .observed
            .content(path)
            .is_some_and(|content| !content.is_empty());
        if draft.desired.files.contains_key(path) || present {
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

/// Files of the store that nothing wants any more: they go last, since a unit may still have to
/// stop with them.
fn prune_store(draft: &mut Draft<'_>) {
    let gone: Vec<PathBuf> = draft
        .applied
        .keys()
        .filter(|path| !draft.tree.contains_key(*path))
        .cloned()
        .collect();
    for path in gone {
        let live = layout::live(&path);
        if *draft.observed.entry(&live) == Entry::Missing {
            continue;
        }
        let id = store_id(&path);
        let source = draft.applied.get(&path).map(|file| file.source.clone());
        let observed = draft.observed;
        let old = observed.content(&live).map(|content| &**content);
        let diff = super::draft::diff(&live, old, Path::new("/dev/null"), None);
        let why = match source {
            Some(source) => format!("removed: {}", source.display()),
            None => "left the desired state".to_owned(),
        };
        let action = Effect::Store {
            path,
            file: None,
            keep: false,
        };
        let mut planned = change(id, action, why);
        planned.diff = diff;
        draft.change(Stage::Retire, planned);
    }
}
