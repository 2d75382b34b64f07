//! Writes into the checkout, as the user who owns it has files there. No link is written through.

use std::path::Path;

use super::{CaptureError, Captured};
use crate::host::Host;
use crate::model::Entry;
use crate::reconcile::{self, Request};
use crate::root::Root;
use crate::root::work_tree::{Writing, demand_plain_folders};
use crate::state::State;

/// Writes all edits. Where the checkout cannot be read with them, it gets its files back.
///
/// # Errors
/// When a file changed since it was looked at, when a link is on the way to it, and when the file system refuses.
pub(crate) fn write(
    host: &Host,
    request: &Request,
    captured: &Captured,
) -> Result<(), CaptureError> {
    let tree = Root::open(&captured.checkout)?;
    demand_plain_folders(&tree, captured.edits.keys())?;
    for (path, edit) in &captured.edits {
        let is = match tree.entry(&Path::new("/").join(path))? {
            Entry::File { content, .. } => Some(content),
            Entry::Missing => None,
            _ => return Err(changed(path)),
        };
        if is.as_deref() != edit.old.as_deref() {
            return Err(changed(path));
        }
    }
    let mut writing = Writing::new(&tree);
    let done = put(&mut writing, captured).and_then(|()| read(host, request));
    if done.is_err() {
        writing.undo();
    }
    done?;
    remember(host, captured);
    Ok(())
}

/// Notes what the host had, for the next capture before an apply.
fn remember(host: &Host, captured: &Captured) {
    let mut files = captured.before.clone();
    let taken = captured.on_host.iter();
    for (path, content) in taken.filter(|(path, _)| captured.edits.contains_key(*path)) {
        if let Ok(text) = std::str::from_utf8(content) {
            files.files.insert(path.clone(), text.to_owned());
        }
    }
    if files != captured.before
        && let Err(error) = State::new(host.root().clone()).write_captured(&files)
    {
        // The next edit of the same lines is called a conflict then.
        tracing::warn!(%error, "the record of captures could not be written");
    }
}

fn changed(path: &Path) -> CaptureError {
    CaptureError::Changed {
        path: path.to_owned(),
    }
}

fn put(writing: &mut Writing<'_>, captured: &Captured) -> Result<(), CaptureError> {
    for (path, edit) in &captured.edits {
        writing.write(path, &edit.new, edit.mode)?;
    }
    Ok(())
}

/// Whether the checkout can be read.
fn read(host: &Host, request: &Request) -> Result<(), CaptureError> {
    match reconcile::work_tree(host, request) {
        Ok(_) => Ok(()),
        Err(error) => Err(CaptureError::Broken {
            source: Box::new(error),
        }),
    }
}
