//! Arguments that nginx refuses, beside what the table of directives says of them.

mod listen;
mod upstream;
mod values;
mod words;
mod zones;

pub(super) use values::is_address;

use std::collections::hash_map::Entry;

use super::said::{Said, Words};
use super::view::View;
use crate::source::nginx::router::condition;
use crate::source::nginx::{Node, Word};

const FLAGS: [&str; 4] = ["last", "break", "redirect", "permanent"];

const OPERATORS: [&str; 6] = ["=", "!=", "~", "~*", "!~", "!~*"];

/// What is wrong, and what would be right.
pub(crate) struct Wrong<'w> {
    /// The argument.
    pub word: &'w Word,
    /// What is wrong with it.
    pub message: String,
    /// What to write.
    pub help: &'static str,
}

impl<'w> Wrong<'w> {
    /// A word of which something is said: `WORD is not …`.
    fn of(word: &'w Word, what: &str, help: &'static str) -> Self {
        let message = format!("{} {what}", word.text);
        Self {
            word,
            message,
            help,
        }
    }
}

/// The same of a word that is not right.
fn unless<'w>(is_right: bool, word: &'w Word, what: &str, help: &'static str) -> Option<Wrong<'w>> {
    (!is_right).then(|| Wrong::of(word, what, help))
}

/// The block around a directive, as far as it decides how nginx reads its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Within {
    /// In `http`, a server or what is in it.
    Http,
    /// In an `upstream`.
    Upstream,
    /// In `stream` or a server there.
    Stream,
    /// In an `upstream` of a stream.
    StreamUpstream,
    /// At the top, or in `events`.
    Main,
}

/// Shows every wrong argument of a configuration to a function, with its directive.
pub(crate) fn walk<'v, 'a>(view: &'v View<'a>, each: &mut impl FnMut(&'v Node<'a>, Wrong<'v>)) {
    let mut fine = Said::default();
    level(&view.http, Within::Http, &mut fine, each);
    level(&view.main, Within::Main, &mut fine, each);
}

fn level<'v, 'a>(
    nodes: &'v [Node<'a>],
    within: Within,
    fine: &mut Said<'a, Within, ()>,
    each: &mut impl FnMut(&'v Node<'a>, Wrong<'v>),
) {
    for node in nodes.iter().filter(|node| !node.again) {
        if let Entry::Vacant(new) = fine.entry(Words::of(node.directive, within)) {
            match wrong(node, within) {
                Some(wrong) => each(node, wrong),
                None => {
                    new.insert(());
                }
            }
        }
        let inner = match (node.name(), within) {
            ("stream", Within::Main) => Within::Stream,
            ("events", Within::Main) => Within::Main,
            ("upstream", Within::Http) => Within::Upstream,
            ("upstream", Within::Stream) => Within::StreamUpstream,
            ("server", Within::Http | Within::Stream)
            | ("location" | "if" | "limit_except", Within::Http) => within,
            _ => continue,
        };
        level(node.inside(), inner, fine, each);
    }
}

/// The first thing that is wrong with a directive's arguments.
fn wrong<'n>(node: &'n Node<'_>, within: Within) -> Option<Wrong<'n>> {
    let args = node.args();
    let found = match within {
        Within::Upstream | Within::StreamUpstream => {
            upstream::wrong(node.name(), args, within == Within::StreamUpstream)
        }
        Within::Http => of_http(node, args),
        Within::Stream => of_stream(node.name(), args),
        Within::Main => values::of_main(node.name(), args),
    };
    found.or_else(|| zones::wrong(node.name(), args))
}

fn of_http<'n>(node: &'n Node<'_>, args: &'n [Word]) -> Option<Wrong<'n>> {
    match (node.name(), args) {
        ("proxy_pass", [url]) => target(url),
        (
            name @ ("fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "memcached_pass" | "grpc_pass"),
            [target],
        ) => upstream::passed(name, target),
        ("listen", [address, options @ ..]) => listen::listen(address, options, false),
        ("location", [modifier, _]) => {
            let known = ["=", "^~", "~", "~*"].contains(&modifier.text.as_str());
            let help = "write =, ^~, ~ or ~*, or put quotes around a path with spaces";
            unless(known, modifier, "is not a modifier of location", help)
        }
        ("if", [first, ..]) => operator(node, first),
        ("return", [code, ..]) => status(code, args.len() == 1),
        ("rewrite", [_, to, ..]) if to.text.is_empty() => Some(Wrong {
            word: to,
            message: "rewrite has an empty replacement".to_owned(),
            help: "write a path, or return with a status",
        }),
        ("rewrite", [_, _, flag]) => (!FLAGS.contains(&flag.text.as_str())).then(|| Wrong {
            word: flag,
            message: format!("{} is not a flag of rewrite", flag.text),
            help: "write last, break, redirect or permanent",
        }),
        ("add_header" | "add_trailer", [_, _, always]) if always.text != "always" => Some(Wrong {
            word: always,
            message: format!("{} allows only always here", node.name()),
            help: "write always, or put a value with spaces in quotes",
        }),
        ("error_page", [codes @ .., _]) => {
            let last = codes.len().saturating_sub(1);
            let mut codes = codes.iter().enumerate();
            codes.find_map(|(at, code)| error_code(code, at == last))
        }
        (name, args) => values::wrong(name, args).or_else(|| words::wrong(name, args)),
    }
}

fn of_stream<'n>(name: &str, args: &'n [Word]) -> Option<Wrong<'n>> {
    match (name, args) {
        ("listen", [address, options @ ..]) => listen::listen(address, options, true),
        ("proxy_pass", [target]) => upstream::passed(name, target),
        ("allow" | "deny" | "error_log", args) => values::wrong(name, args),
        _ => None,
    }
}

/// `invalid URL prefix`, `ngx_http_proxy_pass` in ngx_http_proxy_module.c.
fn target(url: &Word) -> Option<Wrong<'_>> {
    let lower = url.text.to_ascii_lowercase();
    let has_scheme = lower.starts_with("http://") || lower.starts_with("https://");
    if lower.contains('$') {
        return None;
    }
    if !has_scheme {
        return Some(Wrong::of(
            url,
            "is not a URL: nginx refuses a proxy_pass without http:// or https://",
            "write http:// in front of the address",
        ));
    }
    let (_, address) = url.text.split_once("://")?;
    upstream::address(url, address, true)
}

fn operator<'n>(node: &Node<'_>, first: &'n Word) -> Option<Wrong<'n>> {
    let ends = node.args().last()?.text.ends_with(')');
    if !first.text.starts_with('(') || !ends {
        return Some(Wrong {
            word: first,
            message: "the condition of if has no parentheses around it".to_owned(),
            help: "write if (CONDITION) { … }",
        });
    }
    let texts: Vec<&str> = (node.args().iter())
        .map(|word| word.text.as_str())
        .collect();
    if let [_, operator, ")"] = texts.as_slice()
        && OPERATORS.contains(operator)
    {
        return Some(Wrong {
            word: first,
            message: format!("nothing follows {operator}"),
            help: "write the value to compare with, or \"\" for an empty one",
        });
    }
    let words = condition(node.located());
    let (message, help) = match words.as_slice() {
        [variable, operator, ..] if variable.starts_with('$') && !OPERATORS.contains(operator) => (
            format!("{operator} is not a comparison operator of nginx"),
            "write =, !=, ~, ~*, !~ or !~*",
        ),
        [variable, _, _, rest, ..] if variable.starts_with('$') => (
            format!("if takes one comparison, but {rest} follows it"),
            "write one if inside the other, or a map over both variables",
        ),
        [variable, operator] if variable.starts_with('$') && OPERATORS.contains(operator) => (
            format!("nothing follows {operator}"),
            "write the value to compare with, or \"\" for an empty one",
        ),
        [variable, ..] if variable.starts_with('$') => {
            // Names of arguments, headers and cookies may have any characters.
            let name = variable.get(1..)?;
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let is_free = [
                "arg_",
                "http_",
                "cookie_",
                "sent_",
                "upstream_",
                "proxy_protocol_tlv_",
            ];
            let is_free = is_free.iter().any(|start| name.starts_with(start));
            if is_free || name.chars().all(is_word) {
                return None;
            }
            (
                format!("nginx reads all of {variable} as the name of a variable"),
                "write a space before and after the operator, and one variable without braces",
            )
        }
        [file, rest @ ..] if file.starts_with('-') || file.starts_with("!-") => {
            let is_known = ["f", "d", "e", "x"].contains(&file.trim_start_matches(['!', '-']));
            if is_known && file.len() <= 3 && rest.len() == 1 {
                return None;
            }
            (
                format!("{} is not a file test", words.join(" ")),
                "write -f, -d, -e or -x, with ! in front for the opposite, and one path",
            )
        }
        _ => (
            "the condition of if does not begin with a variable".to_owned(),
            "write ($VARIABLE), ($VARIABLE = TEXT), ($VARIABLE ~ EXPRESSION) or (-f PATH)",
        ),
    };
    Some(Wrong {
        word: first,
        message,
        help,
    })
}

fn status(code: &Word, is_alone: bool) -> Option<Wrong<'_>> {
    let text = code.text.as_str();
    let is_url = ["http://", "https://", "$scheme"]
        .iter()
        .any(|start| text.starts_with(start));
    let is_code = text.parse::<u16>().is_ok_and(|code| code <= 999);
    let is_taken = is_code || is_alone && is_url;
    let help = "write a number such as 301 or 404 first";
    unless(is_taken, code, "is not a status that return can send", help)
}

/// `value "x" must be between 300 and 599`
fn error_code(code: &Word, is_last: bool) -> Option<Wrong<'_>> {
    let text = code.text.as_str();
    let is_code = text
        .parse::<u16>()
        .is_ok_and(|code| (300..=599).contains(&code) && code != 499);
    // The status to answer with follows the others.
    let is_answer = text
        .strip_prefix('=')
        .is_some_and(|answer| is_last && answer.bytes().all(|byte| byte.is_ascii_digit()));
    (!is_code && !is_answer).then(|| Wrong {
        word: code,
        message: format!("{text} is not a status that error_page can handle"),
        help: "write numbers from 300 to 599",
    })
}
