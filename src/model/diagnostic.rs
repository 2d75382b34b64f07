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
    /// Line and column of the start of the span, both from 1; the column counts characters.
    pub fn position(&self) -> (usize, usize) {
        let start = self.source.floor_char_boundary(self.span.start);
        let before = &self.source[..start];
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
