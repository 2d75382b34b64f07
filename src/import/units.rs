//! Units and drop-ins that a person made, and Quadlets.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::found::{Category, Found, Taken, quoted};
use super::look::{HostFile, Look, is_leftover, name_of};
use crate::host::{HostError, Origin};
use crate::model::{Entry, Kind, UnitState, layout};
use crate::source::unit::Name;

/// Where packages have their units.
const OF_PACKAGES: [&str; 3] = ["/usr/lib/systemd", "/lib/systemd", "/run/systemd"];
/// Where an administrator may have units, too, systemd.unit(5).
const LOCAL: &str = "/usr/local/lib/systemd/system";
/// Drop-ins of `systemctl set-property`.
const CONTROL: &str = "/etc/systemd/system.control";
/// Names of units that programs make for themselves: snapd.
const GENERATED: [&str; 2] = ["snap-", "snap."];

/// Takes units, drop-ins and Quadlets.
pub(super) fn take(look: &Look<'_>, found: &mut Found) -> Result<(), HostError> {
    let enabled = enabled(look)?;
    let mut refused: BTreeSet<String> = BTreeSet::new();
    for (name, entry) in &look.units {
        if Name::parse(name).is_err()
            || layout::OWN_UNITS.contains(&name.as_str())
            || GENERATED.iter().any(|start| name.starts_with(start))
        {
            continue;
        }
        let path = layout::unit(name);
        let shown = path.to_string_lossy().into_owned();
        let file = match entry {
            Entry::File { .. } => look.file(&path)?,
            Entry::Link { target, .. } if target == Path::new("/dev/null") => {
                found.leave(shown, "it is masked: the desired state has no masks");
                continue;
            }
            Entry::Link { leads_to: None, .. } => {
                found.leave(shown, "the link is broken");
                continue;
            }
            Entry::Link {
                leads_to: Some(to), ..
            } if to.starts_with(layout::SYSTEMD)
                || OF_PACKAGES.iter().any(|folder| to.starts_with(folder)) =>
            {
                continue;
            }
            Entry::Link {
                leads_to: Some(to), ..
            } => look.file(to)?,
            _ => continue,
        };
        let Some(file) = file else {
            found.leave(shown, "it is not a regular file");
            continue;
        };
        if look.origin(&file) == Origin::Package {
            continue;
        }
        match unit(look, found, name, &file, &enabled)? {
            Some(taken) => found.taken.push(taken),
            None => drop(refused.insert(name.clone())),
        }
    }
    dropins_of_others(look, found, &refused)?;
    for (folder, why) in [
        (LOCAL, "only units of /etc/systemd/system are managed"),
        (CONTROL, "systemctl set-property wrote it"),
    ] {
        let files = look.root().list(Path::new(folder))?;
        match files.as_slice() {
            [] => {}
            [only] => found.leave(only.to_string_lossy(), why),
            several => found.leave(format!("{folder} ({} files)", several.len()), why),
        }
    }
    quadlets(look, found)
}

/// A unit with its drop-ins; `None` where it is left.
fn unit(
    look: &Look<'_>,
    found: &mut Found,
    name: &str,
    file: &HostFile,
    enabled: &BTreeSet<String>,
) -> Result<Option<Taken>, HostError> {
    let from = layout::unit(name).to_string_lossy().into_owned();
    if let Some(why) = look.keeps_out(file, found) {
        found.leave(from, why);
        return Ok(None);
    }
    let mut taken = Taken::new(Category::Units, Kind::Unit, name, from.clone());
    taken.add(Path::new("systemd").join(name), file, 0o644);
    let text = String::from_utf8_lossy(&file.content).into_owned();
    environment_files(found, name, &text);
    if !dropins(look, found, name, &mut taken)? {
        let why = "one of its drop-ins is left, and an apply would remove it";
        found.leave(from, why);
        return Ok(None);
    }
    taken.settings = settings(look, name, &text, enabled);
    Ok(Some(taken))
}

/// Adds the drop-ins of a unit. Returns whether all of them are taken.
fn dropins(
    look: &Look<'_>,
    found: &mut Found,
    name: &str,
    taken: &mut Taken,
) -> Result<bool, HostError> {
    let folder = Path::new(layout::SYSTEMD).join(format!("{name}.d"));
    for path in look.root().list(&folder)? {
        if path.extension().is_none_or(|kind| kind != "conf") {
            continue;
        }
        let file = match own_file(look, found, &path)? {
            Some(Ok(file)) => file,
            Some(Err(why)) => {
                found.leave(path.to_string_lossy(), why);
                return Ok(false);
            }
            None => continue,
        };
        environment_files(found, name, &String::from_utf8_lossy(&file.content));
        let below = path.strip_prefix(layout::SYSTEMD).unwrap_or(&path);
        taken.add(Path::new("systemd").join(below), &file, 0o644);
    }
    Ok(true)
}

/// A file that no package brought, or why it cannot be taken.
fn own_file(
    look: &Look<'_>,
    found: &mut Found,
    path: &Path,
) -> Result<Option<Result<HostFile, String>>, HostError> {
    let Some(file) = look.file(path)? else {
        return Ok(Some(Err("it is not a regular file".to_owned())));
    };
    let is_own = look.origin(&file) != Origin::Package;
    Ok(is_own.then(|| look.keeps_out(&file, found).map_or(Ok(file), Err)))
}

/// Takes drop-ins for units of packages.
fn dropins_of_others(
    look: &Look<'_>,
    found: &mut Found,
    refused: &BTreeSet<String>,
) -> Result<(), HostError> {
    let folders = look.units.iter();
    let folders = folders.filter(|(_, entry)| **entry == Entry::Directory);
    for name in folders.filter_map(|(folder, _)| folder.strip_suffix(".d")) {
        let known = |taken: &Taken| taken.kind == Category::Units && taken.id.name == name;
        if refused.contains(name) || found.taken.iter().any(known) {
            continue;
        }
        let from = format!("{}/{name}.d", layout::SYSTEMD);
        if Name::parse(name).is_err() {
            if !look.root().list(Path::new(&from))?.is_empty() {
                found.leave(from, "drop-ins for several units at once are not managed");
            }
            continue;
        }
        let mut taken = Taken::new(Category::Units, Kind::Unit, name, from);
        if dropins(look, found, name, &mut taken)? && !taken.files.is_empty() {
            found.taken.push(taken);
        }
    }
    Ok(())
}

/// What watchme.toml has to say of a unit, so that an apply leaves it running or stopped, enabled or not.
fn settings(look: &Look<'_>, name: &str, text: &str, enabled: &BTreeSet<String>) -> String {
    let installs = text.lines().any(|line| line.trim() == "[Install]");
    let Ok(parsed) = Name::parse(name) else {
        return String::new();
    };
    if parsed.is_template() {
        let of_it = |other: &&String| {
            let other = Name::parse(other).ok();
            other.and_then(|other| other.template()).as_deref() == Some(name)
        };
        let instances = enabled.iter().filter(of_it);
        return instances
            .map(|name| format!("[unit.{}]\n", quoted(name)))
            .collect();
    }
    if !installs || enabled.contains(name) {
        return String::new();
    }
    let state = look.systemd.units.get(name);
    let how = match state.is_some_and(UnitState::is_active) {
        true => "runs, and is not enabled",
        false => "is neither enabled nor running",
    };
    format!("# It {how}.\n[unit.{}]\nstart = false\n", quoted(name))
}

/// Units that links in folders such as `multi-user.target.wants` enable.
fn enabled(look: &Look<'_>) -> Result<BTreeSet<String>, HostError> {
    let mut enabled = BTreeSet::new();
    for (folder, entry) in &look.units {
        let kind = Path::new(folder).extension().unwrap_or_default();
        let is_dependency = kind == "wants" || kind == "requires" || kind == "upholds";
        if *entry == Entry::Directory && is_dependency {
            for path in look.root().list(&layout::unit(folder))? {
                let name = path.file_name().and_then(|name| name.to_str());
                enabled.extend(name.map(str::to_owned));
            }
        }
        // An alias enables, too.
        if let Entry::Link {
            leads_to: Some(to), ..
        } = entry
            && to.parent() == Some(Path::new(layout::SYSTEMD))
        {
            let name = to.file_name().and_then(|name| name.to_str());
            enabled.extend(name.map(str::to_owned));
        }
    }
    Ok(enabled)
}

/// Says which files with variables a unit reads: they stay where they are.
fn environment_files(found: &mut Found, unit: &str, text: &str) {
    let lines = text.lines().map(str::trim);
    for value in lines.filter_map(|line| line.strip_prefix("EnvironmentFile=")) {
        let path = value.trim().trim_start_matches('-');
        let path = path.trim_matches(['"', '\'']);
        if path.starts_with('/') {
            found.secret(path, format!("variables of {unit}: it stays where it is"));
        }
    }
}

/// Takes Quadlets, and the files beside them.
fn quadlets(look: &Look<'_>, found: &mut Found) -> Result<(), HostError> {
    for path in look.root().list(Path::new(layout::QUADLETS))? {
        let name = name_of(&path);
        if is_leftover(&name) {
            continue;
        }
        let files: Vec<PathBuf> = match look.root().is_folder(&path) {
            true => look.root().list(&path)?,
            false => vec![path.clone()],
        };
        let (unit, from) = (made_of(&name), path.to_string_lossy());
        let mut taken = Taken::new(Category::Units, Kind::Unit, &unit, from);
        for path in files {
            match own_file(look, found, &path)? {
                Some(Ok(file)) => {
                    let below = path.strip_prefix(layout::QUADLETS).unwrap_or(&path);
                    taken.add(Path::new("containers").join(below), &file, 0o644);
                }
                Some(Err(why)) => found.leave(path.to_string_lossy(), why),
                None => {}
            }
        }
        if !taken.files.is_empty() {
            found.taken.push(taken);
        }
    }
    Ok(())
}

/// The unit that Podman makes of a Quadlet, podman-systemd.unit(5).
fn made_of(quadlet: &str) -> String {
    let quadlet = quadlet.strip_suffix(".d").unwrap_or(quadlet);
    match quadlet.rsplit_once('.') {
        Some((stem, "container" | "kube")) => format!("{stem}.service"),
        Some((stem, kind)) => format!("{stem}-{kind}.service"),
        None => quadlet.to_owned(),
    }
}
