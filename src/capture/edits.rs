//! Files that were edited on the host: through the link into the store, in its place, or as a copy; and drop-ins that nobody
//! put into git.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::named::Names;
use super::{Captured, Edit, Look};
use crate::effect::{Diff, Effect, Plan};
use crate::import::{HostFile, Mask, secret_line, stays_out};
use crate::model::shell::word;
use crate::model::{Entry, File, Kind, ResourceId, layout};
use crate::root::RootError;
use crate::source::merge;

/// Takes what a plan back to what was applied would undo. Returns which resources that was about.
pub(super) fn take(
    look: &Look<'_>,
    plan: &Plan,
    names: &mut Names<'_>,
    captured: &mut Captured,
) -> Result<BTreeSet<ResourceId>, RootError> {
    let mut about = BTreeSet::new();
    let changes = plan.changes.iter();
    let changes = changes.map(|change| (&change.id, Some(&change.effect), &change.diff));
    let refusals = plan.refusals.iter();
    let refusals = refusals.map(|refusal| (&refusal.id, None, &refusal.diff));
    for (id, effect, diff) in changes.chain(refusals) {
        let Some(diff) = diff else { continue };
        if diff.old.is_none() {
            continue;
        }
        let is_asked = names.has(id, &[&diff.old_path, &diff.new_path]);
        about.insert(id.clone());
        if !is_asked {
            continue;
        }
        match (effect, &diff.new) {
            (Some(Effect::Remove { path, .. }), None) => added(look, id, path, captured)?,
            (_, Some(_)) => edited(look, id, diff, captured)?,
            _ => {}
        }
    }
    Ok(about)
}

fn edited(
    look: &Look<'_>,
    id: &ResourceId,
    diff: &Diff,
    captured: &mut Captured,
) -> Result<(), RootError> {
    let tree = look.seen.desired.tree();
    let file = tree.values().find(|file| file.source == diff.new_path);
    let host = look.seen.observed.content(&diff.old_path);
    let (Some(file), Some(host)) = (file, host) else {
        return Ok(());
    };
    let from = diff.old_path.display().to_string();
    let by_hand = |look: &Look<'_>| {
        let target = look.shown(&file.source);
        format!("sudo cat {} > {target}", quoted(&diff.old_path))
    };
    if is_generated(look, file)? {
        let help = "change what it is made from in the checkout (the compose file, or watchme.toml), and undo the edit: watchme-apply drift --fix";
        let why = "this program writes it, so that the checkout has no such file";
        captured.leave(from, why, help);
        return Ok(());
    }
    if let Some(line) = new_secret(&file.content, host, look.mask) {
        let why =
            format!("line {line} looks like a password or a key, which does not belong in git");
        let by_hand = by_hand(look);
        let help = format!(
            "put the value into a file outside git, or encrypt it (docs/secrets.md); if it is not a secret: {by_hand}"
        );
        captured.leave(from, why, help);
        return Ok(());
    }
    if let Some(why) = guarded(look, &diff.old_path) {
        let by_hand = by_hand(look);
        let help = format!("encrypt it (docs/secrets.md); if it has no secrets: {by_hand}");
        captured.leave(from, format!("it stays out of git: {why}"), help);
        return Ok(());
    }
    if std::str::from_utf8(host).is_err() {
        captured.leave(from, "it is not text", by_hand(look));
        return Ok(());
    }
    let source = file.source.clone();
    if let Some(other) = captured.edits.get(&source) {
        if other.new != **host {
            let why = format!("{} was also edited, but differently", other.from);
            captured.leave(from, why, "make both the same, or remove one of them");
        }
        return Ok(());
    }
    let (now, mode) = match look.tree.entry(&Path::new("/").join(&source))? {
        Entry::File { content, mode, .. } => (content, mode & 0o777),
        Entry::Missing => {
            let (source, since) = (source.display(), &look.generation);
            let why = format!(
                "it was edited on the host, and {source} is gone from the checkout since {since}"
            );
            let help = format!("decide for one of the two; to keep it: {}", by_hand(look));
            captured.leave(from, why, help);
            return Ok(());
        }
        _ => {
            let why = format!("{} is not a regular file in the checkout", source.display());
            captured.leave(from, why, by_hand(look));
            return Ok(());
        }
    };
    if *now == **host {
        captured.already.insert(source);
        return Ok(());
    }
    // What the checkout still has of an edit that was captured and is not applied yet is no change of its own.
    let taken = look.before.files.get(&source).map(String::as_bytes);
    let still = |taken: &&[u8]| merge(&file.content, &now, taken).as_deref() == Some(&*now);
    let taken = taken.filter(still);
    let base = taken.unwrap_or(&file.content);
    let (new, merged) = match *now == *file.content || taken.is_some_and(|taken| *now == *taken) {
        true => (host.to_vec(), false),
        false => match merge(base, &now, host) {
            Some(merged) => (merged, true),
            None => {
                let (since, shown) = (&look.generation, source.display());
                let why = format!(
                    "the same lines changed on the host and, since {since}, in {shown} of the checkout"
                );
                let (old, new) = (quoted(&diff.old_path), look.shown(&source));
                let help = format!("edit the checkout's file by hand: sudo diff {old} {new}");
                captured.leave(from, why, help);
                return Ok(());
            }
        },
    };
    if new == *now {
        captured.already.insert(source);
        return Ok(());
    }
    captured.on_host.insert(source.clone(), host.to_vec());
    let edit = Edit {
        id: id.clone(),
        from,
        old: Some(now.to_vec()),
        new,
        mode,
        merged,
    };
    captured.edits.insert(source, edit);
    Ok(())
}

/// Why the name or the mode that a file has on the host keeps its edits out of git.
fn guarded(look: &Look<'_>, path: &Path) -> Option<String> {
    let observed = &look.seen.observed;
    let entry = match observed.entry(path) {
        Entry::Link {
            leads_to: Some(to), ..
        } => observed.entry(to),
        entry => entry,
    };
    let Entry::File { mode, .. } = entry else {
        return None;
    };
    // A mode that git gives it says nothing about what is in it: git has that already. One that somebody made narrower does.
    let mode = match applied_mode(look, path) {
        Some(applied) if mode & 0o777 == applied & 0o777 => 0o644,
        _ => *mode,
    };
    // The content has been looked at: only what is new in it counts.
    stays_out(path, b"", mode, (look.mask, false))
}

/// The mode that a file below /etc got.
fn applied_mode(look: &Look<'_>, path: &Path) -> Option<u32> {
    let below = path.strip_prefix("/etc").ok()?;
    Some(look.seen.desired.etc.get(below)?.mode)
}

/// Whether the checkout had no such file when it was applied.
fn is_generated(look: &Look<'_>, file: &File) -> Result<bool, RootError> {
    let lies = look.tree.entry(&Path::new("/").join(&file.source))?;
    if matches!(lies, Entry::File { content, .. } if *content == *file.content) {
        return Ok(false);
    }
    let Some(commit) = &look.commit else {
        return Ok(true);
    };
    let before = crate::reconcile::at_commit(look.host, look.request, commit);
    let Ok(before) = before else {
        return Ok(true);
    };
    let before = before.inputs.get(&file.source);
    Ok(before.is_none_or(|before| *before.content != *file.content))
}

/// The first line that is new on the host and looks like a secret.
fn new_secret(before: &[u8], host: &[u8], mask: Mask<'_>) -> Option<usize> {
    let before = String::from_utf8_lossy(before);
    let known: BTreeSet<&str> = before.lines().collect();
    let host = String::from_utf8_lossy(host);
    let mut lines = host.lines();
    let is_secret = |line: &str| {
        !known.contains(line)
            && (line.contains("PRIVATE KEY-----") || secret_line(line, mask).is_some())
    };
    lines.position(is_secret).map(|at| at + 1)
}

/// A file that nobody put into git: a drop-in of a unit of ours.
fn added(
    look: &Look<'_>,
    id: &ResourceId,
    path: &Path,
    captured: &mut Captured,
) -> Result<(), RootError> {
    let from = path.display().to_string();
    let below = path.strip_prefix(layout::SYSTEMD).ok();
    let Some(below) = below.filter(|_| id.kind == Kind::Unit) else {
        let why = "the desired state says that nothing is there";
        let help = format!("watchme-apply drift --fix --only {id}");
        captured.leave(from, why, help);
        return Ok(());
    };
    let Some(file) = HostFile::of(path, look.host.root().entry(path)?) else {
        let help = format!("ls -la {}", quoted(path));
        captured.leave(from, "it is not a regular file", help);
        return Ok(());
    };
    let target = beside(look, &id.name).join(below);
    dropin(look, id, &file, &target, captured)
}

/// Takes a drop-in to a place in the checkout.
pub(super) fn dropin(
    look: &Look<'_>,
    id: &ResourceId,
    file: &HostFile,
    target: &Path,
    captured: &mut Captured,
) -> Result<(), RootError> {
    let (path, content) = (file.path.as_path(), &file.content);
    let from = path.display().to_string();
    if let Some(why) = stays_out(path, content, file.mode, (look.mask, false)) {
        let place = look.shown(target);
        let folder = target.parent().unwrap_or(target);
        let help = format!(
            "the next apply removes it: put the value into a file of EnvironmentFile=; if it is not a secret: mkdir -p {} && sudo cat {} > {place}",
            look.shown(folder),
            quoted(path),
        );
        captured.leave(from, format!("it stays out of git: {why}"), help);
        return Ok(());
    }
    match look.tree.entry(&Path::new("/").join(target))? {
        Entry::File { content: now, .. } if now == *content => {
            captured.already.insert(target.to_owned());
        }
        Entry::Missing => {
            let edit = Edit {
                id: id.clone(),
                from,
                old: None,
                new: content.to_vec(),
                mode: 0o644,
                merged: false,
            };
            captured.edits.insert(target.to_owned(), edit);
        }
        _ => {
            let shown = target.display();
            let why = format!(
                "{shown} is in the checkout already, with another content, and was not applied yet"
            );
            let help = format!("sudo diff {} {}", quoted(path), look.shown(target));
            captured.leave(from, why, help);
        }
    }
    Ok(())
}

/// The folder of the checkout in which the file of a unit is, so that the drop-ins of a host's own unit are the host's own.
fn beside(look: &Look<'_>, unit: &str) -> PathBuf {
    let desired = &look.seen.desired;
    let found = desired.units.get(unit);
    let template = found.and_then(|unit| desired.units.get(unit.template.as_ref()?));
    let file = found
        .and_then(|unit| unit.file.as_ref())
        .or(template.and_then(|unit| unit.file.as_ref()));
    let folder = file.and_then(|file| file.source.parent());
    let folder = folder.filter(|folder| folder.ends_with("systemd"));
    folder.map_or_else(
        || look.revision.parsed.folder.join("systemd"),
        Path::to_owned,
    )
}

/// A path as a word of a shell.
pub(super) fn quoted(path: &Path) -> String {
    word(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_secret_that_is_new_keeps_a_file_out() {
        let mask = |line: &str| match line.strip_prefix("PASSWORD=") {
            Some(_) => "PASSWORD=********".to_owned(),
            None => line.to_owned(),
        };
        let before = b"PASSWORD=known\nA=1\n";
        for (host, expected) in [
            ("PASSWORD=known\nA=2\n", None),
            ("PASSWORD=known\nPASSWORD=new\n", Some(2)),
            ("-----BEGIN PRIVATE KEY-----\n", Some(1)),
        ] {
            assert_eq!(
                new_secret(before, host.as_bytes(), &mask),
                expected,
                "{host}"
            );
        }
        assert_eq!(quoted(Path::new("/a b/it's")), "'/a b/it'\\''s'");
    }
}
