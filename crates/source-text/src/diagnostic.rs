//! What is wrong at a place of a file.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::file::{Location, SourceFile};

/// What is wrong at a place of a file: enough to show the line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Bytes of its text that are meant.
    pub span: Range<usize>,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What was expected there, shown under the marked bytes.
    pub expected: String,
    /// How to fix it, if more can be said.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Something about some bytes of a file.
    pub fn at(
        file: &Arc<SourceFile>,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            file: Arc::clone(file),
            span,
            message: message.into(),
            expected: expected.into(),
            help: None,
        }
    }

    /// Something about a whole line, counted from 1, without the blanks around it. A line that the file does not have is
    /// taken for the last one.
    pub fn of_line(file: &Arc<SourceFile>, line: usize, message: impl Into<String>) -> Self {
        let whole = file.line_span(line);
        // Backend the end of the last line there is none.
        let whole = match whole.is_empty() && line > 1 {
            true => file.line_span(file.line_of(whole.start.saturating_sub(1))),
            false => whole,
        };
        let text = file.get(whole.clone());
        let blanks = match text.trim().is_empty() {
            true => 0,
            false => text.len() - text.trim_start().len(),
        };
        let begin = whole.start + blanks;
        Self::at(file, begin..begin + text.trim().len(), message, "")
    }

    /// The same with what helps.
    pub fn helped(self, help: impl Into<String>) -> Self {
        let help = Some(help.into());
        Self { help, ..self }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The line in which the span begins, without its end.
    pub fn line_text(&self) -> &str {
        let line = self.file.line_of(self.span.start);
        let text = self.file.get(self.file.line_span(line));
        // Without a look at the whole line, which may be the whole file.
        let text = text.strip_suffix('\n').unwrap_or(text);
        text.strip_suffix('\r').unwrap_or(text)
    }

    /// Where the span begins.
    pub fn position(&self) -> Location {
        self.file.location(self.span.start)
    }

    /// Where the first character behind the span is.
    pub fn end(&self) -> Location {
        self.file.location(self.span.end)
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Location { line, column } = self.position();
        write!(
            f,
            "{}:{line}:{column}: {}",
            self.path().display(),
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
        let file = SourceFile::new("f", text);
        let at = |line| Diagnostic::of_line(&file, line, "m");
        assert_eq!(&text[at(1).span], "one");
        assert_eq!(at(2).position(), Location { line: 2, column: 1 });
        assert_eq!(&text[at(3).span], "two words");
        assert_eq!(at(3).position(), Location { line: 3, column: 3 });
        assert_eq!(at(3).line_text(), "  two words ");
        assert_eq!(&text[at(4).span], "last");
        assert_eq!(at(9).position().line, 4, "beyond the end");
        let ended = SourceFile::new("f", "one\nlast\n");
        assert_eq!(Diagnostic::of_line(&ended, 3, "m").line_text(), "last");
        let empty = SourceFile::new("f", "");
        assert_eq!(Diagnostic::of_line(&empty, 1, "m").line_text(), "");
    }
}
