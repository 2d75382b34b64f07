//! What left the desired state leaves the host: only what the inventory records, and links into
//! the checkout, which the old setup script made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::draft::{Draft, Stage, change};
use super::files;
use crate::effect::Effect;
use crate::model::{Entry, Hash, Kind, ResourceId, layout};

/// Refuses an empty desired state, which is more likely a wrong folder than a wish. Returns whether what is there may go.
pub(crate) fn allows_removal(draft: &mut Draft<'_>) -> bool {
    if !draft.desired.is_empty() || draft.allow_empty {
        return true;
    }
    if !draft.recorded.inventory.is_empty() {
        draft.refuse(
            ResourceId::new(Kind::File, "desired-state"),
            "the desired state is empty, and applying it would remove everything",
            vec!["use --allow-empty if that is intended".to_owned()],
        );
    }
    false
}

/// Links and files of ours, and those that the old setup script made, which nothing wants any more.
pub(crate) fn unwanted(draft: &Draft<'_>) -> BTreeMap<PathBuf, ResourceId> {
    let mut unwanted = draft.recorded.inventory.paths.clone();
    unwanted.extend(adopted_links(draft));
    unwanted.retain(|path, _| !draft.wanted.contains_key(path));
    unwanted
}

/// Plans that they go, and what of the store nothing wants.
pub(crate) fn plan(draft: &mut Draft<'_>, unwanted: &BTreeMap<PathBuf, ResourceId>) {
    for (path, id) in unwanted {
        let why = why(draft, id, path);
        files::remove(draft, Stage::Switch, id, path, &why);
    }
    prune_store(draft);
}

/// Why an unwanted path goes.
pub(crate) fn why(draft: &Draft<'_>, id: &ResourceId, path: &Path) -> String {
    match draft.recorded.inventory.paths.contains_key(path) {
        true => left(draft, id),
        false => "a link into the checkout that the desired state does not have".to_owned(),
    }
}

/// Why a resource is not wanted any more.
pub(crate) fn left(draft: &Draft<'_>, id: &ResourceId) -> String {
    if layout::OWN_UNITS.contains(&&*id.name) {
        return "not needed any more".to_owned();
    }
    let applied = draft.recorded.desired();
    let why = applied.and_then(|applied| applied.why_no_unit(id, draft.desired));
    why.unwrap_or_else(|| "left the desired state".to_owned())
}

/// Links into the checkout, dangling ones included, and the links that enable their units.
fn adopted_links(draft: &Draft<'_>) -> BTreeMap<PathBuf, ResourceId> {
    let mut links = BTreeMap::new();
    for (path, entry) in &draft.observed.files {
        if let Entry::Link { target, .. } = entry
            && draft.in_checkout(target)
            && let Some(id) = ResourceId::at(path)
            && matches!(id.kind, Kind::Site | Kind::Unit)
        {
            links.insert(path.clone(), id);
        }
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
    let link = |(path, entry): (&PathBuf, &Entry)| {
        let Entry::Link { target, .. } = entry else {
            return None;
        };
        let id = known.get(&layout::normal(&path.parent()?.join(target)))?;
        Some((path.clone(), id.clone()))
    };
    draft.observed.files.iter().filter_map(link).collect()
}

/// Files of the store that nothing wants any more: they go last, since a unit may still have to
/// stop with them.
fn prune_store(draft: &mut Draft<'_>) {
    let gone = draft.applied.iter();
    let gone = gone.filter(|(path, _)| !draft.tree.contains_key(*path));
    let gone: Vec<_> = gone
        .map(|(path, file)| (path.clone(), file.clone()))
        .collect();
    for (path, file) in gone {
        let live = layout::live(&path);
        if *draft.observed.entry(&live) == Entry::Missing {
            continue;
        }
        let Some(id) = ResourceId::of_stored(&path) else {
            continue;
        };
        let observed = draft.observed;
        let old = observed.content(&live).map(|content| &**content);
        let diff = super::draft::diff(&live, old, Path::new("/dev/null"), None);
        let diff = diff.filter(|_| !file.secret);
        let edited = old.is_some_and(|old| file.hash != Hash::of(old));
        let applied = draft.recorded.desired();
        let of_stack = applied.and_then(|applied| applied.why_no_unit(&id, draft.desired));
        let source = file.source.display();
        let why = match of_stack {
            Some(why) if !edited => why,
            _ if edited => format!("removed: {source}; it was edited on the host"),
            _ => format!("removed: {source}"),
        };
        let action = Effect::Store {
            path,
            file: None,
            keep: edited,
        };
        let mut planned = change(id, action, why);
        planned.diff = diff;
        draft.change(Stage::Retire, planned);
    }
}
