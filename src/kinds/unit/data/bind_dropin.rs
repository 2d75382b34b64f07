//! The drop-in that makes a unit use what was applied.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Unit;
use crate::model::{File, layout};

/// The drop-in that makes `unit` use what was applied, so that a `git pull` alone changes
/// nothing that runs: the files that it names are bound over their checkout paths,
/// systemd.exec(5), `BindReadOnlyPaths=`. Environment files are read by the manager itself,
/// outside of that, so they are named anew.
pub(super) fn of(unit: &Unit, files: &BTreeMap<PathBuf, File>) -> Option<File> {
    let mut text = String::from(
        "# Written by watchme-apply: what runs is what was applied, whatever the checkout holds.\n[Service]\n",
    );
    let mut any = false;
    for path in &unit.names {
        let Some(file) = files.get(path) else {
            continue;
        };
        let stored = layout::live(PathBuf::from(layout::store::FILES).join(&file.source));
        if stored == *path {
            continue;
        }
        text.push_str(&format!(
            "BindReadOnlyPaths={}:{}\n",
            escape(&stored.to_string_lossy()),
            escape(&path.to_string_lossy())
        ));
        any = true;
    }
    text.push_str(&compose_line(unit));
    text.push_str(&environment_lines(unit, files));
    any.then(|| File::new(layout::BIND_DROPIN, text.into_bytes(), false))
}

/// The environment files of `unit` with stored ones in the place of those in the checkout;
/// nothing when none is stored. An empty value forgets the list so far.
fn environment_lines(unit: &Unit, files: &BTreeMap<PathBuf, File>) -> String {
    let stored = |value: &str| {
        let path = value.trim_start_matches('-');
        let file = files.get(Path::new(path))?;
        let live = layout::live(PathBuf::from(layout::store::FILES).join(&file.source));
        let optional = if value.starts_with('-') { "-" } else { "" };
        Some(format!("{optional}{}", live.display()))
    };
    if !unit
        .environment_files
        .iter()
        .any(|value| stored(value).is_some())
    {
        return String::new();
    }
    let mut text = String::from("EnvironmentFile=\n");
    for value in &unit.environment_files {
        let value = stored(value).unwrap_or_else(|| value.clone());
        text.push_str(&format!("EnvironmentFile={}\n", value.replace('%', "%%")));
    }
    text
}

/// Names the compose files that a call without `-f` finds, so that it finds no others: an override
/// file that a pull brings would be taken at the next start. `COMPOSE_FILE` is compose's own variable,
/// <https://docs.docker.com/compose/how-tos/environment-variables/envvars/#compose_file>.
fn compose_line(unit: &Unit) -> String {
    let files: Vec<_> = unit
        .compose_files
        .iter()
        .map(|file| file.to_string_lossy())
        .collect();
    // The separator of the list cannot stand in one of its names.
    if files.is_empty() || files.iter().any(|file| file.contains(':')) {
        return String::new();
    }
    let value = format!("COMPOSE_FILE={}", files.join(":"));
    let value = value.replace('\\', "\\\\").replace('%', "%%");
    format!("Environment=\"{}\"\n", value.replace('"', "\\\""))
}

/// Quotes a path for a unit's setting: `%` is a specifier, `:` separates, spaces split.
fn escape(path: &str) -> String {
    let escaped = path
        .replace('\\', "\\\\")
        .replace('%', "%%")
        .replace(':', "\\:")
        .replace('"', "\\\"");
    match escaped.contains(char::is_whitespace) {
        true => format!("\"{escaped}\""),
        false => escaped,
    }
}
