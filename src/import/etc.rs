//! Files below /etc that a person wrote or edited, and lines of cron.

use std::collections::BTreeMap;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::found::{Category, Found, Taken, quoted};
use super::look::{HostFile, Look, is_leftover, name_of};
use super::places::{FOLDERS, NOT_OURS, USUAL, action};
use crate::host::{HostError, Origin};
use crate::model::{Entry, Kind};

/// Where crontab(1) keeps the lines of users.
const CRONTABS: &str = "/var/spool/cron/crontabs";

/// Takes files that differ from those of their packages, and files of people in the usual places.
pub(super) fn take(look: &Look<'_>, found: &mut Found) -> Result<(), HostError> {
    if !look.owned.is_known() {
        found.leave(
            "/etc",
            "there is no dpkg to ask which files belong to packages",
        );
        return Ok(());
    }
    let mut strange: BTreeMap<String, usize> = BTreeMap::new();
    walk(look, found, Path::new("/etc"), &mut strange)?;
    for (top, files) in strange {
        let many = match files {
            1 => String::new(),
            _ => format!(" ({files} files)"),
        };
        let why = format!(
            "no package owns it, and it is in no folder that import knows: to manage it, copy it to etc/{top}"
        );
        found.leave(format!("/etc/{top}{many}"), why);
    }
    for path in look.root().list(Path::new(CRONTABS))? {
        let user = name_of(&path);
        let why = format!(
            "crontabs of users are not managed: a file in etc/cron.d can have these lines, with {user} as the sixth word"
        );
        found.leave(path.to_string_lossy(), why);
    }
    Ok(())
}

fn walk(
    look: &Look<'_>,
    found: &mut Found,
    folder: &Path,
    strange: &mut BTreeMap<String, usize>,
) -> Result<(), HostError> {
    for path in look.root().list(folder)? {
        let Ok(below) = path.strip_prefix("/etc") else {
            continue;
        };
        let below = below.to_owned();
        // Before anything of it is read.
        if NOT_OURS
            .split_whitespace()
            .any(|place| below == Path::new(place))
            || is_of_identity(&below)
        {
            continue;
        }
        match look.root().entry(&path)? {
            Entry::Directory => walk(look, found, &path, strange)?,
            of_file @ Entry::File { .. } => {
                if let Some(file) = HostFile::of(&path, of_file) {
                    entry(look, found, &file, &below, strange);
                }
            }
            Entry::Link { .. } if is_known(&below) && !look.owned.has(&path) => {
                let why = "it is a link: only regular files are taken";
                found.leave(path.to_string_lossy(), why);
            }
            Entry::Other => {
                let metadata = look.root().metadata(&path);
                if !look.owned.has(&path) || metadata.is_some_and(|one| one.is_file()) {
                    found.leave(path.to_string_lossy(), what_it_is(look, &path));
                }
            }
            Entry::Unreadable => found.leave(path.to_string_lossy(), "it cannot be read"),
            _ => {}
        }
    }
    Ok(())
}

/// Why what is no regular file, or too large a one, is left.
fn what_it_is(look: &Look<'_>, path: &Path) -> String {
    let found = look.root().metadata(path);
    let kind = found.as_ref().map(|found| found.file_type());
    let what = match (kind, &found) {
        (Some(kind), _) if kind.is_fifo() => "a pipe",
        (Some(kind), _) if kind.is_socket() => "a socket",
        (Some(kind), Some(found)) if kind.is_file() => {
            let size = found.len().div_ceil(1 << 20);
            return format!("it has {size} MiB: files of more than 8 MiB are not taken");
        }
        _ => "a device",
    };
    format!("it is {what}: only regular files are taken")
}

/// Whether people write files of this path.
fn is_known(below: &Path) -> bool {
    FOLDERS
        .split_whitespace()
        .any(|folder| below.starts_with(folder))
}

fn entry(
    look: &Look<'_>,
    found: &mut Found,
    file: &HostFile,
    below: &Path,
    strange: &mut BTreeMap<String, usize>,
) {
    let origin = look.origin(file);
    let name = below.file_name().unwrap_or_default().to_string_lossy();
    if origin == Origin::Package || is_leftover(&name) && !name.starts_with(".ht") {
        return;
    }
    let top = below.iter().next().unwrap_or_default().to_string_lossy();
    if origin == Origin::Own && !is_known(below) {
        if !USUAL.contains(&&*top) {
            *strange.entry(top.into_owned()).or_default() += 1;
        }
        return;
    }
    let from = file.path.to_string_lossy().into_owned();
    if origin == Origin::Own && name.contains("cloud-init") {
        return found.leave(from, "cloud-init writes it");
    }
    if let Some(why) = look.keeps_out(file, found) {
        return found.leave(from, why);
    }
    let path = Path::new("etc").join(below);
    let id = below.to_string_lossy();
    let mut taken = Taken::new(Category::Etc, Kind::Etc, &id, from);
    taken.add(path, file, file.mode);
    taken.settings = settings(file, below);
    found.taken.push(taken);
}

/// Accounts and keys: an edit of those is a fact of the host, not of its configuration.
pub(crate) fn is_of_identity(below: &Path) -> bool {
    let name = below.to_string_lossy();
    ["passwd", "group", "shadow", "gshadow"]
        .iter()
        .any(|start| name.starts_with(start))
        || name.starts_with("ssh/ssh_host_")
}

/// Mode, owner, and what restarts: what the file itself does not say.
pub(crate) fn settings(file: &HostFile, below: &Path) -> String {
    let mut lines = Vec::new();
    let of_git = match file.mode & 0o111 != 0 {
        true => 0o755,
        false => 0o644,
    };
    let mode = file.mode & 0o7777;
    if mode != of_git {
        lines.push(format!("mode = \"{mode:04o}\""));
    }
    if file.owner != (0, 0) {
        lines.push(format!("owner = \"{}:{}\"", file.owner.0, file.owner.1));
    }
    if let Some(action) = action(below) {
        lines.push(action.to_owned());
    }
    if lines.is_empty() {
        return String::new();
    }
    let path = quoted(&below.to_string_lossy());
    format!("[etc.{path}]\n{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_its_owner() {
        let file = |mode: u32, owner| HostFile {
            path: PathBuf::new(),
            content: Vec::new().into(),
            mode,
            owner,
        };
        for (file, path, expected) in [
            (file(0o644, (0, 0)), "cron.d/x", ""),
            (file(0o755, (0, 0)), "cron.daily/x", ""),
            (
                file(0o440, (0, 0)),
                "sudoers.d/x",
                "[etc.\"sudoers.d/x\"]\nmode = \"0440\"\n",
            ),
            (
                file(0o644, (0, 0)),
                "docker/daemon.json",
                "[etc.\"docker/daemon.json\"]\nrestart = \"docker.service\"\n",
            ),
            (
                file(0o644, (1000, 4)),
                "default/x",
                "[etc.\"default/x\"]\nowner = \"1000:4\"\n",
            ),
        ] {
            assert_eq!(settings(&file, Path::new(path)), expected, "{path}");
        }
        assert!(
            is_of_identity(Path::new("shadow"))
                && is_of_identity(Path::new("ssh/ssh_host_rsa_key"))
        );
    }
}
