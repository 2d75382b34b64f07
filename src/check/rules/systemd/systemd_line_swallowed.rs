//! Settings that a backslash at the end of the line above makes a part of another value.

use crate::check::rules::systemd::prelude::*;
use crate::check::systemd::sections;

pub(crate) static RULE: Rule = rule!(systemd_line_swallowed, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    for (source, _) in context.units().files() {
        let swallowed = sections(source).flat_map(|section| {
            let entries = section.entries.iter();
            entries.filter_map(|entry| swallowed(source, &section.name, entry))
        });
        findings.extend(swallowed.take(MOST));
    }
}

/// A setting that a backslash at the end of the line above makes a part of another value.
fn swallowed(source: &Source, section: &str, entry: &Entry) -> Option<Finding> {
    let written = source.text().get(entry.value_span.clone())?;
    let mut at = entry.value_span.start;
    for (number, line) in written.split_inclusive('\n').enumerate() {
        let start = at;
        at += line.len();
        // Arguments that are meant to go on are indented, and may look like anything.
        let key = line.split_once('=').map(|(key, _)| key.trim_end());
        let Some(key) = key.filter(|key| number > 0 && table::knows(section, key)) else {
            continue;
        };
        let message = format!("{key} is a part of {} here", entry.key);
        let span = start..start + line.trim_end().len();
        let place = source.complain(span, message, "the line above ends in \\");
        let help = "remove the \\ at the end of the line above";
        return Some(RULE.at(place.helped(help)));
    }
    None
}
