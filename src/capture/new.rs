//! Files of the host that the desired state does not have, by their paths.

use std::path::{Path, PathBuf};

use super::edits::{dropin, quoted};
use super::{CaptureError, Captured, Edit, Look, settings};
use crate::import::{HostFile, NOT_OURS, etc_settings, is_of_identity, stays_out};
use crate::model::{Entry, Kind, ResourceId, layout};
use crate::root::work_tree::link_above;

/// Takes the file that is named.
pub(super) fn take(
    look: &Look<'_>,
    name: &str,
    captured: &mut Captured,
) -> Result<(), CaptureError> {
    let path = plain(Path::new(name)).ok_or_else(|| CaptureError::Unknown {
        name: name.to_owned(),
    })?;
    let entry = look.host.root().entry(&path)?;
    let is_known = look.seen.desired.tree().keys().any(|stored| {
        matches!(&entry, Entry::Link { leads_to: Some(to), .. } if *to == layout::live(stored))
    });
    let is_copy = path
        .strip_prefix("/etc")
        .is_ok_and(|below| look.seen.desired.etc.contains_key(below));
    if is_known || is_copy {
        // It is as it was applied.
        return Ok(());
    }
    let Some(file) = HostFile::of(&path, entry) else {
        return Err(CaptureError::NoFile { path });
    };
    let from = path.display().to_string();
    // What is left out is left out by its path: a link would be a way around that.
    if let Some(link) = link_above(look.host.root(), &path) {
        let why = format!("{} is a link", link.display());
        let own = look.host.root().resolve(&path).unwrap_or(path);
        let help = format!("name the file by its own path: {}", quoted(&own));
        captured.leave(from, why, help);
        return Ok(());
    }
    if path.iter().any(|part| part.eq_ignore_ascii_case(".git")) {
        let why = "no repository can have files in a folder .git";
        captured.leave(from, why, "docs/capture.md says what can be captured");
        return Ok(());
    }
    let folder = &look.revision.parsed.folder;
    if let Some(unit) = of_dropin(&path) {
        let id = ResourceId::new(Kind::Unit, unit);
        let below = path.strip_prefix(layout::SYSTEMD).unwrap_or(&path);
        let target = folder.join("systemd").join(below);
        return Ok(dropin(look, &id, &file, &target, captured)?);
    }
    let Ok(below) = path.strip_prefix("/etc") else {
        let why = "only files below /etc can be captured";
        let help = "docs/capture.md says what can be captured";
        captured.leave(from, why, help);
        return Ok(());
    };
    if is_of_identity(below)
        || NOT_OURS
            .split_whitespace()
            .any(|place| below.starts_with(place))
    {
        let place = whole_resource(below);
        let (why, help) = match place {
            Some(place) => {
                let target = look.shown(&folder.join(place));
                (
                    "the desired state does not have it: a site or a unit that is new is added whole",
                    format!(
                        "sudo cat {} > {target}; watchme-apply check; sudo watchme-apply plan",
                        quoted(&path)
                    ),
                )
            }
            None => (
                "it belongs to this host alone, and is not managed",
                "docs/capture.md says what can be captured".to_owned(),
            ),
        };
        captured.leave(from, why, help);
        return Ok(());
    }
    let target = folder.join("etc").join(below);
    if let Some(why) = stays_out(&path, &file.content, file.mode, (look.mask, false)) {
        let help = format!(
            "leave it unmanaged, or encrypt it (docs/secrets.md); if it is not a secret: sudo cat {} > {}",
            quoted(&path),
            look.shown(&target)
        );
        captured.leave(from, format!("it stays out of git: {why}"), help);
        return Ok(());
    }
    if look.tree.is_there(&Path::new("/").join(&target)) {
        captured.already.insert(target);
        return Ok(());
    }
    let id = ResourceId::new(Kind::Etc, below.to_string_lossy());
    let lines = etc_settings(&file, below);
    if !lines.is_empty() && !settings::add(look, (&id, &from), &lines, captured)? {
        let why = "watchme.toml cannot get its mode and owner as a table at its end";
        let lines: Vec<&str> = lines.lines().collect();
        captured.leave(from, why, format!("add it by hand: {}", lines.join("; ")));
        return Ok(());
    }
    let edit = Edit {
        id,
        from,
        old: None,
        mode: if file.mode & 0o111 == 0 { 0o644 } else { 0o755 },
        new: file.content.to_vec(),
        merged: false,
    };
    captured.edits.insert(target, edit);
    Ok(())
}

/// An absolute path without `..`.
fn plain(path: &Path) -> Option<PathBuf> {
    let is_plain = |part| {
        use std::path::Component::{Normal, RootDir};
        matches!(part, Normal(_) | RootDir)
    };
    let plain = path.is_absolute() && path.components().all(is_plain);
    plain.then(|| path.components().collect())
}

/// The unit that a file is a drop-in of.
fn of_dropin(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let is_conf = path.extension().is_some_and(|kind| kind == "conf");
    let name = folder.file_name()?.to_str()?.strip_suffix(".d")?;
    let is_unit = crate::source::unit::Name::parse(name).is_ok();
    (is_conf && is_unit && folder.parent() == Some(Path::new(layout::SYSTEMD)))
        .then(|| name.to_owned())
}

/// Where the checkout has a site or a unit.
fn whole_resource(below: &Path) -> Option<PathBuf> {
    for (on_host, in_checkout) in [
        ("nginx/sites-available", "sites-available"),
        ("nginx/sites-enabled", "sites-available"),
        ("systemd/system", "systemd"),
        ("containers/systemd", "containers"),
    ] {
        if let Ok(rest) = below.strip_prefix(on_host) {
            return Some(Path::new(in_checkout).join(rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_new_file_belongs() {
        for (path, unit) in [
            (
                "/etc/systemd/system/nginx.service.d/override.conf",
                Some("nginx.service"),
            ),
            ("/etc/systemd/system/nginx.service.d/x.txt", None),
            ("/etc/systemd/system/service.d/x.conf", None),
            ("/etc/x/nginx.service.d/override.conf", None),
        ] {
            assert_eq!(of_dropin(Path::new(path)).as_deref(), unit, "{path}");
        }
        assert_eq!(
            whole_resource(Path::new("nginx/sites-enabled/a")).as_deref(),
            Some(Path::new("sites-available/a"))
        );
        assert_eq!(whole_resource(Path::new("shadow")), None);
        assert_eq!(plain(Path::new("/etc/../x")), None);
        assert_eq!(plain(Path::new("etc/x")), None);
        assert_eq!(
            plain(Path::new("/etc//x")).as_deref(),
            Some(Path::new("/etc/x"))
        );
    }
}
