//! The syntax of unit files, systemd.syntax(7): sections, assignments, comments and
//! continuation lines, each with its bytes.
//!
//! systemd warns of a line that is wrong, and reads on; whether that is an error is the caller's to say.

use std::ops::Range;
use std::sync::Arc;

use source_text::{Diagnostic, SourceFile};

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
    /// What is before `=`.
    pub key: String,
    /// What is after it, blanks around it removed and continuation lines joined.
    pub value: String,
    /// Bytes of the key.
    pub key_span: Range<usize>,
    /// Bytes of the value, up to the end of its last line.
    pub value_span: Range<usize>,
}

/// A line that systemd passes over, or for which it refuses the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Bytes of the line, with its continuations.
    pub span: Range<usize>,
    /// What is wrong with it.
    pub why: Why,
    /// Number of the section that it is in; `None` before the first one.
    pub section: Option<usize>,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A header without its `]`. systemd reads no line of such a file.
    OpenHeader,
    /// A header without a name.
    NamelessHeader,
    /// A line before the first header.
    NoSection,
    /// A line without `=`.
    NoAssignment,
    /// A line that begins with `=`.
    NoKey,
}

impl Stray {
    /// Whether systemd does not load a file with it; it passes over any other line that is wrong.
    pub fn spoils_the_file(&self) -> bool {
        self.why == Why::OpenHeader
    }

    /// A complaint about it.
    pub fn complain(&self, file: &Arc<SourceFile>) -> Diagnostic {
        let (message, expected) = match self.why {
            Why::OpenHeader => (
                "the section header is not closed",
                "expected \"]\" at the end of this line",
            ),
            Why::NamelessHeader => ("the section has no name", "expected [Section]"),
            Why::NoSection => (
                "this line is before the first section",
                "expected a section header such as [Unit]",
            ),
            Why::NoAssignment => ("this line is no assignment", "expected KEY=VALUE"),
            Why::NoKey => ("the assignment has no key", "expected KEY=VALUE"),
        };
        Diagnostic::at(file, self.span.clone(), message, expected)
    }
}

/// What a unit file or drop-in says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Its sections, each as often as it has a header.
    pub sections: Vec<Section>,
    /// The lines that are wrong, in their order.
    pub strays: Vec<Stray>,
}

/// A line with its continuations.
struct Logical {
    text: String,
    span: Range<usize>,
}

/// What systemd takes for a blank; a blank of another alphabet belongs to the word that it is next to.
pub(crate) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// The words of a list, such as that of `After=`.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(BLANKS).filter(|word| !word.is_empty())
}

/// Parses a unit file or drop-in. Like systemd it goes on behind a line that is wrong.
pub fn parse(source: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for line in logical_lines(source) {
        let stray = |parsed: &Parsed, why| Stray {
            span: line.span.clone(),
            why,
            section: parsed.sections.len().checked_sub(1),
        };
        let text = line.text.trim_matches(BLANKS);
        if let Some(header) = text.strip_prefix('[') {
            let name = header.strip_suffix(']');
            match name {
                None => parsed.strays.push(stray(&parsed, Why::OpenHeader)),
                Some("") => parsed.strays.push(stray(&parsed, Why::NamelessHeader)),
                Some(_) => {}
            }
            parsed.sections.push(Section {
                name: name.unwrap_or(header).into(),
                span: line.span,
                entries: Vec::new(),
            });
            continue;
        }
        let assignment = text
            .split_once('=')
            .map(|(key, value)| (key.trim_matches(BLANKS), value.trim_matches(BLANKS)));
        let why = match (parsed.sections.last_mut(), assignment) {
            (None, _) => Why::NoSection,
            (_, None) => Why::NoAssignment,
            (_, Some(("", _))) => Why::NoKey,
            (Some(section), Some((key, value))) => {
                section.entries.push(entry(source, &line, key, value));
                continue;
            }
        };
        parsed.strays.push(stray(&parsed, why));
    }
    parsed
}

fn entry(source: &str, line: &Logical, key: &str, value: &str) -> Entry {
    let Range { start, end } = line.span;
    let raw = source.get(line.span.clone()).unwrap_or_default();
    // A key may go on in the next line, too.
    let before = raw.split('=').next().unwrap_or_default();
    let behind = (start + before.len() + 1).min(end);
    let blanks = source
        .get(behind..end)
        .map_or(0, |rest| rest.len() - rest.trim_start_matches(BLANKS).len());
    Entry {
        key: key.into(),
        value: value.into(),
        key_span: start..start + before.trim_end_matches(BLANKS).len(),
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
        // systemd takes a comment after the mark for a line that is wrong, which changes nothing.
        let line = match start {
            0 => line.trim_start_matches('\u{feff}'),
            _ => line,
        };
        let trimmed = line.trim_start_matches(BLANKS);
        let first = start + raw.find(trimmed).unwrap_or(0);
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && pending.is_none()) {
            continue;
        }
        let end = first + trimmed.trim_end_matches(BLANKS).len();
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
    lines.retain(|line| !line.text.trim_matches(BLANKS).is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(source: &str) -> String {
        let parsed = parse(source);
        let mut text = String::new();
        for section in parsed.sections {
            text.push_str(&format!("[{}]", section.name));
            for entry in section.entries {
                text.push_str(&format!(" {}<{}>", entry.key, entry.value));
            }
        }
        for stray in parsed.strays {
            text.push_str(&format!(
                " {}",
                stray.complain(&SourceFile::new("u", source))
            ));
        }
        text
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
            assert_eq!(outline(source), expected, "{source:?}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_goes_on() {
        for (source, expected) in [
            (
                "A=b\nC\n[U]\nD=e",
                "[U] D<e> u:1:1: this line is before the first section u:2:1: this line is before the first section",
            ),
            (
                "[Unit]\nA=b\n  stray\nC=d\nmore\n",
                "[Unit] A<b> C<d> u:3:3: this line is no assignment u:5:1: this line is no assignment",
            ),
            (
                "[Unit\nA=b",
                "[Unit] A<b> u:1:1: the section header is not closed",
            ),
            ("[]\n", "[] u:1:1: the section has no name"),
            ("[Unit]\n=b", "[Unit] u:2:1: the assignment has no key"),
        ] {
            assert_eq!(outline(source), expected, "{source:?}");
        }
    }

    #[test]
    fn a_blank_of_another_alphabet_is_none() {
        assert_eq!(
            outline("[Unit]\n\u{3000}After=a\u{3000}\n"),
            "[Unit] \u{3000}After<a\u{3000}>"
        );
    }

    #[test]
    fn spans_cover_what_was_read() {
        let source = "[Unit]\nAfter = a.service \\\n  b.service\n";
        let sections = parse(source).sections;
        let entry = &sections[0].entries[0];
        assert_eq!(&source[entry.key_span.clone()], "After");
        assert_eq!(
            &source[entry.value_span.clone()],
            "a.service \\\n  b.service"
        );
        // Found by fuzzing: a key that is continued.
        let source = "[Unit]\n\\\nké\u{feff}=é\n";
        let sections = parse(source).sections;
        let entry = &sections[0].entries[0];
        assert_eq!(&source[entry.key_span.clone()], "\\\nké\u{feff}");
        assert_eq!(&source[entry.value_span.clone()], "é");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(source in ".*") {
            let _ = parse(&source);
        }

        #[test]
        fn never_panics_on_what_looks_like_it(source in "[\u{feff}a=\\[\\]#;\\\\\r\n é]{0,40}") {
            for stray in parse(&source).strays {
                let _ = stray.complain(&SourceFile::new("u", source.as_str())).position();
            }
        }
    }
}
