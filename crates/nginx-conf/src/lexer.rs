//! Words of an nginx configuration.

use std::ops::Range;

use smol_str::SmolStr;

use super::Word;

/// What a configuration consists of.
pub(super) enum Token {
    Word(Word),
    Semicolon(Range<usize>),
    Open(Range<usize>),
    Close(Range<usize>),
    End,
}

/// Why no token could be read.
pub(super) struct Wrong {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) expected: &'static str,
}

/// nginx holds a word, and a comment, with the byte after it in a buffer of this size
/// (`NGX_CONF_BUFFER`).
const LONGEST: usize = 4096;

/// Reads tokens one by one. Works on bytes, as nginx does: all that means something is ASCII.
pub(super) struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Result<Token, Wrong> {
        if self.at == 0 && self.source.starts_with('\u{feff}') {
            return Err(Wrong {
                span: 0..'\u{feff}'.len_utf8(),
                message: "the file begins with a byte order mark".into(),
                expected: "nginx takes it for a part of the first directive: save the file without it",
            });
        }
        self.skip_blanks()?;
        let start = self.at;
        let one = start..start + 1;
        match self.peek() {
            None => Ok(Token::End),
            Some(b';') => Ok(self.single(Token::Semicolon(one))),
            Some(b'{') => Ok(self.single(Token::Open(one))),
            Some(b'}') => Ok(self.single(Token::Close(one))),
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
            Some(_) => self.word(),
        }
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn skip_blanks(&mut self) -> Result<(), Wrong> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'#' => {
                    let start = self.at;
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                    let end = usize::from(self.peek().is_some());
                    self.bound(start..self.at, end, "the comment")?;
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Refuses what does not fit into nginx's buffer together with the `more` bytes after it.
    fn bound(&self, span: Range<usize>, more: usize, what: &str) -> Result<(), Wrong> {
        if span.len() + more <= LONGEST {
            return Ok(());
        }
        let rest = self.source.get(span.start..).unwrap_or_default();
        let first = rest.chars().next().map_or(0, char::len_utf8);
        Err(Wrong {
            span: span.start..span.start + first,
            message: format!("{what} that begins here is longer than nginx can hold"),
            expected: "expected less than 4096 bytes",
        })
    }

    /// An unquoted word: quotes and `}` inside are part of it, `${` does not start a block.
    fn word(&mut self) -> Result<Token, Wrong> {
        let start = self.at;
        let mut dollar = false;
        while let Some(byte) = self.peek() {
            match byte {
                // nginx does not take the brace for the end of the dollar's turn: `${{` is one word.
                b'{' if dollar => {}
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' => break,
                b'\\' => {
                    dollar = false;
                    self.at += 1;
                    if self.peek().is_none() {
                        break;
                    }
                }
                _ => dollar = byte == b'$',
            }
            self.at += 1;
        }
        self.bound(start..self.at, 1, "the word")?;
        Ok(Token::Word(self.taken(start..self.at, start..self.at)))
    }

    fn quoted(&mut self, quote: u8) -> Result<Token, Wrong> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    return Err(Wrong {
                        span: start..start + 1,
                        message: "the quoted string is not closed".into(),
                        expected: "expected a matching quote before the end of the file",
                    });
                }
                Some(b'\\') => self.at += 2,
                Some(byte) if byte == quote => break,
                Some(_) => self.at += 1,
            }
        }
        let word = self.taken(start + 1..self.at, start..self.at + 1);
        self.bound(start + 1..self.at, 2, "the quoted string")?;
        self.at += 1;
        match self.peek() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')') => Ok(Token::Word(word)),
            Some(_) => {
                let rest = self.source.get(self.at..).unwrap_or_default();
                let next = rest.chars().next().unwrap_or_default();
                Err(Wrong {
                    span: self.at..self.at + next.len_utf8(),
                    message: format!(
                        "unexpected \"{}\" behind a quoted string",
                        next.escape_debug()
                    ),
                    expected: "expected a blank, \";\" or \"{\"",
                })
            }
        }
    }

    fn taken(&self, inside: Range<usize>, span: Range<usize>) -> Word {
        Word {
            text: unescape(self.source.get(inside).unwrap_or_default()),
            span,
        }
    }
}

/// Resolves the escapes that nginx knows; the backslash of any other stays.
fn unescape(raw: &str) -> SmolStr {
    if !raw.contains('\\') {
        return SmolStr::new(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        let replaced = match (c, chars.peek()) {
            ('\\', Some(same @ ('"' | '\'' | '\\'))) => Some(*same),
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some('n')) => Some('\n'),
            _ => None,
        };
        match replaced {
            Some(replaced) => {
                chars.next();
                text.push(replaced);
            }
            None => text.push(c),
        }
    }
    text.into()
}
