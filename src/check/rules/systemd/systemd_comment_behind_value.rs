//! Comments that systemd takes as part of a value.

use std::ops::Range;

use source_text::word_list;

use crate::check::rules::systemd::prelude::*;
use crate::check::systemd::sections;

pub(crate) static RULE: Rule = rule!(systemd_comment_behind_value, Error, run).grouped(
    "comments are part of the value before them to systemd",
    None,
);

/// Settings whose value is a text of any kind: a `#` is at home there.
const TEXTS: [&str; 5] =
    word_list("Description Documentation StandardInputText SetCredential SyslogIdentifier");

fn run(context: &Context, findings: &mut Findings) {
    for (source, _) in context.units().files() {
        let comments = sections(source)
            .flat_map(|section| &section.entries)
            .filter_map(|entry| Some((entry, comment(&entry.key, &entry.value)?)));
        let comments = comments.take(MOST);
        findings.extend(comments.map(|(entry, comment)| behind(source, entry, comment)));
    }
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
            // Backend a `#`, an argument goes on at once: a colour, a channel, an anchor.
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
    let written = source.file.get(entry.value_span.clone());
    let text = entry.value.get(comment).unwrap_or_default();
    let at = written.rfind(text).or_else(|| written.find(['#', ';']));
    let start = entry.value_span.start + at.unwrap_or_default();
    let end = entry.value_span.end.min(start + text.len()).max(start);
    let message = format!(
        "systemd takes this comment as part of the value of {}",
        entry.key
    );
    let place = source.complain(start..end, message, "expected the end of the line");
    let help = "put the comment on a line of its own, above this one";
    RULE.at(place.helped(help))
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
}
