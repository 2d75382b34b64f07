//! What a client can put into a variable: through a group of a regular expression, or directly.

use super::paths::{Match, matches};
use super::view::Block;
use crate::source::nginx::Node;
use crate::source::nginx::router::{Piece, names, pieces};

/// `set`s of `set`s: bounds what refers to itself.
const MAX_SETS: usize = 4;

/// A text with what `set` says in place of the variables that it sets, as far as the blocks around a directive say it.
pub(crate) fn resolved<'v>(block: &Block<'v>, text: &'v str) -> Vec<Piece<'v>> {
    let mut out = Vec::new();
    resolve(block, text, 0, &mut out);
    out
}

fn resolve<'v>(block: &Block<'v>, text: &'v str, depth: usize, out: &mut Vec<Piece<'v>>) {
    for piece in pieces(text) {
        let said = match piece {
            Piece::Variable(name) if depth < MAX_SETS && out.len() < 64 => set(block, name),
            _ => None,
        };
        match said {
            Some(text) => resolve(block, text, depth + 1, out),
            None => out.push(piece),
        }
    }
}

/// The value that the innermost block around it sets.
fn set<'v>(block: &Block<'v>, name: &str) -> Option<&'v str> {
    block.chain().find_map(|block| {
        let is = |node: &&&Node<'_>| node.first().strip_prefix('$') == Some(name);
        let node: &'v Node<'v> = block.own("set").iter().rev().find(is).copied()?;
        Some(node.args().get(1)?.text.as_str())
    })
}

/// The group of the location's regular expression that a piece is: its source. Groups of other expressions are not known:
/// those of a `rewrite` or an `if` replace them.
pub(crate) fn group_of<'v>(block: &Block<'v>, piece: &Piece<'_>) -> Option<&'v str> {
    let node = block.node.filter(|node| node.name() == "location")?;
    let (Match::Regex, pattern) = matches(node)? else {
        return None;
    };
    match piece {
        Piece::Group(number) => {
            let replaced = |node: &Node<'_>| match node.name() {
                "rewrite" => true,
                "if" => node.args().iter().any(|word| word.text.contains('~')),
                _ => false,
            };
            let is_own = !node.inside().iter().any(replaced);
            is_own.then(|| group(pattern, Wanted::Number(*number)))?
        }
        Piece::Variable(name) if names(pattern).contains(name) => {
            group(pattern, Wanted::Name(name))
        }
        _ => None,
    }
}

/// Whether the client writes the whole value, whatever it likes.
pub(crate) fn is_raw(name: &str) -> bool {
    let begins = ["arg_", "http_", "cookie_"];
    begins.iter().any(|begin| name.starts_with(begin))
        || matches!(
            name,
            "args" | "query_string" | "remote_user" | "request_body"
        )
}

/// Which group is wanted.
#[derive(Clone, Copy)]
enum Wanted<'n> {
    Number(usize),
    Name(&'n str),
}

/// The source of a group.
fn group<'p>(pattern: &'p str, wanted: Wanted<'_>) -> Option<&'p str> {
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut count = 0;
    for (at, token) in Tokens::of(pattern) {
        match token {
            "(" => {
                let behind = pattern.get(at + 1..)?;
                let name = ["?<", "?P<", "?'"].iter().find_map(|opening| {
                    let name = behind.strip_prefix(opening)?;
                    let end = name.find(['>', '\''])?;
                    let name = name.get(..end)?;
                    let is_name = !name.is_empty() && !name.starts_with(['=', '!']);
                    is_name.then_some((name, at + 1 + opening.len() + end + 1))
                });
                let captures = name.is_some() || !behind.starts_with(['?', '*']);
                count += usize::from(captures);
                let is_wanted = captures
                    && match wanted {
                        Wanted::Number(number) => number == count,
                        Wanted::Name(wanted) => name.is_some_and(|(name, _)| name == wanted),
                    };
                open.push(is_wanted.then(|| name.map_or(at + 1, |(_, from)| from)));
            }
            ")" => {
                if let Some(from) = open.pop()? {
                    return pattern.get(from..at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a part of a regular expression can match a text that has `wanted` in it. What is not understood cannot.
pub(crate) fn can_hold(source: &str, wanted: char) -> bool {
    let mut ignored: usize = 0;
    let mut depth: usize = 0;
    for (at, token) in Tokens::of(source) {
        let behind = source.get(at + 1..).unwrap_or_default();
        let looks = ["?=", "?!", "?<=", "?<!"];
        match token {
            "(" => {
                depth += 1;
                if ignored == 0 && looks.iter().any(|look| behind.starts_with(look)) {
                    ignored = depth;
                }
            }
            ")" => {
                if ignored == depth {
                    ignored = 0;
                }
                depth = depth.saturating_sub(1);
            }
            _ if ignored > 0 => {}
            "." if wanted != '\n' => return true,
            "." | "*" | "+" | "?" | "|" | "^" | "$" => {}
            token if token.starts_with('[') => {
                if class(token, wanted) {
                    return true;
                }
            }
            token if token.starts_with('\\') => {
                if token
                    .chars()
                    .nth(1)
                    .is_some_and(|letter| escape(letter, wanted))
                {
                    return true;
                }
            }
            token => {
                if token.starts_with(wanted) {
                    return true;
                }
            }
        }
    }
    false
}

/// Whether `\letter` matches a character, pcre2pattern(3).
fn escape(letter: char, wanted: char) -> bool {
    let is_word = wanted.is_ascii_alphanumeric() || wanted == '_';
    match letter {
        'd' => wanted.is_ascii_digit(),
        'D' => !wanted.is_ascii_digit(),
        'w' => is_word,
        'W' => !is_word,
        's' => wanted.is_ascii_whitespace(),
        'S' => !wanted.is_ascii_whitespace(),
        'n' | 'R' | 'v' => wanted == '\n',
        'N' => wanted != '\n',
        letter if letter.is_ascii_alphanumeric() => false,
        letter => letter == wanted,
    }
}

/// Whether a class in brackets has a character.
fn class(token: &str, wanted: char) -> bool {
    let inside = token.trim_start_matches('[');
    let inside = inside.strip_suffix(']').unwrap_or(inside);
    let (is_negated, inside) = match inside.strip_prefix('^') {
        Some(inside) => (true, inside),
        None => (false, inside),
    };
    if inside.contains("[:") {
        // A POSIX class: has neither a line end nor punctuation, but for the rare ones.
        return is_negated;
    }
    let mut has = false;
    let mut chars = inside.chars().peekable();
    while let Some(one) = chars.next() {
        if one == '\\' {
            has |= chars.next().is_some_and(|letter| escape(letter, wanted));
            continue;
        }
        let mut ahead = chars.clone();
        match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) if last != '\\' => {
                has |= (one..=last).contains(&wanted);
                chars = ahead;
            }
            _ => has |= one == wanted,
        }
    }
    has != is_negated
}

/// The tokens of a regular expression, with where they begin: escapes and classes as a whole, else single characters.
pub(crate) struct Tokens<'p> {
    pattern: &'p str,
    at: usize,
}

impl<'p> Tokens<'p> {
    /// Those of a pattern.
    pub(crate) fn of(pattern: &'p str) -> Self {
        Self { pattern, at: 0 }
    }
}

impl<'p> Iterator for Tokens<'p> {
    type Item = (usize, &'p str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.pattern.get(self.at..)?;
        let first = rest.chars().next()?;
        let length = match first {
            '\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '[' => class_length(rest),
            other => other.len_utf8(),
        };
        let at = self.at;
        self.at += length;
        Some((at, self.pattern.get(at..at + length)?))
    }
}

/// Bytes of the class at the beginning of a text; a `]` at its beginning is one of its characters.
fn class_length(text: &str) -> usize {
    let mut escaped = false;
    let body = text.get(1..).unwrap_or_default();
    let body = body.strip_prefix('^').unwrap_or(body);
    let from = text.len() - body.len();
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if at > 0 && !body.get(..at).is_some_and(|before| before.ends_with(':')) => {
                return from + at + 1;
            }
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_number_and_name() {
        let pattern = r"^/(?:x|y)(?<one>[^/)]+)/(\(a\))(?=z)(.*)$";
        assert_eq!(group(pattern, Wanted::Number(1)), Some("[^/)]+"));
        assert_eq!(group(pattern, Wanted::Name("one")), Some("[^/)]+"));
        assert_eq!(group(pattern, Wanted::Number(2)), Some(r"\(a\)"));
        assert_eq!(group(pattern, Wanted::Number(3)), Some(".*"));
        assert_eq!(group(pattern, Wanted::Number(4)), None);
        assert_eq!(group(")(", Wanted::Number(1)), None);
    }

    #[test]
    fn what_a_group_can_hold() {
        for (source, wanted, expected) in [
            (".*", '.', true),
            (".*", '\n', false),
            ("[^/]+", '\n', true),
            ("[^/]+", '/', false),
            (r"[^\s/]+", '\n', false),
            ("a|b", '.', false),
            (r"\w+", '.', false),
            (r"\W+", '\n', true),
            ("[a-z0-9-]+", '.', false),
            ("[a-z0-9.-]+", '.', true),
            ("[]a]+", '.', false),
            (r"v\d+\.\d+", '.', true),
            (r"(?!\.)x", '.', false),
            ("[[:alnum:]]+", '\n', false),
        ] {
            assert_eq!(can_hold(source, wanted), expected, "{source} {wanted:?}");
        }
    }
}
