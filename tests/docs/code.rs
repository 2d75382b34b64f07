//! As much of Rust as it takes to find texts in it.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::repository;

#[derive(Debug, PartialEq)]
pub(crate) enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

impl Token {
    pub(crate) fn is(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }

    pub(crate) fn opens(&self) -> bool {
        matches!(self, Self::Mark('(' | '[' | '{'))
    }

    pub(crate) fn closes(&self) -> bool {
        matches!(self, Self::Mark(')' | ']' | '}'))
    }
}

/// As much of Rust as is needed: words, texts and marks, without comments, characters and the tests at the end.
pub(crate) fn tokens(code: &str) -> Vec<Token> {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut rest = code;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if first == '"' {
            let (text, length) = text(after);
            tokens.push(Token::Text(text));
            rest = &after[length..];
        } else if first == '\'' {
            let mut chars = after.char_indices().skip(1);
            let end = match after.strip_prefix('\\') {
                Some(escaped) => escaped
                    .char_indices()
                    .skip(1)
                    .find(|(_, c)| *c == '\'')
                    .map(|(at, _)| at + 1),
                None => chars.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at),
            };
            // Else a lifetime.
            rest = end.map_or(after, |end| &after[end + 1..]);
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            tokens.push(Token::Word(word.to_owned()));
            rest = after;
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Mark(first));
            }
            rest = after;
        }
    }
    tokens
}

/// A text behind its first quote, and the bytes up to behind its last.
fn text(code: &str) -> (String, usize) {
    let mut text = String::new();
    let mut chars = code.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, at + 1),
            '\\' => match chars.next() {
                Some((_, '\n')) => {
                    let next = code[at + 2..].find(|c: char| !c.is_whitespace());
                    let skipped = code[at + 2..at + 2 + next.unwrap_or(0)].chars().count();
                    chars.by_ref().take(skipped).for_each(drop);
                }
                Some((_, 'n')) => text.push('\n'),
                Some((_, other)) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    panic!("a text without an end: {text}");
}

/// Where what opens at `at` closes.
pub(crate) fn closing(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        depth += i32::from(token.opens()) - i32::from(token.closes());
        if depth == 0 {
            return place;
        }
    }
    panic!("nothing closes what opens at {at}");
}

/// The end of what begins at `at`: the first `;`, or the block of an `if let`, outside of brackets.
pub(crate) fn statement(tokens: &[Token], at: usize, is_condition: bool) -> Range<usize> {
    let mut end = at;
    while end < tokens.len() {
        let token = &tokens[end];
        if token.is(';') || token.closes() || is_condition && token.is('{') {
            break;
        }
        end = if token.opens() {
            closing(tokens, end) + 1
        } else {
            end + 1
        };
    }
    at..end
}

/// The arguments of a call whose bracket opens at `at`.
pub(crate) fn arguments(tokens: &[Token], at: usize) -> Vec<Range<usize>> {
    let end = closing(tokens, at);
    let (mut found, mut from, mut place) = (Vec::new(), at + 1, at + 1);
    while place < end {
        if tokens[place].is(',') {
            found.push(from..place);
            from = place + 1;
        }
        place = if tokens[place].opens() {
            closing(tokens, place) + 1
        } else {
            place + 1
        };
    }
    found.push(from..end);
    found.retain(|range| !range.is_empty());
    found
}

/// The body of a function.
pub(crate) fn body(tokens: &[Token], name: &str) -> Option<Range<usize>> {
    let named = tokens
        .windows(2)
        .position(|pair| pair[0].is_word("fn") && pair[1].is_word(name))?;
    let open = (named..tokens.len()).find(|at| tokens[*at].is('{'))?;
    Some(open + 1..closing(tokens, open))
}

/// All texts among tokens.
pub(crate) fn all_in(tokens: &[Token]) -> Vec<&str> {
    let texts = tokens.iter().filter_map(|token| match token {
        Token::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Files of Rust below a folder, without those of tests.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![repository().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_stem().is_some_and(|name| name == "tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    found
}

pub(crate) fn read(path: &Path) -> Vec<Token> {
    tokens(&fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// All texts of the program.
pub(crate) fn all_texts() -> BTreeSet<String> {
    let of_file = |path: PathBuf| -> Vec<String> {
        let tokens = read(&path);
        all_in(&tokens).into_iter().map(str::to_owned).collect()
    };
    files("src").into_iter().flat_map(of_file).collect()
}
