//! The file of the store that the unit of a stack has laid over its compose files, and its calls without it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Settings;
use crate::model::layout;

/// The settings by which the unit of a stack calls compose, systemd.service(5).
const CALLS: [&str; 2] = ["ExecStart", "ExecReload"];

/// The key of that file under which services have the names of their configs and secrets.
pub const USERS: &str = "x-watchme-apply";

/// The file of the store that is laid over the compose files of a stack.
pub fn laid_over(settings: &Settings) -> Option<PathBuf> {
    let starts = settings.list("Service", "ExecStart");
    let (_, path, _) = starts.iter().find_map(|start| parts(&start.text))?;
    Some(PathBuf::from(path))
}

/// The drop-in with which a stack calls compose with another file in the place of that one, or with none.
pub fn laid_over_instead(settings: &Settings, other: Option<&Path>) -> String {
    let mut text = String::from(
        "# Written by watchme-apply for one call of compose: containers stay as they were adopted.\n[Service]\n",
    );
    for key in CALLS {
        text.push_str(&format!("{key}=\n"));
        for value in settings.list("Service", key) {
            let command = match parts(&value.text) {
                Some((before, _, after)) => {
                    let other = other.map(|path| format!(" --file {}", path.display()));
                    format!("{before}{}{after}", other.unwrap_or_default())
                }
                None => value.text,
            };
            text.push_str(&format!("{key}={command}\n"));
        }
    }
    text
}

/// What is laid over compose files, without these services; `None` where nothing is left.
pub fn without_services(text: &[u8], services: &BTreeSet<String>) -> Option<Vec<u8>> {
    let mut whole: Value = serde_json::from_slice(text).ok()?;
    let left = whole.get_mut("services")?.as_object_mut()?;
    left.retain(|name, _| !services.contains(name));
    if left.is_empty() {
        return None;
    }
    let mut used = BTreeSet::new();
    if let Some(users) = whole.get_mut(USERS).and_then(Value::as_object_mut) {
        users.retain(|name, _| !services.contains(name));
        let names = users.values().filter_map(Value::as_array).flatten();
        used.extend(names.filter_map(Value::as_str).map(str::to_owned));
    }
    // docker-compose 1 makes a container anew where the path of one of its secrets is another.
    for key in ["configs", "secrets"] {
        if let Some(files) = whole.get_mut(key).and_then(Value::as_object_mut) {
            files.retain(|name, _| used.contains(name));
        }
    }
    Some(whole.to_string().into_bytes())
}

/// A command as what comes before its option `--file` that names a file of the store, that file, and the rest. A name is
/// quoted where it has to be.
fn parts(command: &str) -> Option<(String, String, String)> {
    for (begin, end) in [(" --file ", ' '), (" --file \"", '"')] {
        let mark = format!("{begin}{}/", layout::LIVE);
        let Some((before, rest)) = command.split_once(&mark) else {
            continue;
        };
        let (named, after) = rest.split_once(end)?;
        let named = named.replace("%%", "%").replace("$$", "$");
        let path = format!("{}/{named}", layout::LIVE);
        let after = format!(" {}", after.trim_start());
        return Some((before.to_owned(), path, after));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::settings_of;
    use super::*;

    #[test]
    fn calls_without_what_is_laid_over() {
        for (file, path, expected) in [
            (
                "docker compose --file a.yml --file /etc/watchme-apply/live/files/a/m.json --project-name x up --detach",
                Some("/etc/watchme-apply/live/files/a/m.json"),
                "docker compose --file a.yml --project-name x up --detach",
            ),
            (
                "docker compose --file a.yml --file \"/etc/watchme-apply/live/files/a b/m%%.json\" up --detach",
                Some("/etc/watchme-apply/live/files/a b/m%.json"),
                "docker compose --file a.yml up --detach",
            ),
            (
                "docker compose --file a.yml up --detach",
                None,
                "docker compose --file a.yml up --detach",
            ),
        ] {
            let settings =
                settings_of(&[&format!("[Service]\nExecStart={file}\nExecReload={file}\n")]);
            assert_eq!(laid_over(&settings), path.map(PathBuf::from), "{file}");
            let dropin = laid_over_instead(&settings, None);
            let lines: Vec<&str> = dropin.lines().skip(2).collect();
            let [start, reload] = CALLS.map(|key| format!("{key}={expected}"));
            assert_eq!(lines, ["ExecStart=", &start, "ExecReload=", &reload]);
        }
        let settings = settings_of(&[
            "[Service]\nExecStart=compose --file /etc/watchme-apply/live/m.json up\n",
        ]);
        let dropin = laid_over_instead(&settings, Some(Path::new("/run/x.json")));
        assert!(
            dropin.contains("ExecStart=compose --file /run/x.json up\n"),
            "{dropin}"
        );
    }

    #[test]
    fn services_are_left_out() {
        let text = br#"{"services":{"a":{"labels":{}},"b":{}},"secrets":{"s":{"file":"/x"},"t":{"file":"/y"}},"x-watchme-apply":{"a":["s"],"b":["t"]}}"#;
        let without = |services: &[&str]| {
            let services = services.iter().map(|name| (*name).to_owned()).collect();
            let left = without_services(text, &services);
            left.map(|left| String::from_utf8(left).unwrap())
        };
        assert_eq!(
            without(&["a"]).as_deref(),
            Some(
                r#"{"secrets":{"t":{"file":"/y"}},"services":{"b":{}},"x-watchme-apply":{"b":["t"]}}"#
            )
        );
        assert_eq!(without(&["a", "b"]), None);
    }
}
