//! Lines that are no assignment, and comments that are none.

use std::ops::Range;

use super::index::Units;
use super::table;
use crate::model::{Diagnostic, Finding, Rule};
use crate::source::unit::settings::Source;
use crate::source::unit::{Entry, Stray, Why};

crate::rule! {
    NOT_AN_ASSIGNMENT, "systemd-not-an-assignment", Error;
    COMMENT_BEHIND_VALUE, "systemd-comment-behind-value", Error;
    LINE_SWALLOWED, "systemd-line-swallowed", Error;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&NOT_AN_ASSIGNMENT, &COMMENT_BEHIND_VALUE, &LINE_SWALLOWED];

/// A file that is no unit at all has as many wrong lines as lines: so many are enough.
const MOST: usize = 20;

/// Settings whose value is a text of any kind: a `#` is at home there.
const TEXTS: [&str; 5] = [
    "Description",
    "Documentation",
    "StandardInputText",
    "SetCredential",
    "SyslogIdentifier",
];

/// Findings about the lines of all files.
pub fn check(units: &Units) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, kind) in units.files() {
        let strays = source.parsed.strays.iter();
        let strays = strays.filter(|stray| is_read(source, stray, kind));
        findings.extend(strays.take(MOST).map(|stray| stray_line(source, stray)));
        let sections = source.parsed.sections.iter();
        let sections = sections.filter(|section| !table::is_extension(&section.name));
        let swallowed = sections.clone().flat_map(|section| {
            let entries = section.entries.iter();
            entries.filter_map(|entry| swallowed(source, &section.name, entry))
        });
        findings.extend(swallowed.take(MOST));
        let comments = sections
            .flat_map(|section| &section.entries)
            .filter_map(|entry| Some((entry, comment(&entry.key, &entry.value)?)));
        findings.extend(
            comments
                .take(MOST)
                .map(|(entry, comment)| behind(source, entry, comment)),
        );
    }
    findings
}

/// A setting that a backslash at the end of the line above makes a part of another value.
fn swallowed(source: &Source, section: &str, entry: &Entry) -> Option<Finding> {
    let written = source.text.get(entry.value_span.clone())?;
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
        let help = Some("remove the \\ at the end of the line above".to_owned());
        return Some(Finding::at(&LINE_SWALLOWED, Diagnostic { help, ..place }));
    }
    None
}

/// systemd does not look at the lines of a section that it does not know.
fn is_read(source: &Source, stray: &Stray, kind: &str) -> bool {
    let of_header = matches!(stray.why, Why::OpenHeader | Why::NamelessHeader);
    let section = stray.section.and_then(|at| source.parsed.sections.get(at));
    of_header || section.is_none_or(|section| table::sections_of(kind).contains(&&*section.name))
}

fn stray_line(source: &Source, stray: &Stray) -> Finding {
    let place = stray.complain(&source.path, &source.text);
    let line = source.text.get(stray.span.clone()).unwrap_or_default();
    let line = line.lines().next().unwrap_or_default().trim_end();
    let help = match stray.why {
        Why::NoAssignment => match missing_sign(line) {
            Some(key) => format!("write {key}=VALUE"),
            None => "remove the line, or put # in front of it".to_owned(),
        },
        Why::NoSection => "move it below a section header, [Unit] for example".to_owned(),
        Why::OpenHeader => format!(
            "write {}]; systemd loads nothing of this file",
            header(line)
        ),
        Why::NamelessHeader => "write [Unit], [Service] or [Install]".to_owned(),
        Why::NoKey => "write KEY=VALUE, or remove the line".to_owned(),
    };
    let help = Some(help);
    Finding::at(&NOT_AN_ASSIGNMENT, Diagnostic { help, ..place })
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

/// Bytes of a value from a `#` or `;` that is meant to begin a comment.
fn comment(key: &str, value: &str) -> Option<Range<usize>> {
    if TEXTS.contains(&key) || !value.contains(['#', ';']) {
        return None;
    }
    let is_command = key.starts_with("Exec");
    let mut quote = None;
    let mut before = ' ';
    let mut chars = value.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let is_alone = quote.is_none() && [' ', '\t'].contains(&before) && at > 0;
        let next = chars.peek().map(|(_, c)| *c);
        match c {
            '\\' => {
                chars.next();
            }
            '"' | '\'' if quote.is_none() && [' ', '\t', '='].contains(&before) => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            // Behind a `#`, an argument goes on at once: a colour, a channel, an anchor.
            '#' if is_alone && (!is_command || next.is_none_or(begins_comment)) => {
                return Some(at..value.len());
            }
            // `;` is a word of its own in commands, and part of some lists.
            ';' if is_alone && !is_command && next.is_some_and(|c| c == ' ' || c == '\t') => {
                return Some(at..value.len());
            }
            _ => {}
        }
        before = c;
    }
    None
}

fn begins_comment(c: char) -> bool {
    c == ' ' || c == '\t' || c == '#' || !c.is_ascii()
}

fn behind(source: &Source, entry: &Entry, comment: Range<usize>) -> Finding {
    let written = source
        .text
        .get(entry.value_span.clone())
        .unwrap_or_default();
    let text = entry.value.get(comment).unwrap_or_default();
    let at = written.rfind(text).or_else(|| written.find(['#', ';']));
    let start = entry.value_span.start + at.unwrap_or_default();
    let end = entry.value_span.end.min(start + text.len()).max(start);
    let place = source.complain(
        start..end,
        format!(
            "systemd takes this comment as part of the value of {}",
            entry.key
        ),
        "expected the end of the line",
    );
    let help = Some("put the comment on a line of its own, above this one".to_owned());
    Finding::at(&COMMENT_BEHIND_VALUE, Diagnostic { help, ..place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_told_from_values() {
        for (key, value, expected) in [
            ("After", "a.service  # after it", Some("# after it")),
            (
                "After",
                "a.service # インフラの後に起動",
                Some("# インフラの後に起動"),
            ),
            ("After", "a.service #tight", Some("#tight")),
            ("Restart", "always ; always", Some("; always")),
            ("ExecStart", "/bin/a b # c", Some("# c")),
            ("ExecStart", "/bin/a b #コメント", Some("#コメント")),
            ("ExecStart", "/bin/a --channel #general", None),
            ("ExecStart", "/bin/sh -c 'a # b'", None),
            ("ExecStart", "/bin/a ; /bin/b", None),
            ("ExecStart", "/bin/a \\; b", None),
            ("ExecStart", "/bin/curl http://localhost/#a", None),
            ("Environment", "\"COLOR=#fff # x\"", None),
            ("Environment", "COLOR=#fff", None),
            ("Environment", "A='b # c' D=e # f", Some("# f")),
            ("Environment", "A=don't B=c # f", Some("# f")),
            ("Description", "Worker # 1", None),
            ("ConditionPathExists", "/srv/a#b", None),
        ] {
            let found = comment(key, value).map(|range| &value[range]);
            assert_eq!(found, expected, "{key}={value}");
        }
    }

    #[test]
    fn a_missing_sign_is_seen() {
        assert_eq!(missing_sign("Restart always"), Some("Restart"));
        assert_eq!(missing_sign("Restart: always"), Some("Restart"));
        assert_eq!(missing_sign("sudo systemctl daemon-reload"), None);
        assert_eq!(header("[Service   # x"), "[Service");
        assert_eq!(header("[Été"), "[");
    }
}
