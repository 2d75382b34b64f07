//! What systemd knows: sections, settings and units, from lists that are next to this file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use source_text::nearest;

use crate::Name;

/// Sections of each unit type besides `[Unit]` and `[Install]`. A type has its own section, even where no
/// setting belongs there.
const OWN_SECTIONS: [(&str, &str); 11] = [
    ("service", "Service"),
    ("socket", "Socket"),
    ("timer", "Timer"),
    ("target", "Target"),
    ("path", "Path"),
    ("mount", "Mount"),
    ("automount", "Automount"),
    ("slice", "Slice"),
    ("swap", "Swap"),
    ("device", "Device"),
    ("scope", "Scope"),
];
/// Sections whose settings are also those of systemd.exec(5) and systemd.resource-control(5).
const CONTEXTS: [&str; 6] = ["Service", "Socket", "Mount", "Swap", "Slice", "Scope"];

static KEYS: LazyLock<BTreeMap<&str, BTreeMap<&str, &str>>> =
    LazyLock::new(|| sections(include_str!("tables/keys.txt")));
static LATER: LazyLock<BTreeMap<&str, BTreeMap<&str, &str>>> =
    LazyLock::new(|| sections(include_str!("tables/later_keys.txt")));
static UNITS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| entries(include_str!("tables/known_units.txt")).collect());

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
    let own = OWN_SECTIONS.iter().filter(|(of, _)| *of == kind);
    let mut sections: Vec<_> = own.map(|(_, section)| *section).collect();
    sections.insert(0, "Unit");
    // Nobody enables a scope: programs make it.
    sections.push("Install");
    sections
}

/// Whether systemd leaves a section or a key to other programs.
pub fn is_extension(name: &str) -> bool {
    name.starts_with("X-")
}

/// Whether a section has a key, in systemd 252 or a later one.
pub fn knows(section: &str, key: &str) -> bool {
    let has = |table: &BTreeMap<&str, BTreeMap<&str, &str>>, section: &str| {
        table
            .get(section)
            .is_some_and(|keys| keys.contains_key(key))
    };
    has(&KEYS, section)
        || has(&LATER, section)
        || (CONTEXTS.contains(&section) && has(&LATER, "Context"))
}

/// The keys of each section with the types of their values, in the words of systemd 252.
pub fn keys() -> impl Iterator<Item = (&'static str, &'static BTreeMap<&'static str, &'static str>)>
{
    KEYS.iter().map(|(section, keys)| (*section, keys))
}

/// The key of a section that is most likely meant.
pub fn nearest_key(section: &str, key: &str) -> Option<&'static str> {
    let keys = KEYS.get(section)?;
    let same = keys.keys().find(|known| known.eq_ignore_ascii_case(key));
    same.copied().or_else(|| nearest(key, keys.keys().copied()))
}

/// The sections that have a key: those of `kind` first, and then the unit types that have it elsewhere.
pub fn homes(kind: &str, key: &str) -> Vec<&'static str> {
    let own = sections_of(kind);
    let mut found: Vec<_> = own
        .iter()
        .copied()
        .filter(|home| knows(home, key))
        .collect();
    let others = OWN_SECTIONS.iter().map(|(_, section)| *section);
    found.extend(others.filter(|home| !own.contains(home) && knows(home, key)));
    found
}

/// The unit type whose section this is.
pub fn type_of(section: &str) -> Option<&'static str> {
    let own = OWN_SECTIONS.iter().find(|(_, name)| *name == section);
    own.map(|(kind, _)| *kind)
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
