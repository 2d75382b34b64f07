//! A kind of value that has a function of its own to read it.

use std::ops::Range;

use super::extract::{Syntax, words};

/// How systemd reads a value.
#[derive(Debug)]
pub struct Reader {
    /// The part of a text that systemd does not take.
    pub(super) wrong: fn(&str) -> Option<Range<usize>>,
    /// What would be read, in words.
    pub(super) expected: &'static str,
    /// Words among which the one that was meant may be.
    pub(super) words: fn() -> Vec<&'static str>,
    /// Whether systemd ignores a wrong word and takes the others.
    pub(super) by_word: bool,
    /// Whether systemd resolves specifiers in the value.
    pub(super) specifiers: bool,
}

impl Reader {
    /// One whose value is taken or not as a whole, specifiers resolved.
    pub(super) const fn new(
        wrong: fn(&str) -> Option<Range<usize>>,
        expected: &'static str,
    ) -> Self {
        Self {
            wrong,
            expected,
            words: Vec::new,
            by_word: false,
            specifiers: true,
        }
    }

    /// One of a list, whose wrong words are ignored.
    pub(super) const fn list(
        wrong: fn(&str) -> Option<Range<usize>>,
        expected: &'static str,
    ) -> Self {
        Self {
            by_word: true,
            ..Self::new(wrong, expected)
        }
    }

    /// The same without specifiers.
    pub(super) const fn literal(self) -> Self {
        Self {
            specifiers: false,
            ..self
        }
    }

    /// The same with words that may have been meant.
    pub(super) const fn of(self, words: fn() -> Vec<&'static str>) -> Self {
        Self { words, ..self }
    }
}

/// All of a text, if it is wrong.
pub(super) fn whole(text: &str, is_right: bool) -> Option<Range<usize>> {
    (!is_right).then_some(0..text.len())
}

/// The first word of a list that is not `right`.
pub(super) fn first_wrong(
    text: &str,
    syntax: Syntax,
    right: impl Fn(&str) -> bool,
) -> Option<Range<usize>> {
    match words(text, syntax) {
        Ok(words) => words
            .into_iter()
            .find(|word| !right(&word.text))
            .map(|word| word.span),
        Err(span) => Some(span),
    }
}

/// The same for a list of which words with specifiers may become anything.
pub(super) fn first_wrong_written(
    text: &str,
    syntax: Syntax,
    right: impl Fn(&str) -> bool,
) -> Option<Range<usize>> {
    first_wrong(text, syntax, |word| word.contains('%') || right(word))
}

/// The place of a part behind a mark that a value may begin with.
pub(super) fn behind(
    text: &str,
    mark: char,
    wrong: impl Fn(&str) -> Option<Range<usize>>,
) -> Option<Range<usize>> {
    match text.strip_prefix(mark) {
        Some(rest) => {
            let at = text.len() - rest.len();
            wrong(rest).map(|span| span.start + at..span.end + at)
        }
        None => wrong(text),
    }
}
