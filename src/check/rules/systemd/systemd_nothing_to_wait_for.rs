//! Units that wait for something, and do not say for what: systemd refuses them.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_nothing_to_wait_for, Error, run);

/// The beginnings of the settings that a unit of each type needs one of, systemd.timer(5), systemd.socket(5),
/// systemd.path(5), and one as an example.
const NEEDED: [(&str, &str, &str, &str); 3] = [
    (
        "timer",
        "Timer",
        "OnActive OnBoot OnStartup OnUnit OnCalendar OnClock OnTimezone",
        "OnCalendar=daily",
    ),
    ("socket", "Socket", "Listen", "ListenStream=127.0.0.1:8080"),
    (
        "path",
        "Path",
        "PathExists PathChanged PathModified DirectoryNotEmpty",
        "PathChanged=/srv/inbox",
    ),
];

fn run(context: &Context, findings: &mut Findings) {
    findings.extend(context.units().all.iter().filter_map(check));
}

/// A timer without a time, a socket without an address, a path unit without a path.
fn check(unit: &Unit) -> Option<Finding> {
    let kind = unit.name.suffix();
    let (_, section, starts, example) = NEEDED.iter().find(|(of, ..)| *of == kind)?;
    let is_one = |key: &str| starts.split(' ').any(|start| key.starts_with(start));
    if !unit.is_ours() || !unit.settings.matching(section, is_one).is_empty() {
        return None;
    }
    let source = unit.settings.sources().first()?;
    let sections = &source.parsed.sections;
    let own = sections.iter().find(|found| found.name == *section);
    let span = own
        .or(sections.first())
        .map_or(0..0, |found| found.span.clone());
    let message = format!("this {kind} has nothing to wait for: systemd refuses it");
    let help = Some(format!("write what it should wait for, such as {example}"));
    let place = source.complain(span, message, "");
    Some(RULE.at(Diagnostic { help, ..place }))
}
