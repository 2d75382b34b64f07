//! How the work tree differs from what was read of a commit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::load::inputs::{Read, is_backup};
use super::load::{Inputs, Loaded};
use super::tree::Node;

/// Inputs of the commit that differ in the work tree, and files there that would be
/// inputs and are not in the commit.
pub(super) fn dirty(read: &Read, lies: &Inputs, loaded: &Loaded) -> Vec<PathBuf> {
    let mut dirty = BTreeSet::new();
    for (path, file) in &read.found {
        // What cannot be read is not what the commit says, either.
        let same = matches!(
            lies.tree.read(path),
            Ok(Some((content, executable)))
                if *content == *file.content && executable == file.executable
        );
        if !same {
            dirty.insert(path.clone());
        }
    }
    let new = |path: &Path| {
        !lies.left_out(path) && !matches!(lies.node(path), Ok(None | Some((_, Node::Folder))))
    };
    let needed = loaded.missing.iter().filter(|missing| missing.needed);
    let missing = needed.map(|missing| &missing.relative).chain(&read.absent);
    dirty.extend(missing.filter(|path| new(path)).cloned());
    for (folder, known) in &read.folders {
        new_files(lies, folder, known, &mut dirty, 0);
    }
    // Compose builds from the work tree.
    let changed = |folder: &PathBuf| {
        let ignored = lies.ignored;
        ignored.map_or_else(Vec::new, |ignored| ignored.changed_below(folder))
    };
    let built = read.contexts.iter().flat_map(changed);
    dirty.extend(built.filter(|path| !lies.left_out(path)));
    let mounted = read.mounted.iter().flat_map(changed);
    dirty.extend(mounted.filter(|path| lies.is_tracked(path, false)));
    dirty.into_iter().collect()
}

/// Files below a folder of the work tree that are not in the commit.
fn new_files(
    lies: &Inputs,
    folder: &Path,
    known: &BTreeSet<String>,
    dirty: &mut BTreeSet<PathBuf>,
    depth: usize,
) {
    // A name that is no name is an input as little as it is a resource: it is listed by git.
    let names = lies.tree.list(folder).unwrap_or_default();
    for name in names
        .into_iter()
        .filter(|name| !known.contains(name) && !is_backup(name))
    {
        let path = folder.join(name);
        if lies.left_out(&path) {
            continue;
        }
        match lies.node(&path) {
            Ok(Some((_, Node::Folder))) if depth < 16 => {
                new_files(lies, &path, &BTreeSet::new(), dirty, depth + 1);
            }
            Ok(None | Some((_, Node::Folder))) => {}
            Ok(Some(_)) | Err(_) => {
                dirty.insert(path);
            }
        }
    }
}

/// Decides about files that units name and the revision lacks: those that are in the checkout
/// without being in git are watched; of those that are nowhere a warning is given.
pub(super) fn resolve_missing(loaded: &mut Loaded, lies: Option<&Inputs>, dirty: &[PathBuf]) {
    for missing in std::mem::take(&mut loaded.missing) {
        let there = lies.is_some_and(|lies| {
            matches!(
                lies.node(&missing.relative),
                Ok(Some((_, Node::File { .. })))
            )
        });
        let ignored = there && lies.is_some_and(|lies| lies.left_out(&missing.relative));
        if ignored {
            if let Some(unit) = loaded.desired.units.get_mut(&missing.unit) {
                unit.watched.insert(missing.path.clone());
            }
        } else if missing.needed && !dirty.contains(&missing.relative) {
            loaded.warnings.push(missing.warning());
            if lies.is_some_and(|lies| !lies.left_out(&missing.relative)) {
                loaded.parsed.missing.push(missing);
            }
        }
    }
}
