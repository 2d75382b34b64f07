//! Writes into the checkout, as the user who owns it has files there. No link leads out of it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::{CaptureError, Captured};
use crate::host::Host;
use crate::model::Entry;
use crate::reconcile::{self, Request};
use crate::root::Root;

/// What was at a path before, with its mode and owner.
type Before = BTreeMap<PathBuf, Option<(Vec<u8>, u32, (u32, u32))>>;

/// Writes all edits. Where the checkout cannot be read with them, it gets its files back.
///
/// # Errors
/// When a file changed since it was looked at, and when the file system refuses.
pub(crate) fn write(
    host: &Host,
    request: &Request,
    captured: &Captured,
) -> Result<(), CaptureError> {
    let tree = Root::open(&captured.checkout)?;
    let mut before = Before::new();
    for (path, edit) in &captured.edits {
        let place = Path::new("/").join(path);
        let is = match tree.entry(&place)? {
            Entry::File {
                content,
                mode,
                owner,
                ..
            } => Some((content.to_vec(), mode & 0o7777, owner)),
            Entry::Missing => None,
            _ => return Err(changed(path)),
        };
        if is.as_ref().map(|(content, ..)| content) != edit.old.as_ref() {
            return Err(changed(path));
        }
        before.insert(place, is);
    }
    let mut made = Vec::new();
    let written = put(&tree, captured, &before, &mut made);
    let read = written.and_then(|()| match reconcile::work_tree(host, request) {
        Ok(_) => Ok(()),
        Err(error) => Err(CaptureError::Broken {
            source: Box::new(error),
        }),
    });
    if read.is_err() {
        restore(&tree, &before, &made);
    }
    read
}

fn changed(path: &Path) -> CaptureError {
    CaptureError::Changed {
        path: path.to_owned(),
    }
}

/// Writes, and says which folders were made.
fn put(
    tree: &Root,
    captured: &Captured,
    before: &Before,
    made: &mut Vec<PathBuf>,
) -> Result<(), CaptureError> {
    let metadata = tree.metadata(Path::new("/"));
    let of_checkout = metadata.map(|found| (found.uid(), found.gid()));
    let as_root = Uid::effective().is_root();
    for (path, edit) in &captured.edits {
        let place = Path::new("/").join(path);
        let known = before.get(&place).and_then(Option::as_ref);
        let owner = known.map(|(_, _, owner)| *owner).or(of_checkout);
        let owner = owner.filter(|_| as_root);
        let folders = place.ancestors().skip(1);
        let mut new: Vec<&Path> = folders.filter(|folder| !tree.is_folder(folder)).collect();
        while let Some(folder) = new.pop() {
            tree.make_folder(folder)?;
            made.push(folder.to_owned());
            if let Some(owner) = owner {
                tree.set_owner(folder, owner)?;
            }
        }
        tree.write_owned(&place, &edit.new, edit.mode, owner)?;
    }
    Ok(())
}

/// What was there comes back, as far as that goes: git has it, too.
fn restore(tree: &Root, before: &Before, made: &[PathBuf]) {
    for (place, was) in before {
        let done = match was {
            Some((content, mode, owner)) => {
                let owner = Some(*owner).filter(|_| Uid::effective().is_root());
                tree.write_owned(place, content, *mode, owner)
            }
            None => tree.remove(place),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "a file of the checkout was not restored");
        }
    }
    made.iter()
        .rev()
        .for_each(|folder| tree.remove_empty(folder));
}
