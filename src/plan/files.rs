//! Files of the store and links to them: the part that all kinds share.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::draft::{self, Draft, Stage, change};
use crate::effect::Effect;
use crate::model::{DriftKind, Entry, File, Hash, ResourceId, layout};

/// Plans a file of the store. `shown_at` is where readers find it on the host: what is there
/// now is the old side of the diff. Returns whether it changes.
pub(crate) fn store(
    draft: &mut Draft<'_>,
    id: &ResourceId,
    path: &Path,
    file: &File,
    shown_at: &Path,
) -> bool {
    let live = layout::live(path);
    let observed = draft.observed;
    if *observed.entry(&live) == Entry::Unreadable {
        note_unreadable(draft, id, &live);
        return false;
    }
    let (present, mode) = match observed.entry(&live) {
        Entry::File { content, mode, .. } => (Some(content), *mode),
        _ => (None, 0),
    };
    if present.is_some_and(|content| **content == *file.content) && mode & 0o777 == file.mode() {
        return false;
    }
    let applied = draft.applied.get(path).map(|file| file.hash.clone());
    let edited = present.is_some_and(|content| Some(Hash::of(content)) != applied);
    let same_revision = applied.as_ref() == Some(&file.hash);
    let same_content = present.is_some_and(|content| **content == *file.content);
    let why = match (present, edited, same_revision) {
        _ if same_content && file.executable => {
            format!("{} is executable now", file.source.display())
        }
        _ if same_content => format!("{} is no longer executable", file.source.display()),
        (None, _, true) => "is gone from the store".to_owned(),
        (None, _, false) => format!("new: {}", file.source.display()),
        (Some(_), true, true) => "was edited on the host".to_owned(),
        (Some(_), true, false) => {
            format!(
                "changed: {}; it was also edited on the host",
                file.source.display()
            )
        }
        (Some(_), false, _) => format!("changed: {}", file.source.display()),
    };
    let old = observed.content(shown_at).or(present).cloned();
    let old_path = if observed.content(shown_at).is_some() {
        shown_at
    } else {
        &live
    };
    let effect = Effect::Store {
        path: path.to_owned(),
        file: Some(file.clone()),
        keep: edited,
    };
    let mut planned = change(id.clone(), effect, why);
    let diff = draft::diff(old_path, old.as_deref(), &file.source, Some(&file.content));
    planned.diff = diff.filter(|_| !file.secret);
    draft.change(Stage::Switch, planned);
    true
}

/// Plans a link at `path` that leads to `leads_to`. `target` is written when it has to be made.
/// `file` is what a reader must find behind it, for the diff of what is in its place.
pub(crate) fn link(
    draft: &mut Draft<'_>,
    id: &ResourceId,
    path: PathBuf,
    target: PathBuf,
    leads_to: &Path,
    file: Option<(&File, bool)>,
) {
    draft.wanted.insert(path.clone(), id.clone());
    let observed = draft.observed;
    let entry = observed.entry(&path);
    let (why, keep) = match entry {
        Entry::Link {
            target: present,
            leads_to: to,
        } => {
            // A link to a file that this very plan puts there dangles until the switch.
            // One that is written as wanted is right: what it leads through changes with this plan, too.
            let right = to.as_deref() == Some(leads_to)
                || *present == target
                || (to.is_none() && present == leads_to);
            if right {
                return;
            }
            let ours = draft.recorded.inventory.paths.contains_key(&path);
            match draft.in_checkout(present) {
                true => ("links into the checkout: adopted".to_owned(), false),
                false => (format!("links to {}", present.display()), !ours),
            }
        }
        Entry::Missing if draft.recorded.inventory.paths.contains_key(&path) => {
            ("is gone".to_owned(), false)
        }
        Entry::Missing => ("new".to_owned(), false),
        Entry::File { .. } => (
            "a regular file is there instead of the link".to_owned(),
            true,
        ),
        Entry::Unreadable => return note_unreadable(draft, id, &path),
        Entry::Directory | Entry::Other => {
            let what = if *entry == Entry::Directory {
                "a directory"
            } else {
                "a special file"
            };
            draft.refuse(
                id.clone(),
                format!("{what} is at {}, where a link belongs", path.display()),
                vec![format!(
                    "move it away: sudo mv {} ELSEWHERE",
                    path.display()
                )],
            );
            return;
        }
    };
    // The store's own change carries the diff already when there is one.
    let diff = file.filter(|(_, stored)| !stored).and_then(|(file, _)| {
        let old = observed.content(&path)?;
        draft::diff(&path, Some(old), &file.source, Some(&file.content))
    });
    let action = Effect::Link {
        path,
        target,
        leads_to: leads_to.to_owned(),
        keep,
    };
    let mut planned = change(id.clone(), action, why);
    planned.diff = diff;
    draft.change(Stage::Switch, planned);
}

/// Plans that nothing is at `path`.
pub(crate) fn remove(draft: &mut Draft<'_>, stage: Stage, id: &ResourceId, path: &Path, why: &str) {
    let observed = draft.observed;
    let keep = match observed.entry(path) {
        Entry::Missing => return,
        Entry::Unreadable => return note_unreadable(draft, id, path),
        Entry::Link { target, .. } => {
            !draft.recorded.inventory.paths.contains_key(path) && !draft.in_checkout(target)
        }
        Entry::File { content, .. } => !is_our_copy(draft, path, content),
        Entry::Directory | Entry::Other => {
            draft.refuse(
                id.clone(),
                format!(
                    "{} has to be removed, but is neither a file nor a link",
                    path.display()
                ),
                vec![format!(
                    "inspect it and remove it by hand: ls -la {}",
                    path.display()
                )],
            );
            return;
        }
    };
    let diff = match observed.entry(path) {
        Entry::File { content, .. } if keep => {
            draft::diff(path, Some(content), Path::new("/dev/null"), None)
        }
        _ => None,
    };
    let action = Effect::Remove {
        path: path.to_owned(),
        keep,
    };
    let mut planned = change(id.clone(), action, why);
    planned.diff = diff;
    planned.drift = DriftKind::Drifted;
    draft.change(stage, planned);
}

/// Why a drop-in of somebody else goes.
pub(crate) const FOREIGN: &str = "a drop-in that the desired state does not have";

/// Plans that drop-ins in a folder go which nobody wants and this program did not put there. `why` says it of one by its name;
/// `None` where it stays.
pub(crate) fn remove_foreign_dropins(
    draft: &mut Draft<'_>,
    id: &ResourceId,
    folder: &Path,
    why: impl Fn(&Entry, &OsStr) -> Option<&'static str>,
) {
    let observed = draft.observed;
    for (path, entry) in &observed.files {
        let is_foreign = path.parent() == Some(folder)
            && *entry != Entry::Missing
            && path.extension().is_some_and(|kind| kind == "conf")
            && !draft.wanted.contains_key(path)
            && !draft.recorded.inventory.paths.contains_key(path);
        let name = path.file_name().filter(|_| is_foreign);
        if let Some(why) = name.and_then(|name| why(entry, name)) {
            remove(draft, Stage::Switch, id, path, why);
        }
    }
}

/// What only root may read cannot be compared: that is said, not passed over.
pub(crate) fn note_unreadable(draft: &mut Draft<'_>, id: &ResourceId, path: &Path) {
    let text = format!("{} was not checked: needs root", path.display());
    draft.note(id.clone(), None, text);
}

/// Whether a regular file is a copy that an earlier run put there and nobody edited.
fn is_our_copy(draft: &Draft<'_>, path: &Path, content: &[u8]) -> bool {
    path.strip_prefix("/etc").is_ok_and(|relative| {
        let stored = Path::new(layout::store::ETC).join(relative);
        draft
            .applied
            .get(&stored)
            .is_some_and(|file| *file.content == *content)
    })
}
