//! The text of a file, and where its lines are.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A file's path and its whole text. All that is said about the file shares one of these.
#[derive(Debug)]
pub struct SourceFile {
    path: PathBuf,
    text: String,
    /// Where each line begins, once somebody has asked.
    lines: OnceLock<Vec<usize>>,
    /// Whether each byte is a character.
    is_ascii: OnceLock<bool>,
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl SourceFile {
    /// A file by its path, and its text.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
            lines: OnceLock::new(),
            is_ascii: OnceLock::new(),
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Some bytes of its text; nothing where they are no whole characters of it.
    pub fn get(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// Line and column of a byte. One within a character is that character's, one beyond the end is the end's.
    pub fn location(&self, at: usize) -> Location {
        let at = self.text.floor_char_boundary(at);
        let line = self.line_of(at);
        let start = self.start_of(line);
        let before = match self.is_ascii.get_or_init(|| self.text.is_ascii()) {
            true => at - start,
            false => self.get(start..at).chars().count(),
        };
        Location {
            line,
            column: before + 1,
        }
    }

    /// The number of the line that a byte is in, from 1.
    pub fn line_of(&self, at: usize) -> usize {
        self.lines().partition_point(|start| *start <= at).max(1)
    }

    /// The bytes of a line, counted from 1, with its end. A line that is not there is the last one.
    pub(crate) fn line_span(&self, line: usize) -> Range<usize> {
        let lines = self.lines();
        let line = line.clamp(1, lines.len());
        let end = lines.get(line).copied().unwrap_or(self.text.len());
        self.start_of(line)..end
    }

    fn start_of(&self, line: usize) -> usize {
        let index = line.saturating_sub(1);
        self.lines().get(index).copied().unwrap_or_default()
    }

    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let ends = self.text.bytes().enumerate();
            let ends = ends.filter_map(|(at, byte)| (byte == b'\n').then_some(at + 1));
            std::iter::once(0).chain(ends).collect()
        })
    }
}

impl PartialEq for SourceFile {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.path == other.path && self.text == other.text)
    }
}

impl Eq for SourceFile {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_a_line_and_a_column() {
        let file = SourceFile::new("f", "one\n日本 x\n\nlast");
        for (at, line, column) in [
            (0, 1, 1),
            (3, 1, 4),
            (4, 2, 1),
            (5, 2, 1),
            (7, 2, 2),
            (11, 2, 4),
            (12, 2, 5),
            (13, 3, 1),
            (14, 4, 1),
            (18, 4, 5),
            (99, 4, 5),
        ] {
            let found = file.location(at);
            assert_eq!((found.line, found.column), (line, column), "{at}");
        }
        assert_eq!(SourceFile::new("f", "").location(1).line, 1);
    }

    #[test]
    fn lines_have_their_bytes() {
        let file = SourceFile::new("f", "one\n\nlast\n");
        let text = |line| file.get(file.line_span(line));
        assert_eq!(
            [text(0), text(1), text(2), text(3), text(4), text(9)],
            ["one\n", "one\n", "\n", "last\n", "", ""]
        );
    }

    proptest::proptest! {
        /// The index says what counting says.
        #[test]
        fn the_index_counts_right(text in "[aé\n]{0,20}", at in 0usize..30) {
            let file = SourceFile::new("f", text.as_str());
            let before = &text[..text.floor_char_boundary(at)];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
            proptest::prop_assert_eq!(file.location(at), Location { line, column });
        }
    }
}
