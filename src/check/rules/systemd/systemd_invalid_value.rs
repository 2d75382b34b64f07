//! Values of settings that systemd does not take.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::systemd::index::Unit;
use crate::model::{Diagnostic, Finding, Severity};
use crate::source::error::nearest;
use crate::source::unit::Entry;
use crate::source::unit::settings::Source;
use crate::source::unit::values::{Kind, kind_of};

/// The rule.
pub static RULE: Rule = rule!(systemd_invalid_value, Warning, run);

/// Settings whose wrong values make systemd refuse the whole unit.
const FATAL: [&str; 1] = ["DynamicUser"];

/// Settings that take an absolute path, behind a `-` that lets it be missing, systemd.exec(5).
const PATHS: [&str; 2] = ["WorkingDirectory", "EnvironmentFile"];

fn run(context: &Context, findings: &mut Findings) {
    for unit in &context.units().all {
        findings.extend(relative(unit));
        for source in unit.settings.sources() {
            for section in &source.parsed.sections {
                let entries = section.entries.iter();
                findings.extend(entries.filter_map(|entry| value_of(source, &section.name, entry)));
            }
        }
    }
}

/// Paths that are relative: systemd does not start a unit for its folder, and passes over an environment file.
fn relative(unit: &Unit) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in PATHS {
        for value in unit.settings.list("Service", key) {
            let path = value.text.strip_prefix('-').unwrap_or(&value.text);
            let is_folder = key == "WorkingDirectory";
            let goes_up = path.split('/').any(|part| part == "..");
            let is_whole = path.starts_with(['/', '%', '#']) && !goes_up;
            if is_whole || path.is_empty() || is_folder && path == "~" {
                continue;
            }
            let message = match is_folder {
                true => format!("{path} is not an absolute path: systemd does not start the unit"),
                false => format!("{path} is not an absolute path: systemd ignores the line"),
            };
            let help = Some(match path.starts_with('"') {
                true => "write it without quotes: blanks belong to the path".to_owned(),
                false => "write the absolute path, from / and without ..".to_owned(),
            });
            let place = value.complain(message, "expected a path that begins with /");
            let found = RULE.at(Diagnostic { help, ..place });
            findings.push(match is_folder {
                true => found.weighing(Severity::Error),
                false => found,
            });
        }
    }
    findings
}

fn value_of(source: &Source, section: &str, entry: &Entry) -> Option<Finding> {
    let (key, text) = (entry.key.as_str(), entry.value.as_str());
    let kind = kind_of(section, key)?;
    // An empty one resets; what a comment did to it is told elsewhere, and specifiers may become anything.
    let is_open = kind.takes_specifiers(key) && text.contains('%');
    if text.is_empty() || text.contains('#') || is_open || kind.takes(text) {
        return None;
    }
    let is_fatal = FATAL.contains(&key);
    let outcome = match is_fatal {
        true => "does not start the unit",
        false => "ignores the line",
    };
    let message = format!("{text:?} is not a valid value of {key}: systemd {outcome}");
    let place = source.complain(entry.value_span.clone(), message, kind.expected());
    let help = match kind {
        Kind::TruthOr([]) => Some("write yes or no".to_owned()),
        Kind::Calendar => Some(
            "try it with systemd-analyze calendar: *-*-* 03:00 is every night, *:0/5 every five minutes"
                .to_owned(),
        ),
        _ => nearest(text, kind.words().iter().copied()).map(|near| format!("did you mean {near}?")),
    };
    let found = RULE.at(Diagnostic { help, ..place });
    Some(match section {
        // Without its time or address such a unit is refused, or never starts anything.
        "Timer" if key.starts_with("On") => found.weighing(Severity::Error),
        "Socket" if key.starts_with("Listen") => found.weighing(Severity::Error),
        _ if is_fatal => found.weighing(Severity::Error),
        _ => found,
    })
}
