//! A kind of value that has a function of its own to read it.

use std::ops::Range;

use super::extract::{Syntax, words};

/// How systemd reads a value.
#[derive(Debug)]
pub struct Reader {
    reads: Reads,
    /// What would be read, in words.
    pub(super) expected: &'static str,
    /// Words among which the one that was meant may be.
    pub(super) words: fn() -> Vec<&'static str>,
    /// Whether systemd ignores a wrong word and takes the others.
    pub(super) by_word: bool,
    /// Whether systemd resolves specifiers in the value.
    pub(super) specifiers: bool,
    /// Whether words with specifiers may become anything.
    is_open: bool,
    /// Whether a `~` may be in front, which stands for all others.
    inverts: bool,
    /// Whether a whole text is right besides.
    also: Option<fn(&str) -> bool>,
}

#[derive(Debug)]
enum Reads {
    /// A text as a whole.
    Whole(fn(&str) -> bool),
    /// Each word of a list.
    Words(Syntax, fn(&str) -> bool),
    /// The same; a word is told whether the list stands for all others.
    Inverted(Syntax, fn(&str, bool) -> bool),
}

impl Reader {
    const fn new(reads: Reads, by_word: bool) -> Self {
        Self {
            reads,
            expected: "",
            words: Vec::new,
            by_word,
            specifiers: true,
            is_open: false,
            inverts: false,
            also: None,
        }
    }

    /// One whose value is taken or not as a whole, specifiers resolved.
    pub(super) const fn whole(is_right: fn(&str) -> bool) -> Self {
        Self::new(Reads::Whole(is_right), false)
    }

    /// One of a list, whose wrong words are ignored.
    pub(super) const fn list(syntax: Syntax, is_right: fn(&str) -> bool) -> Self {
        Self::new(Reads::Words(syntax, is_right), true)
    }

    /// One of a list whose words depend on a `~` in front, without specifiers.
    pub(super) const fn inverted(syntax: Syntax, is_right: fn(&str, bool) -> bool) -> Self {
        Self::new(Reads::Inverted(syntax, is_right), true).inverts()
    }

    /// The same with what would be read.
    pub(super) const fn expects(self, expected: &'static str) -> Self {
        Self { expected, ..self }
    }

    /// The same without specifiers.
    pub(super) const fn literal(self) -> Self {
        let specifiers = false;
        Self { specifiers, ..self }
    }

    /// The same; words with specifiers may become anything.
    pub(super) const fn open(self) -> Self {
        let is_open = true;
        Self { is_open, ..self }
    }

    /// The same; a wrong word spoils the others.
    pub(super) const fn at_once(self) -> Self {
        let by_word = false;
        Self { by_word, ..self }
    }

    /// The same without specifiers, behind a `~` for all others.
    pub(super) const fn inverts(self) -> Self {
        let inverts = true;
        Self { inverts, ..self }.literal()
    }

    /// The same; a text is right for another reason, too.
    pub(super) const fn or(self, also: fn(&str) -> bool) -> Self {
        let also = Some(also);
        Self { also, ..self }
    }

    /// The same with words that may have been meant.
    pub(super) const fn of(self, words: fn() -> Vec<&'static str>) -> Self {
        Self { words, ..self }
    }

    /// The part of a text that systemd does not take.
    pub(super) fn wrong(&self, text: &str) -> Option<Range<usize>> {
        if self.also.is_some_and(|also| also(text)) {
            return None;
        }
        let rest = text.strip_prefix('~').filter(|_| self.inverts);
        let (rest, is_inverted) = (rest.unwrap_or(text), rest.is_some());
        let at = text.len() - rest.len();
        let is_open = |word: &str| self.is_open && word.contains('%');
        let wrong = match self.reads {
            Reads::Whole(is_right) => whole(rest, is_right(rest)),
            Reads::Words(syntax, is_right) => {
                first_wrong(rest, syntax, |word| is_open(word) || is_right(word))
            }
            Reads::Inverted(syntax, is_right) => {
                first_wrong(rest, syntax, |word| is_right(word, is_inverted))
            }
        };
        wrong.map(|span| span.start + at..span.end + at)
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
