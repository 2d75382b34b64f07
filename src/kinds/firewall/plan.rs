//! What makes the table, its file and its unit as desired.

use std::path::{Path, PathBuf};

use super::{NFT, own_paths, refuse, ufw};
use crate::effect::{Diff, Effect};
use crate::kinds::Unwanted;
use crate::model::{Entry, File, Firewall, Kind, ResourceId, UfwMode, layout};
use crate::plan::draft::{self, Draft, Stage, change};
use crate::plan::{files, prune};

/// What `firewall` in watchme.toml is called in diffs.
const SOURCE: &str = "watchme.toml [firewall]";

/// The file that the kernel gets at boot, and the unit that gives it.
pub(super) fn files(draft: &mut Draft<'_>, id: &ResourceId, firewall: &Firewall) {
    let [rules, unit, link] = own_paths();
    let state = draft.observed.firewall.as_ref();
    let program = state.and_then(|state| state.program.clone());
    let program = program.unwrap_or_else(|| NFT.into());
    // Who may reach what is the diff of the table; an offline root has none.
    let before = applied(draft);
    let diff = match state {
        None if before != Some(firewall) => reach(before, Some(firewall)),
        _ => None,
    };
    copy(draft, id, &rules, firewall.rules(), diff);
    copy(draft, id, &unit, unit_text(&program), None);
    files::link(draft, id, link, unit.clone(), &unit, None);
}

/// The firewall that was applied last.
pub(super) fn applied<'a>(draft: &Draft<'a>) -> Option<&'a Firewall> {
    draft.recorded.desired()?.firewalls.values().next()
}

fn copy(draft: &mut Draft<'_>, id: &ResourceId, path: &Path, text: String, diff: Option<Diff>) {
    let mode = 0o644;
    draft.wanted.insert(path.to_owned(), id.clone());
    let observed = draft.observed;
    let file = File::new(SOURCE, text.into_bytes(), false);
    let known = draft.recorded.inventory.paths.contains_key(path);
    let (why, keep) = match observed.entry(path) {
        Entry::File {
            content, mode: has, ..
        } if **content == *file.content => match has & 0o7777 == mode {
            true => return,
            false => (
                format!("mode {:04o} instead of {mode:04o}", has & 0o7777),
                false,
            ),
        },
        Entry::File { content, .. } => match was_written(draft, path, content) {
            true => ("changed".to_owned(), false),
            false => ("was edited on the host".to_owned(), true),
        },
        Entry::Missing if known => ("is gone".to_owned(), false),
        Entry::Missing => ("new".to_owned(), false),
        Entry::Link { target, .. } => (format!("links to {}", target.display()), true),
        Entry::Unreadable => return files::note_unreadable(draft, id, path),
        Entry::Directory | Entry::Other => {
            let why = format!("there is no regular file at {}", path.display());
            draft.refuse(id.clone(), why, vec![format!("ls -la {}", path.display())]);
            return;
        }
    };
    let diff = match keep {
        true => {
            let old = observed.content(path).map(|content| &**content);
            draft::diff(path, old, &file.source, Some(&file.content))
        }
        false => diff,
    };
    let effect = Effect::Copy {
        path: path.to_owned(),
        file,
        mode,
        owner: "root:root".to_owned(),
        keep,
    };
    let mut planned = change(id.clone(), effect, why);
    planned.diff = diff;
    draft.change(Stage::Switch, planned);
}

/// Whether a file is as an earlier run has left it.
fn was_written(draft: &Draft<'_>, path: &Path, content: &[u8]) -> bool {
    match path == Path::new(layout::FIREWALL_RULES) {
        true => applied(draft).is_some_and(|applied| applied.rules().as_bytes() == content),
        // Another version of this program may have written it.
        false => draft.recorded.inventory.paths.contains_key(path),
    }
}

/// The table in the kernel.
pub(super) fn table(draft: &mut Draft<'_>, id: &ResourceId, firewall: &Firewall) {
    let observed = draft.observed;
    let Some(state) = &observed.firewall else {
        return;
    };
    if state.program.is_none() && draft.brings_packages() {
        let text = "there is no nft on this host yet: it is looked for again once the packages are installed";
        draft.note(id.clone(), None, text);
        return;
    }
    if state.program.is_none() {
        let why = "there is no nft on this host, which loads the rules of a firewall";
        let help = "apt-get install nftables, or take [firewall] out of watchme.toml";
        draft.refuse(id.clone(), why, vec![help.to_owned()]);
        return;
    }
    if let Some(why) = &state.silent {
        let text = format!("the table was not checked: {why}");
        draft.note(id.clone(), None, text);
        return;
    }
    let wanted = match &state.wanted {
        Some(Ok(wanted)) => wanted,
        Some(Err(said)) => return refuse::rules(draft, id, said),
        None => return,
    };
    if state.loaded.as_ref() == Some(wanted) {
        return;
    }
    if firewall.ufw == UfwMode::Refuse {
        refuse::lock_out(draft, id, firewall, state);
    }
    let before = applied(draft);
    let is_ours = before == Some(firewall);
    let why = match (&state.loaded, is_ours) {
        (None, true) => "is gone from the kernel",
        (None, false) => "new",
        (Some(_), true) => "was edited on the host",
        (Some(_), false) => "changed",
    };
    let diff = match (&state.loaded, is_ours) {
        (Some(loaded), true) => lines(loaded, wanted),
        (None, true) => None,
        _ => reach(before, Some(firewall)),
    };
    let mut planned = change(id.clone(), Effect::LoadFirewall(firewall.rules()), why);
    planned.diff = diff;
    // Before anything starts that it is to protect.
    draft.change(Stage::Etc, planned);
}

/// How the rules in the kernel differ from those that belong there.
fn lines(loaded: &str, wanted: &str) -> Option<Diff> {
    let (old, new) = (Some(loaded.as_bytes()), Some(wanted.as_bytes()));
    draft::diff(Path::new("nft list table"), old, Path::new(SOURCE), new)
}

/// Who may reach what, before and after.
fn reach(before: Option<&Firewall>, after: Option<&Firewall>) -> Option<Diff> {
    let of = |firewall: Option<&Firewall>| firewall.map(|one| one.reach().into_bytes());
    let (old, new) = (of(before), of(after));
    let path = Path::new("who may reach what");
    draft::diff(path, old.as_deref(), path, new.as_deref())
}

/// A firewall that left goes last, when what takes its place serves, and when what leaves in the same run has stopped: at no
/// time is that open to everybody.
pub(super) fn retire(draft: &mut Draft<'_>, unwanted: &mut Unwanted) {
    let own = unwanted.iter().filter(|(_, id)| id.kind == Kind::Firewall);
    let own: Vec<(PathBuf, ResourceId)> =
        own.map(|(path, id)| (path.clone(), id.clone())).collect();
    let Some((_, id)) = own.first().cloned() else {
        return;
    };
    let state = draft.observed.firewall.as_ref();
    if state.is_some_and(|state| state.loaded.is_some()) {
        let why = prune::left(draft, &id);
        let mut removal = change(id.clone(), Effect::RemoveFirewall, why);
        removal.diff = reach(applied(draft), None);
        draft.change(Stage::Forget, removal);
    }
    ufw::retire(draft, &id);
    for (path, id) in own {
        unwanted.remove(&path);
        if *draft.observed.entry(&path) == Entry::Missing {
            continue;
        }
        let why = prune::why(draft, &id, &path);
        let keep = match draft.observed.entry(&path) {
            Entry::File { content, .. } => !was_written(draft, &path, content),
            _ => false,
        };
        let effect = Effect::Remove { path, keep };
        draft.change(Stage::Retire, change(id, effect, why));
    }
}

/// Before any interface is up and before anything that listens. After nftables.service, whose file begins with `flush
/// ruleset` on Debian. Without `DefaultDependencies=`, which would put it after all that sysinit.target wants; then that target
/// does not wait by itself for what it wants: systemd.target(5), "Default Dependencies".
fn unit_text(program: &Path) -> String {
    format!(
        "# Written by watchme-apply.
[Unit]
Description=Firewall of watchme-apply
DefaultDependencies=no
Wants=network-pre.target
After=local-fs.target systemd-modules-load.service nftables.service
Before=sysinit.target network-pre.target docker.service podman.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={program} -f {rules}

[Install]
WantedBy=sysinit.target
",
        program = program.display(),
        rules = layout::FIREWALL_RULES,
    )
}
