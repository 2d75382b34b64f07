//! What systemd knows: sections, settings and units, from lists that are next to this file.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};
use source_text::{Version, Versions, nearest, word_list};

use crate::Name;
use crate::name::TYPES;
use crate::values::kind_of;

/// Sections of the unit types besides `[Unit]` and `[Install]`: a type has its own section, even where no setting belongs there.
const OWN_SECTIONS: [&str; 11] =
    word_list("Service Socket Timer Target Path Mount Automount Slice Swap Device Scope");
/// Sections whose settings are also those of systemd.exec(5).
const EXECS: [&str; 4] = ["Service", "Socket", "Mount", "Swap"];
/// Sections whose settings are also those of systemd.resource-control(5).
const CONTEXTS: [&str; 6] = ["Service", "Socket", "Mount", "Swap", "Slice", "Scope"];

static KEYS: LazyLock<BTreeMap<&str, BTreeMap<&str, &str>>> =
    LazyLock::new(|| sections(include_str!("tables/keys.txt")));
static LATER: LazyLock<BTreeMap<&str, BTreeMap<&str, &str>>> =
    LazyLock::new(|| sections(include_str!("tables/later_keys.txt")));
/// Names that settings list, by what they are.
static NAMES: LazyLock<FxHashMap<&str, FxHashSet<&str>>> = LazyLock::new(|| {
    let lists = sections(include_str!("tables/names.txt")).into_iter();
    lists
        .map(|(list, names)| (list, names.into_keys().collect()))
        .collect()
});
/// What each setting takes, and which versions know it.
static SETTINGS: LazyLock<FxHashMap<&str, FxHashMap<&str, Setting>>> = LazyLock::new(settings);
/// Words of settings that came later, with their version.
static WORDS: LazyLock<FxHashMap<(&str, &str), Versions>> = LazyLock::new(|| {
    let word = |line: &'static str| {
        let (key, word) = line.split_once('=')?;
        let (word, since) = word.split_once(' ')?;
        let since = Version::major(since.parse().ok()?);
        Some(((key, word), Versions::since(since)))
    };
    let lines = entries(include_str!("tables/later_values.txt"));
    lines.filter_map(word).collect()
});
static UNITS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| entries(include_str!("tables/known_units.txt")).collect());

/// A setting of a section.
struct Setting {
    /// The type of its value, in systemd's words.
    kind: &'static str,
    /// The versions that know it; those before 249 are not told apart.
    versions: Versions,
}

fn settings() -> FxHashMap<&'static str, FxHashMap<&'static str, Setting>> {
    let mut found: FxHashMap<&str, FxHashMap<&str, Setting>> = FxHashMap::default();
    let number = |text: &str| text.parse().ok().map(Version::major);
    for (section, keys) in KEYS.iter() {
        for (key, kind) in keys {
            let versions = Versions::default();
            found
                .entry(section)
                .or_default()
                .insert(key, Setting { kind, versions });
        }
    }
    for (section, keys) in LATER.iter() {
        for (key, text) in keys {
            let (kind, since) = text.rsplit_once(' ').unwrap_or((text, ""));
            for section in homes_of(section) {
                let versions = Versions {
                    since: number(since),
                    until: None,
                };
                found
                    .entry(section)
                    .or_default()
                    .insert(key, Setting { kind, versions });
            }
        }
    }
    for (section, keys) in sections(include_str!("tables/versions.txt")) {
        for (key, range) in keys {
            let (since, until) = range.split_once("..").unwrap_or((range, ""));
            for section in homes_of(section) {
                let setting = found.get_mut(section).and_then(|keys| keys.get_mut(key));
                if let Some(setting) = setting {
                    setting.versions = Versions {
                        since: number(since),
                        until: number(until),
                    };
                }
            }
        }
    }
    found
}

/// The sections that one of a list stands for.
fn homes_of(section: &'static str) -> Vec<&'static str> {
    match section {
        "Exec" => EXECS.to_vec(),
        "Context" => CONTEXTS.to_vec(),
        _ => vec![section],
    }
}

/// Lines without comments.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// What each section has: a key and the type of its value, if the list says it.
fn sections(text: &str) -> BTreeMap<&str, BTreeMap<&str, &str>> {
    let mut found: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    let mut section = "";
    for line in entries(text) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
        } else {
            let (key, kind) = line.split_once('=').unwrap_or((line, ""));
            found.entry(section).or_default().insert(key, kind);
        }
    }
    found
}

/// The sections that a unit of this type may have.
pub fn sections_of(kind: &str) -> Vec<&'static str> {
    let own = OWN_SECTIONS
        .into_iter()
        .filter(|section| section.eq_ignore_ascii_case(kind));
    // Nobody enables a scope: programs make it.
    iter::once("Unit").chain(own).chain(["Install"]).collect()
}

/// Whether systemd leaves a section or a key to other programs.
pub fn is_extension(name: &str) -> bool {
    name.starts_with("X-")
}

/// Whether a section has a key, in any version.
pub fn knows(section: &str, key: &str) -> bool {
    setting(section, key).is_some()
}

/// The versions of systemd that know a key of a section.
pub fn versions(section: &str, key: &str) -> Option<Versions> {
    setting(section, key).map(|setting| setting.versions)
}

/// The versions of systemd that take a word as the value of a key, or in its list; `None` where all do that know the key.
pub fn word_versions(section: &str, key: &str, word: &str) -> Option<Versions> {
    // `Type=` of a mount is something else.
    kind_of(section, key)?;
    WORDS.get(&(key, word)).copied()
}

/// The words that came later, with their keys.
pub fn later_words() -> impl Iterator<Item = (&'static str, &'static str)> {
    WORDS.keys().copied()
}

fn setting(section: &str, key: &str) -> Option<&'static Setting> {
    SETTINGS.get(section)?.get(key)
}

/// The keys of all sections: section, key, and the type of its value in systemd's words.
pub fn keys() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    SETTINGS.iter().flat_map(|(section, keys)| {
        let keys = keys.iter();
        keys.map(|(key, setting)| (*section, *key, setting.kind))
    })
}

/// The names of a list such as `calls` or `capabilities`.
pub fn names(list: &str) -> impl Iterator<Item = &'static str> + use<> {
    NAMES.get(list).into_iter().flatten().copied()
}

/// Whether a list has a name.
pub fn has(list: &str, name: &str) -> bool {
    NAMES.get(list).is_some_and(|names| names.contains(name))
}

/// The key of a section that is most likely meant.
pub fn nearest_key(section: &str, key: &str) -> Option<&'static str> {
    let mut keys: Vec<&str> = SETTINGS.get(section)?.keys().copied().collect();
    // The same one in each run.
    keys.sort_unstable();
    let same = keys.iter().find(|known| known.eq_ignore_ascii_case(key));
    same.copied().or_else(|| nearest(key, keys.iter().copied()))
}

/// The sections that have a key: those of `kind` first, and then the unit types that have it elsewhere.
pub fn homes(kind: &str, key: &str) -> Vec<&'static str> {
    let own = sections_of(kind);
    let mut found: Vec<_> = own
        .iter()
        .copied()
        .filter(|home| knows(home, key))
        .collect();
    found.extend(
        OWN_SECTIONS
            .into_iter()
            .filter(|home| !own.contains(home) && knows(home, key)),
    );
    found
}

/// The unit type whose section this is.
pub fn type_of(section: &str) -> Option<&'static str> {
    let is_own = OWN_SECTIONS.contains(&section);
    let mut types = TYPES.into_iter().filter(|_| is_own);
    types.find(|kind| kind.eq_ignore_ascii_case(section))
}

/// Whether a server commonly has a unit of that name, or may have one that no file defines.
pub fn is_known_unit(name: &Name) -> bool {
    // Made of /etc/fstab, of what is plugged in, and of other units' settings.
    if !["service", "socket", "timer", "target", "path"].contains(&name.suffix()) {
        return true;
    }
    let template = name.template();
    UNITS.contains(name.as_str()) || template.is_some_and(|name| UNITS.contains(name.as_str()))
}

/// The names of units that a server commonly has.
pub fn known_units() -> impl Iterator<Item = &'static str> {
    UNITS.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_whole() {
        assert!(KEYS.values().map(BTreeMap::len).sum::<usize>() > 1100);
        for (section, keys) in LATER.iter() {
            for key in keys.keys() {
                let listed = KEYS.get(section).is_some_and(|keys| keys.contains_key(key));
                assert!(!listed, "{key} is no later one");
            }
        }
        let versioned = sections(include_str!("tables/versions.txt"));
        for (section, keys) in &versioned {
            for (key, range) in keys {
                let known = homes_of(section)
                    .into_iter()
                    .find_map(|home| versions(home, key));
                assert!(
                    known.is_some_and(|it| it != Versions::default()),
                    "{key}={range}"
                );
            }
        }
        for (key, word) in WORDS.keys() {
            let kinds = keys().filter(|(_, known, _)| known == key);
            let kinds = kinds.filter_map(|(section, key, _)| kind_of(section, key));
            assert!(
                kinds.into_iter().all(|kind| kind.takes(word)),
                "{key}={word}"
            );
        }
        for list in ["calls", "call groups", "families", "capabilities", "errors"] {
            assert!(names(list).count() > 20, "{list}");
        }
        for name in UNITS.iter() {
            Name::parse(name).unwrap();
        }
    }

    #[test]
    fn keys_have_their_sections() {
        assert!(knows("Unit", "After") && knows("Service", "ExecStart"));
        assert!(!knows("Unit", "RequiredBy") && !knows("Service", "execstart"));
        assert!(knows("Slice", "MemoryPressureWatch") && !knows("Timer", "MemoryPressureWatch"));
        assert_eq!(homes("service", "RequiredBy"), ["Install"]);
        assert_eq!(homes("service", "Environment")[0], "Service");
        assert_eq!(homes("timer", "ExecStart"), ["Service"]);
        assert_eq!(nearest_key("Service", "restart"), Some("Restart"));
        assert_eq!(nearest_key("Service", "ExecStrat"), Some("ExecStart"));
    }
}
