//! The syntax of unit files, systemd.syntax(7): sections, assignments, comments and
//! continuation lines, each with its bytes.

use std::ops::Range;
use std::path::Path;

use crate::model::Diagnostic;

/// A section and what it assigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The name between the brackets.
    pub name: String,
    /// Bytes of its header.
    pub span: Range<usize>,
    /// Its assignments in their order; keys may repeat.
    pub entries: Vec<Entry>,
}

/// An assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What stands before `=`.
    pub key: String,
    /// What stands behind, blanks around it removed and continuation lines joined.
    pub value: String,
    /// Bytes of the key.
    pub key_span: Range<usize>,
    /// Bytes of the value, up to the end of its last line.
    pub value_span: Range<usize>,
}

/// A line with its continuations.
struct Logical {
    text: String,
    span: Range<usize>,
}

/// Parses a unit file or drop-in.
pub fn parse(path: &Path, source: &str) -> Result<Vec<Section>, Diagnostic> {
    let mut sections: Vec<Section> = Vec::new();
    for line in logical_lines(source) {
        let fail = |message: String, expected: &str| Diagnostic {
            path: path.into(),
            source: source.into(),
            span: line.span.clone(),
            message,
            expected: expected.into(),
            help: None,
        };
        let text = line.text.trim();
        if let Some(header) = text.strip_prefix('[') {
            let Some(name) = header.strip_suffix(']') else {
                return Err(fail(
                    "the section header is not closed".into(),
                    "expected \"]\" at the end of this line",
                ));
            };
            if name.is_empty() {
                return Err(fail("the section has no name".into(), "expected [Section]"));
            }
            sections.push(Section {
                name: name.into(),
                span: line.span,
                entries: Vec::new(),
            });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            return Err(fail(
                "this line stands before the first section".into(),
                "expected a section header such as [Unit]",
            ));
        };
        let Some((key, value)) = text.split_once('=') else {
            return Err(fail(
                "this line is no assignment".into(),
                "expected KEY=VALUE",
            ));
        };
        if key.trim().is_empty() {
            return Err(fail(
                "the assignment has no key".into(),
                "expected KEY=VALUE",
            ));
        }
        section
            .entries
            .push(entry(source, &line, key.trim(), value.trim()));
    }
    Ok(sections)
}

fn entry(source: &str, line: &Logical, key: &str, value: &str) -> Entry {
    let Range { start, end } = line.span;
    let raw = source.get(line.span.clone()).unwrap_or_default();
    let behind = raw.find('=').map_or(end, |at| start + at + 1);
    let blanks = source
        .get(behind..end)
        .map_or(0, |rest| rest.len() - rest.trim_start().len());
    Entry {
        key: key.into(),
        value: value.into(),
        key_span: start..(start + key.len()).min(end),
        value_span: (behind + blanks).min(end)..end,
    }
}

/// Joins continuation lines. Comments are dropped, also those inside a continuation; a line
/// there that is empty ends it.
fn logical_lines(source: &str) -> Vec<Logical> {
    let mut lines: Vec<Logical> = Vec::new();
    let mut pending: Option<Logical> = None;
    let mut at = 0;
    for raw in source.split_inclusive('\n') {
        let start = at;
        at += raw.len();
        let line = raw.trim_end_matches(['\n', '\r']);
        let line = match start {
            0 => line.trim_start_matches('\u{feff}'),
            _ => line,
        };
        let trimmed = line.trim_start();
        let first = start + raw.find(trimmed).unwrap_or(0);
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && pending.is_none()) {
            continue;
        }
        let end = first + trimmed.trim_end().len();
        let mut logical = pending.take().unwrap_or(Logical {
            text: String::new(),
            span: first..end,
        });
        logical.span.end = end.max(logical.span.end);
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            logical
                .text
                .push_str(line.strip_suffix('\\').unwrap_or(line));
            logical.text.push(' ');
            pending = Some(logical);
        } else {
            logical.text.push_str(line);
            lines.push(logical);
        }
    }
    lines.extend(pending);
    lines.retain(|line| !line.text.trim().is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(source: &str) -> Result<String, String> {
        let sections = parse(Path::new("u"), source).map_err(|error| error.to_string())?;
        let mut text = String::new();
        for section in sections {
            text.push_str(&format!("[{}]", section.name));
            for entry in section.entries {
                text.push_str(&format!(" {}<{}>", entry.key, entry.value));
            }
        }
        Ok(text)
    }

    #[test]
    fn reads_as_systemd_does() {
        for (source, expected) in [
            ("[Unit]\nA=b\n", "[Unit] A<b>"),
            ("\u{feff}[Unit]\r\nA = b c \r\n", "[Unit] A<b c>"),
            ("# x\n; y\n\n[Unit]\n  A=\n", "[Unit] A<>"),
            (
                "[S]\nA=b \\\n# comment\n; other\n  c\nD=e",
                "[S] A<b    c> D<e>",
            ),
            ("[S]\nA=b\\\\\nC=d", "[S] A<b\\\\> C<d>"),
            ("[S]\nA=b \\\n\nC=d", "[S] A<b> C<d>"),
            ("[S]\nA=b \\", "[S] A<b>"),
            ("[S]\nA=b # c\nA=d=e", "[S] A<b # c> A<d=e>"),
            ("[A]\n[B]\nx=y\n[A]\nz=w", "[A][B] x<y>[A] z<w>"),
            ("", ""),
        ] {
            assert_eq!(outline(source), Ok(expected.into()), "{source:?}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (source, expected) in [
            ("A=b\n", "u:1:1: this line stands before the first section"),
            (
                "[Unit]\nA=b\n  stray\n",
                "u:3:3: this line is no assignment",
            ),
            ("[Unit\nA=b", "u:1:1: the section header is not closed"),
            ("[]\n", "u:1:1: the section has no name"),
            ("[Unit]\n=b", "u:2:1: the assignment has no key"),
        ] {
            assert_eq!(outline(source), Err(expected.into()), "{source:?}");
        }
    }

    #[test]
    fn spans_cover_what_was_read() {
        let source = "[Unit]\nAfter = a.service \\\n  b.service\n";
        let sections = parse(Path::new("u"), source).unwrap();
        let entry = &sections[0].entries[0];
        assert_eq!(&source[entry.key_span.clone()], "After");
        assert_eq!(
            &source[entry.value_span.clone()],
            "a.service \\\n  b.service"
        );
    }

    proptest::proptest! {
        #[test]
        fn never_panics(source in ".*") {
            let _ = parse(Path::new("u"), &source);
        }

        #[test]
        fn never_panics_on_what_looks_like_it(source in "[\u{feff}a=\\[\\]#;\\\\\r\n é]{0,40}") {
            if let Err(error) = parse(Path::new("u"), &source) {
                let _ = error.position();
            }
        }
    }
}
