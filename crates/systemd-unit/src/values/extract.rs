//! Words of a value as systemd splits it, `src/basic/extract-word.c` of systemd.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use crate::parse::BLANKS;

/// A word of a value.
#[derive(Debug)]
pub(super) struct Word {
    /// Without its quotes and escapes.
    pub text: String,
    /// Its bytes in the value.
    pub span: Range<usize>,
}

/// What is special in a value besides blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// A backslash before a plain character.
    Plain,
    /// The same, and quotes.
    Quoted,
    /// Quotes, and the escapes of C.
    Escaped,
    /// The escapes of C without quotes.
    Codes,
    /// Quotes; a backslash is a character.
    Raw,
}

/// The words of a value. The error is where it cannot be split: a quote that is not closed, a lone backslash.
pub(super) fn words(text: &str, syntax: Syntax) -> Result<Vec<Word>, Range<usize>> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    loop {
        while chars.next_if(|(_, c)| BLANKS.contains(c)).is_some() {}
        let Some(&(start, _)) = chars.peek() else {
            return Ok(found);
        };
        let is_end = |c: char| BLANKS.contains(&c);
        let word = word(&mut chars, syntax, is_end).ok_or(start..text.len())?;
        let end = chars.peek().map_or(text.len(), |(at, _)| *at);
        found.push(Word {
            text: word,
            span: start..end,
        });
    }
}

/// The parts of a text between separators, which may be empty; none where it cannot be split.
pub(super) fn parts(text: &str, separators: &[char], syntax: Syntax) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    loop {
        found.push(word(&mut chars, syntax, |c| separators.contains(&c))?);
        if chars.next().is_none() {
            return Some(found);
        }
    }
}

/// A word up to a character that ends it, which stays.
fn word(
    chars: &mut Peekable<CharIndices>,
    syntax: Syntax,
    is_end: impl Fn(char) -> bool,
) -> Option<String> {
    let mut word = String::new();
    let mut quote = None;
    while let Some(&(_, c)) = chars.peek() {
        if quote.is_none() && is_end(c) {
            break;
        }
        chars.next();
        match (c, quote) {
            ('\\', _) if syntax != Syntax::Raw => word.push(escape(chars, syntax)?),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) if !matches!(syntax, Syntax::Plain | Syntax::Codes) => {
                quote = Some(c)
            }
            _ => word.push(c),
        }
    }
    quote.is_none().then_some(word)
}

/// What is behind a backslash, `cunescape_one` in `src/basic/escape.c` of systemd.
fn escape(chars: &mut Peekable<CharIndices>, syntax: Syntax) -> Option<char> {
    let (_, c) = chars.next()?;
    if !matches!(syntax, Syntax::Escaped | Syntax::Codes) {
        return Some(c);
    }
    Some(match c {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        's' => ' ',
        '\\' | '"' | '\'' => c,
        'x' => code(chars, 2, 16, 0)?,
        'u' => code(chars, 4, 16, 0)?,
        'U' => code(chars, 8, 16, 0)?,
        '0'..='7' => code(chars, 2, 8, c.to_digit(8)?).filter(|c| u32::from(*c) <= 255)?,
        _ => return None,
    })
}

/// A character by its number, which is not 0.
fn code(chars: &mut Peekable<CharIndices>, digits: usize, radix: u32, first: u32) -> Option<char> {
    let mut number = first;
    for _ in 0..digits {
        let digit = chars.next()?.1.to_digit(radix)?;
        number = number.checked_mul(radix)?.checked_add(digit)?;
    }
    char::from_u32(number).filter(|c| *c != '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_systemd_does() {
        for (text, syntax, expected) in [
            ("a  b\\ c", Syntax::Plain, Some(vec!["a", "b c"])),
            ("\"a b\" c", Syntax::Plain, Some(vec!["\"a", "b\"", "c"])),
            ("\"a b\"c 'd'", Syntax::Quoted, Some(vec!["a bc", "d"])),
            ("\"\"", Syntax::Quoted, Some(vec![""])),
            ("a\\x20b \\\"", Syntax::Escaped, Some(vec!["a b", "\""])),
            ("a\\qb", Syntax::Escaped, None),
            ("a\\x2db", Syntax::Raw, Some(vec!["a\\x2db"])),
            ("a\\", Syntax::Quoted, None),
            ("'a", Syntax::Quoted, None),
            ("", Syntax::Plain, Some(vec![])),
        ] {
            let found = words(text, syntax).ok();
            let texts: Option<Vec<String>> =
                found.map(|words| words.into_iter().map(|word| word.text).collect());
            let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(texts, expected, "{text}");
        }
        let parts = parts("/a::b\\:c:", &[':'], Syntax::Quoted).unwrap();
        assert_eq!(parts, ["/a", "", "b:c", ""]);
    }
}
