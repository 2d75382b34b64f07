//! Unit files, drop-ins, and systemd's own settings.

use std::path::{Path, PathBuf};

use systemd_unit::exec;
use systemd_unit::parse::{Entry, parse};

use super::{Named, is_code, is_ours};
use crate::model::Desired;

/// Programs that run the file that they are given.
const INTERPRETERS: [&str; 8] = [
    "python", "perl", "ruby", "node", "php", "awk", "lua", "source",
];
/// Variables that make programs load libraries or run files.
const LOADERS: [&str; 12] = [
    "LD_PRELOAD",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "GCONV_PATH",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "BASH_ENV",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONPATH",
    "NODE_OPTIONS",
];

pub(super) fn named(text: &str, desired: &Desired) -> Vec<Named> {
    let parsed = parse(text);
    let entries = || parsed.sections.iter().flat_map(|section| &section.entries);
    let last = |key: &str| entries().rfind(|entry| entry.key == key);
    let user = last("User").map_or("", |entry| entry.value.as_str());
    let is_roots = matches!(user, "" | "root" | "0");
    let folder =
        last("WorkingDirectory").map(|entry| PathBuf::from(entry.value.trim_start_matches('-')));
    let mut found = Vec::new();
    for entry in entries() {
        let before = text.get(..entry.key_span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let mut add = |what: String| found.push((line, what));
        if entry.key.starts_with("Exec") && entry.key != "ExecSearchPath" {
            for path in commands(entry, is_roots, folder.as_deref(), desired) {
                add(format!(
                    "it runs {}, which comes with the commit",
                    path.display()
                ));
            }
        } else if entry.key.ends_with("Environment") {
            for name in LOADERS.iter().filter(|name| sets(&entry.value, name)) {
                add(format!(
                    "its programs would load what {name} names: {}",
                    entry.value
                ));
            }
        }
    }
    found
}

/// Whether an assignment of `Environment=` sets a variable.
fn sets(value: &str, name: &str) -> bool {
    value.match_indices(name).any(|(at, _)| {
        let before = value.get(..at).and_then(|text| text.chars().next_back());
        let after = value.get(at + name.len()..).unwrap_or_default();
        after.starts_with('=') && !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// The files of the commit that the commands of a setting run as root.
fn commands(
    entry: &Entry,
    is_roots: bool,
    folder: Option<&Path>,
    desired: &Desired,
) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for command in exec::parse(&entry.value).unwrap_or_default() {
        if !is_roots && !command.prefix.contains(['+', '!']) {
            continue;
        }
        let words: Vec<String> = command.words.into_iter().map(|word| word.text).collect();
        for words in exec::runs(&words) {
            found.extend(files(&words, folder, desired));
        }
    }
    found.dedup();
    found
}

fn files(words: &[String], folder: Option<&Path>, desired: &Desired) -> Vec<PathBuf> {
    let program = words.first().map_or("", String::as_str);
    let base = exec::base(program);
    let reads = exec::is_shell(program)
        || base == "."
        || INTERPRETERS.iter().any(|name| base.starts_with(name));
    let mut first = true;
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if word.starts_with('-') {
            continue;
        }
        let is_script = at > 0 && reads && std::mem::take(&mut first);
        let path = match (word.starts_with('/'), folder) {
            (true, _) => PathBuf::from(word),
            (false, Some(folder)) if word.contains('/') || is_script => {
                folder.join(word.trim_start_matches("./"))
            }
            _ => continue,
        };
        if is_code(&path, desired) || ((at == 0 || is_script) && is_ours(&path, desired)) {
            found.push(path);
        }
    }
    found
}
