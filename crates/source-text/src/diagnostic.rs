//! A complaint about a place in an input file.

use std::ops::Range;
use std::path::PathBuf;

/// What is wrong at a place of a source file: enough to show the line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, relative to the checkout.
    pub path: PathBuf,
    /// The whole text of the file.
    pub source: String,
    /// Bytes of `source` that are meant.
    pub span: Range<usize>,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What was expected there, shown under the marked bytes.
    pub expected: String,
    /// How to mend it, if more can be said.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A complaint about some bytes of a file.
    pub fn at(
        path: impl Into<PathBuf>,
        source: impl Into<String>,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            source: source.into(),
            span,
            message: message.into(),
            expected: expected.into(),
            help: None,
        }
    }

    /// A complaint about a whole line, counted from 1, without the blanks around it. A line that
    /// `source` does not have is taken for the last one.
    pub fn of_line(
        path: impl Into<PathBuf>,
        source: impl Into<String>,
        line: usize,
        message: impl Into<String>,
    ) -> Self {
        let source = source.into();
        let mut span = 0..0;
        let mut start = 0;
        for text in source.split_inclusive('\n').take(line.max(1)) {
            let blanks = text.len() - text.trim_start().len();
            let begin = start + if text.trim().is_empty() { 0 } else { blanks };
            span = begin..begin + text.trim().len();
            start += text.len();
        }
        Self::at(path, source, span, message, "")
    }

    /// The line in which the span begins, without its end.
    pub fn line_text(&self) -> &str {
        let start = self.source.floor_char_boundary(self.span.start);
        let begin = self.source[..start].rfind('\n').map_or(0, |at| at + 1);
        self.source[begin..].lines().next().unwrap_or_default()
    }

    /// Line and column of the start of the span, both from 1; the column counts characters.
    pub fn position(&self) -> (usize, usize) {
        self.position_of(self.span.start)
    }

    /// Line and column of the first character behind the span.
    pub fn end(&self) -> (usize, usize) {
        self.position_of(self.span.end)
    }

    fn position_of(&self, at: usize) -> (usize, usize) {
        let before = &self.source[..self.source.floor_char_boundary(at)];
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |last| last.chars().count())
            + 1;
        (line, column)
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = self.position();
        write!(
            f,
            "{}:{line}:{column}: {}",
            self.path.display(),
            self.message
        )
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_marked_without_its_blanks() {
        let text = "one\n\n  two words \r\nlast";
        let at = |line| Diagnostic::of_line("f", text, line, "m");
        assert_eq!(&text[at(1).span], "one");
        assert_eq!(at(2).position(), (2, 1));
        assert_eq!(&text[at(3).span], "two words");
        assert_eq!(at(3).position(), (3, 3));
        assert_eq!(at(3).line_text(), "  two words ");
        assert_eq!(&text[at(4).span], "last");
        assert_eq!(at(9).position().0, 4, "beyond the end");
        assert_eq!(Diagnostic::of_line("f", "", 1, "m").line_text(), "");
    }
}
