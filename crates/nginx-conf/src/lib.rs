//! nginx's configuration syntax: a lexer and a block parser with byte spans.
//!
//! The grammar is that of `ngx_conf_read_token` in nginx's `src/core/ngx_conf_file.c`:
//! words, quoted strings, `;`, `{`, `}` and `#`.
//!
//! On top of the tree: [`Files`] resolves includes, [`router`] follows a URL to its upstream, [`directives`], [`variables`]
//! and [`versions`] are nginx's own tables.

mod certificates;
pub mod directives;
mod files;
mod lexer;
pub mod listen;
pub mod router;
mod runtime;
mod upstreams;
mod url;
pub mod variables;
pub mod versions;

use std::ops::Range;
use std::path::Path;

pub use certificates::{Certificate, certificates};
pub use files::{Files, Located, Node, Text, below_etc, file_name, is_pattern, loads};
pub use runtime::{Listen, Zone, listens, read_timeout, size, time, zones};
pub use upstreams::upstreams;
pub use url::Url;

use lexer::{Lexer, Token};
use smol_str::SmolStr;
use source_text::{Diagnostic, SourceFile};

/// Deeper than any real configuration; bounds recursion over what was read.
const MAX_DEPTH: usize = 64;

/// A directive with its block, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its first word.
    pub name: SmolStr,
    /// The words after.
    pub args: Vec<Word>,
    /// What is between `{` and `}`; `None` when it ends with `;`.
    pub block: Option<Vec<Directive>>,
    /// Bytes from its name to its last word.
    pub span: Range<usize>,
}

/// A word without its quotes, escapes resolved as nginx does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What nginx reads. Most words are short: these need no memory of their own.
    pub text: SmolStr,
    /// Its bytes in the file, quotes included.
    pub span: Range<usize>,
}

/// A block that is still open.
struct Open {
    name: Word,
    args: Vec<Word>,
    brace: Range<usize>,
    outer: Vec<Directive>,
}

/// Parses a configuration file.
pub fn parse(path: &Path, source: &str) -> Result<Vec<Directive>, Diagnostic> {
    let fail = |span: Range<usize>, message: &str, expected: &str| {
        let file = SourceFile::new(path, source);
        Err(Diagnostic::at(&file, span, message, expected))
    };
    let mut lexer = Lexer::new(source);
    let mut words: Vec<Word> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut level: Vec<Directive> = Vec::new();
    loop {
        let token = match lexer.next() {
            Ok(token) => token,
            Err(wrong) => return fail(wrong.span, &wrong.message, wrong.expected),
        };
        match token {
            Token::Word(word) => words.push(word),
            Token::Semicolon(at) => match taken(&mut words) {
                Some((name, args)) => level.push(directive(name, args, None)),
                None => return fail(at, "unexpected \";\"", "expected a directive before it"),
            },
            Token::Open(brace) => {
                if let Some(expression) = words
                    .last()
                    .and_then(|word| counted(source, word, brace.start))
                {
                    let text = source.get(expression.clone()).unwrap_or_default();
                    return fail(
                        expression,
                        "nginx takes the \"{\" in this expression for the beginning of a block",
                        &format!("write it in quotes: \"{text}\""),
                    );
                }
                let Some((name, args)) = taken(&mut words) else {
                    return fail(brace, "unexpected \"{\"", "expected a directive before it");
                };
                if open.len() >= MAX_DEPTH {
                    let message = "blocks are nested too deeply";
                    return fail(brace, message, "expected fewer levels");
                }
                open.push(Open {
                    name,
                    args,
                    brace,
                    outer: std::mem::take(&mut level),
                });
            }
            Token::Close(at) => {
                if let Some(last) = words.last() {
                    return missing_semicolon(&fail, &words, last);
                }
                let Some(block) = open.pop() else {
                    return fail(at, "unexpected \"}\"", "no block is open here");
                };
                close(&mut level, block);
            }
            Token::End => {
                if let Some(last) = words.last() {
                    return missing_semicolon(&fail, &words, last);
                }
                return match open.pop() {
                    Some(block) => {
                        let message = format!("the block of \"{}\" is not closed", block.name.text);
                        let expected = "expected a matching \"}\" before the end of the file";
                        fail(block.brace, &message, expected)
                    }
                    None => Ok(level),
                };
            }
        }
    }
}

/// The regular expression that goes on behind a word with how often something is there, such as `{8}` or `{2,4}`: outside of quotes,
/// the brace ends the word. What is in such a block would be no directive.
fn counted(source: &str, word: &Word, brace: usize) -> Option<Range<usize>> {
    let inside = source.get(brace + 1..)?;
    let count = inside.get(..inside.find('}')?)?;
    let is_count = count.starts_with(|first: char| first.is_ascii_digit())
        && count.chars().all(|c| c.is_ascii_digit() || c == ',');
    let is_quoted = source.get(..brace)?.ends_with(['"', '\'']);
    if word.span.end != brace || is_quoted || !is_count {
        return None;
    }
    let rest = source.get(brace..)?;
    let end = rest.find(|c: char| c.is_ascii_whitespace() || c == ';')?;
    Some(word.span.start..brace + end)
}

fn missing_semicolon<T>(
    fail: &impl Fn(Range<usize>, &str, &str) -> Result<T, Diagnostic>,
    words: &[Word],
    last: &Word,
) -> Result<T, Diagnostic> {
    let name = words.first().map_or("", |word| word.text.as_str());
    fail(
        last.span.clone(),
        &format!("directive \"{name}\" is not terminated by \";\""),
        "expected \";\" after this",
    )
}

/// The first word and those after it, in room of their own that is just as large. `words` keeps its room for the next ones.
fn taken(words: &mut Vec<Word>) -> Option<(Word, Vec<Word>)> {
    let mut words = words.drain(..);
    let name = words.next()?;
    Some((name, words.collect()))
}

fn directive(name: Word, args: Vec<Word>, block: Option<Vec<Directive>>) -> Directive {
    let end = args.last().map_or(name.span.end, |word| word.span.end);
    Directive {
        span: name.span.start..end,
        name: name.text,
        args,
        block,
    }
}

/// Puts a finished block where it was opened.
fn close(level: &mut Vec<Directive>, block: Open) {
    let inside = std::mem::replace(level, block.outer);
    level.push(directive(block.name, block.args, Some(inside)));
}

/// Where the `}` of a directive's block is, in the text that it was parsed from; `None` where it has no block.
pub fn end_of_block(source: &str, directive: &Directive) -> Option<usize> {
    directive.block.as_ref()?;
    let from = directive.span.end;
    let mut lexer = Lexer::new(source.get(from..)?);
    let mut depth = 0_usize;
    loop {
        match lexer.next().ok()? {
            Token::Open(_) => depth += 1,
            Token::Close(at) if depth <= 1 => return Some(from + at.start),
            Token::Close(_) => depth -= 1,
            Token::End => return None,
            Token::Word(_) | Token::Semicolon(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_block_is_its_own_brace() {
        let source = "a;\nserver {\n  # }\n  b \"}\" { c; }\n} # {\nd { }";
        let parsed = parse(Path::new("s"), source).unwrap();
        let ends: Vec<_> = parsed.iter().map(|one| end_of_block(source, one)).collect();
        let brace = source.find("} # {").unwrap();
        assert_eq!(ends, [None, Some(brace), Some(source.len() - 1)]);
        assert_eq!(end_of_block("server {", &parsed[1]), None);
    }

    fn outline(directives: &[Directive]) -> String {
        let mut text = String::new();
        for directive in directives {
            text.push_str(&directive.name);
            for word in &directive.args {
                text.push_str(&format!(" <{}>", word.text));
            }
            match &directive.block {
                Some(block) => text.push_str(&format!(" {{ {}}} ", outline(block))),
                None => text.push_str("; "),
            }
        }
        text
    }

    #[test]
    fn reads_as_nginx_does() {
        for (source, expected) in [
            ("a b;", "a <b>; "),
            ("a  b\n\tc ;# x { ;\nd;", "a <b> <c>; d; "),
            ("a \"b ; {\" 'c \\'d';", "a <b ; {> <c 'd>; "),
            ("a b#c;", "a <b#c>; "),
            ("a ${b}c $d;", "a <${b}c> <$d>; "),
            (
                "try_files $uri $uri/ =404;",
                "try_files <$uri> <$uri/> <=404>; ",
            ),
            ("if ($a = \"x\") { b; }", "if <($a> <=> <x> <)> { b; } "),
            (
                "location ~ \\.php$ { a; }",
                "location <~> <\\.php$> { a; } ",
            ),
            ("s { } t { u { v; } }", "s { } t { u { v; } } "),
            ("a \"\\t\\\\x\\y\";", "a <\t\\x\\y>; "),
            ("a b};", "a <b}>; "),
            ("location ~ \"x{8}\"{ a; }", "location <~> <x{8}> { a; } "),
            ("a b{c d; }", "a <b> { c <d>; } "),
            ("a b{ 8 d; }", "a <b> { 8 <d>; } "),
            ("a ${{b;", "a <${{b>; "),
            ("", ""),
        ] {
            let parsed = parse(Path::new("s"), source).map(|parsed| outline(&parsed));
            assert_eq!(parsed.as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (source, expected) in [
            (
                "server {\n  a b;\n",
                "s:1:8: the block of \"server\" is not closed",
            ),
            (
                "server {\n  a b\n}\n",
                "s:2:5: directive \"a\" is not terminated by \";\"",
            ),
            ("a b", "s:1:3: directive \"a\" is not terminated by \";\""),
            ("a;\n}\n", "s:2:1: unexpected \"}\""),
            ("a; ;", "s:1:4: unexpected \";\""),
            ("{ a; }", "s:1:1: unexpected \"{\""),
            (
                "server { location ~ ^/x{8}$ { a; } }",
                "s:1:21: nginx takes the \"{\" in this expression for the beginning of a block",
            ),
            (
                "rewrite ^/([0-9]{2,4})/x{2}$ /y last;",
                "s:1:9: nginx takes the \"{\" in this expression for the beginning of a block",
            ),
            ("a \"b;\n", "s:1:3: the quoted string is not closed"),
            (
                "# 日本語\na \"b\"c;",
                "s:2:6: unexpected \"c\" behind a quoted string",
            ),
        ] {
            let error = parse(Path::new("s"), source).map_err(|error| error.to_string());
            assert_eq!(error, Err(expected.into()), "{source}");
        }
    }

    /// Tried with nginx 1.22.
    #[test]
    fn what_does_not_fit_into_nginxs_buffer_is_refused() {
        let long = |length: usize| "x".repeat(length);
        for (source, expected) in [
            (format!("a {};", long(4095)), None),
            (
                format!("a {};", long(4096)),
                Some("s:1:3: the word that begins here is longer than nginx can hold"),
            ),
            (format!("a \"{}\";", long(4094)), None),
            (
                format!("a \"{}\";", long(4095)),
                Some("s:1:4: the quoted string that begins here is longer than nginx can hold"),
            ),
            (format!("#{}\na;", long(4094)), None),
            (
                format!("#{}\na;", long(4095)),
                Some("s:1:1: the comment that begins here is longer than nginx can hold"),
            ),
            (
                "\u{feff}a;".to_owned(),
                Some("s:1:1: the file begins with a byte order mark"),
            ),
        ] {
            let error = parse(Path::new("s"), &source)
                .err()
                .map(|error| error.to_string());
            assert_eq!(error.as_deref(), expected);
        }
    }

    #[test]
    fn spans_cover_what_was_read() {
        let source = "server { listen \"80\"; }";
        let parsed = parse(Path::new("s"), source).unwrap();
        let listen = &parsed[0].block.as_ref().unwrap()[0];
        assert_eq!(&source[listen.span.clone()], "listen \"80\"");
        assert_eq!(&source[listen.args[0].span.clone()], "\"80\"");
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let error = parse(Path::new("s"), &"a {".repeat(100_000)).unwrap_err();
        assert_eq!(error.message, "blocks are nested too deeply");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(source in ".*") {
            let _ = parse(Path::new("s"), &source);
        }

        #[test]
        fn never_panics_on_what_looks_like_it(source in "[a ;{}\"'\\\\$#\n)é]{0,40}") {
            match parse(Path::new("s"), &source) {
                Ok(parsed) => { let _ = certificates(&parsed); }
                Err(error) => { let _ = error.position(); }
            }
        }
    }
}
