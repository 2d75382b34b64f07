//! Lines that are neither an assignment nor a section header.

use crate::check::rules::systemd::prelude::*;
use crate::source::unit::{Stray, Why};

pub(crate) static RULE: Rule = rule!(systemd_not_an_assignment, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    for (source, kind) in context.units().files() {
        let strays = source.parsed.strays.iter();
        let strays = strays.filter(|stray| is_read(source, stray, kind));
        findings.extend(strays.take(MOST).map(|stray| stray_line(source, stray)));
    }
}

/// systemd does not look at the lines of a section that it does not know.
fn is_read(source: &Source, stray: &Stray, kind: &str) -> bool {
    let of_header = matches!(stray.why, Why::OpenHeader | Why::NamelessHeader);
    let section = stray.section.and_then(|at| source.parsed.sections.get(at));
    of_header || section.is_none_or(|section| table::sections_of(kind).contains(&&*section.name))
}

fn stray_line(source: &Source, stray: &Stray) -> Finding {
    let place = stray.complain(&source.file);
    let line = source.file.get(stray.span.clone());
    let line = line.lines().next().unwrap_or_default().trim_end();
    let help = match stray.why {
        Why::NoAssignment => match missing_sign(line) {
            Some(key) => format!("write {key}=VALUE"),
            None => "remove the line, or put # in front of it".to_owned(),
        },
        Why::NoSection => "move it below a section header, [Unit] for example".to_owned(),
        Why::OpenHeader => format!(
            "write {}]; without it, systemd loads nothing from this file",
            header(line)
        ),
        Why::NamelessHeader => "write [Unit], [Service] or [Install]".to_owned(),
        Why::NoKey => "write KEY=VALUE, or remove the line".to_owned(),
    };
    RULE.at(place.helped(help))
}

/// The key of `KEY value` and `KEY: value`, where systemd knows it.
fn missing_sign(line: &str) -> Option<&str> {
    let word = line.split([' ', '\t', ':']).next()?;
    let sections = ["Unit", "Service", "Install", "Timer", "Socket"];
    let known = sections.iter().any(|section| table::knows(section, word));
    known.then_some(word)
}

fn header(line: &str) -> &str {
    let name = line.get(1..).unwrap_or_default();
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    line.get(..1 + end.unwrap_or(name.len())).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_sign_is_seen() {
        assert_eq!(missing_sign("Restart always"), Some("Restart"));
        assert_eq!(missing_sign("Restart: always"), Some("Restart"));
        assert_eq!(missing_sign("sudo systemctl daemon-reload"), None);
        assert_eq!(header("[Service   # x"), "[Service");
        assert_eq!(header("[Été"), "[");
    }
}
