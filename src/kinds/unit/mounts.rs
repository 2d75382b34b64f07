//! What containers mount of the checkout as it is there: git changes it, and a rollback does not change it back.

use std::path::PathBuf;

use super::replacement;
use crate::model::{Desired, ResourceId, Unit};
use crate::plan::draft::Draft;

/// Says of a changed unit what a rollback of it would not bring back.
pub(super) fn note(draft: &mut Draft<'_>, id: &ResourceId, name: &str, unit: &Unit) {
    let changed = changed(draft, name, unit);
    let Some(first) = changed.first() else {
        return;
    };
    let more = match changed.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let help = match unit.stack.is_some() {
        true => "",
        false => "; a stack has the files that it mounts from the store",
    };
    let text = format!(
        "its containers mount {}{more} from the checkout itself: after a rollback they still have the new content until the old revision is checked out{help}",
        first.display()
    );
    draft.note(id.clone(), None, text);
}

/// The paths whose content another revision changed, and which are mounted from the checkout.
fn changed(draft: &Draft<'_>, name: &str, unit: &Unit) -> Vec<PathBuf> {
    let (Some(before), Some(applied)) =
        (replacement::before(draft, name), draft.recorded.desired())
    else {
        return Vec::new();
    };
    let folders = unit.stacks.iter().flat_map(|stack| &stack.folders);
    let is_other = |path: &PathBuf, hash| {
        let mut known = before.stacks.iter().map(|stack| &stack.folders);
        known.any(|known| known.get(path).is_some_and(|known| known != hash))
    };
    let folders = folders.filter(|(path, hash)| is_other(path, *hash));
    let mut changed: Vec<PathBuf> = folders.map(|(path, _)| path.clone()).collect();
    let is_stored = |path: &PathBuf| {
        let mut stacks = unit.stacks.iter().flat_map(|stack| stack.stored.values());
        stacks.any(|stored| stored.contains(path))
    };
    let hash =
        |desired: &Desired, path: &PathBuf| desired.files.get(path).map(|file| file.hash.clone());
    let is_other = |path: &&PathBuf| {
        let (now, known) = (hash(draft.desired, path), hash(applied, path));
        now.zip(known).is_some_and(|(now, known)| now != known)
    };
    let files = unit.mounts.iter().filter(|path| !is_stored(path));
    changed.extend(files.filter(is_other).cloned());
    changed
}
