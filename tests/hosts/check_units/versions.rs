//! `check` knows which settings and words the host's version of systemd knows.

use std::collections::BTreeSet;

use watchme_apply::source::unit::table;

use super::{Host, Units, checked_for, name_of, stated, verified};

/// Of each section a unit that has it.
const SECTIONS: [(&str, &str); 11] = [
    ("Unit", "target"),
    ("Service", "service"),
    ("Socket", "socket"),
    ("Timer", "timer"),
    ("Path", "path"),
    ("Mount", "mount"),
    ("Automount", "automount"),
    ("Swap", "swap"),
    ("Slice", "slice"),
    ("Scope", "scope"),
    ("Install", "target"),
];

#[test]
fn settings_and_words_are_those_of_the_version() {
    let host = Host::boot();
    let policy = stated(&host);
    let mut units = Units::new();
    for (section, kind) in SECTIONS {
        // systemd does not read [Install] here, and makes scopes itself.
        if ["Install", "Scope"].contains(&section) {
            continue;
        }
        let mut text = format!("[{section}]\n");
        let of_section = table::keys().filter(|(of, ..)| *of == section);
        let mut keys: Vec<(&str, &str)> = of_section.map(|(_, key, kind)| (key, kind)).collect();
        keys.sort_unstable();
        for (key, kind) in &keys {
            // For an empty one of these systemd reads no further.
            let value = if *kind == "BOOLEAN" { "yes" } else { "" };
            text += &format!("{key}={value}\n");
        }
        for (key, word) in
            table::later_words().filter(|(key, _)| keys.iter().any(|(known, _)| known == key))
        {
            text += &format!("{key}={word}\n");
        }
        units.push((format!("w{section}.{kind}"), text));
    }
    let said = verified(&host, &units, "w*");
    let about = |line: &str| {
        let (place, text) = line.split_once(": ")?;
        let (path, number) = place.rsplit_once(':')?;
        let place = (name_of(path), number.parse::<usize>().ok()?);
        let is_known = !text.contains("Unknown key") && !text.contains("has been removed");
        Some((place, is_known))
    };
    let line_of = |(name, line): &(String, usize)| {
        let text = units.iter().find(|(unit, _)| unit == name);
        text.and_then(|(_, text)| text.lines().nth(line - 1))
            .unwrap_or_default()
    };
    // Of a setting that it knows systemd says something only about a word.
    let is_word = |place: &(String, usize)| {
        table::later_words().any(|(key, word)| line_of(place) == format!("{key}={word}"))
    };
    let theirs: BTreeSet<(String, usize)> = said
        .lines()
        .filter_map(about)
        .filter(|(place, is_known)| !is_known || is_word(place))
        .map(|(place, _)| place)
        .collect();
    let findings = checked_for(&policy, &units);
    let places = findings
        .iter()
        .filter(|finding| finding.rule.name == "systemd-version")
        .filter_map(|finding| finding.place());
    let ours: BTreeSet<(String, usize)> = places
        .map(|place| {
            (
                name_of(&place.path().to_string_lossy()),
                place.position().line,
            )
        })
        .collect();
    let shown = |place: &(String, usize)| format!("{}: {}", place.0, line_of(place));
    let missed: Vec<String> = theirs.difference(&ours).map(shown).collect();
    let false_ones: Vec<String> = ours.difference(&theirs).map(shown).collect();
    assert!(
        missed.is_empty() && false_ones.is_empty(),
        "missed {missed:?}, false {false_ones:?}"
    );
    assert!(ours.len() > 50, "{ours:?}");
}
