//! Sections and keys that systemd does not know, or not there.

use super::MOST;
use super::index::Units;
use crate::check::rules::systemd::rule::{
    systemd_unknown_key, systemd_unknown_section, systemd_wrong_section,
};
use crate::model::Finding;
use crate::source::error::nearest;
use crate::source::unit::settings::Source;
use crate::source::unit::table;
use crate::source::unit::{Entry, Section};

/// Looks at the sections and keys of all files. More than [`MOST`] of them in one file say nothing new.
pub(crate) fn walk(units: &Units) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, kind) in units.files() {
        let mut found = Vec::new();
        for section in &source.parsed.sections {
            if found.len() >= MOST {
                break;
            }
            section_of(source, section, kind, &mut found);
        }
        found.truncate(MOST);
        findings.extend(found);
    }
    findings
}

fn section_of(source: &Source, section: &Section, kind: &str, found: &mut Vec<Finding>) {
    if section.name.is_empty() || table::is_extension(&section.name) {
        return;
    }
    if !table::sections_of(kind).contains(&&*section.name) {
        // A header that is not closed has a finding already.
        let header = source.file.get(section.span.clone());
        if header.ends_with(']') {
            found.push(unknown_section(source, section, kind));
        }
        return;
    }
    for entry in &section.entries {
        if found.len() >= MOST {
            return;
        }
        if !table::is_extension(&entry.key) && !table::knows(&section.name, &entry.key) {
            found.push(strange_key(source, section, entry, kind));
        }
    }
}

fn unknown_section(source: &Source, section: &Section, kind: &str) -> Finding {
    let name = &section.name;
    let sections = table::sections_of(kind);
    let message = format!("a .{kind} unit has no section [{name}]: systemd ignores all of it");
    let expected = sections.iter().map(|name| format!("[{name}]"));
    let expected = format!("expected {}", expected.collect::<Vec<_>>().join(", "));
    let help = match (table::type_of(name), nearest(name, sections)) {
        (Some(other), _) => format!("[{name}] belongs in a .{other} unit"),
        (None, Some(near)) => format!("did you mean [{near}]?"),
        (None, None) => {
            format!("settings that are not systemd's belong in a section [X-{name}]")
        }
    };
    let wrong = source.complain(section.span.clone(), message, expected);
    systemd_unknown_section::RULE.at(wrong.helped(help))
}

fn strange_key(source: &Source, section: &Section, entry: &Entry, kind: &str) -> Finding {
    let (key, name) = (&entry.key, &section.name);
    let span = entry.key_span.clone();
    let homes = table::homes(kind, key);
    if let Some(home) = homes.first() {
        let message = format!("{key} does not belong in [{name}]: systemd ignores it");
        let help = match table::sections_of(kind).contains(home) {
            true => format!("move the line to [{home}]"),
            false => {
                let other = table::type_of(home).unwrap_or_default();
                format!("it belongs in [{home}] of a .{other} unit")
            }
        };
        let wrong = source.complain(span, message, format!("belongs in [{home}]"));
        return systemd_wrong_section::RULE.at(wrong.helped(help));
    }
    let message = format!("systemd does not know {key} in [{name}], and ignores it");
    let own = table::nearest_key(name, key).map(|near| (name.as_str(), near));
    let near = own.or_else(|| {
        let mut sections = table::sections_of(kind).into_iter();
        sections.find_map(|home| Some((home, table::nearest_key(home, key)?)))
    });
    let help = match near {
        Some((home, near)) if home == name => format!("did you mean {near}?"),
        Some((home, near)) => format!("did you mean {near} in [{home}]?"),
        None => format!("remove it, or write X-{key} if another program reads it"),
    };
    systemd_unknown_key::RULE.at(source.complain(span, message, "").helped(help))
}
