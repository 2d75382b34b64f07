//! Expressions for the Origin or the Referer that also match other sites.

use std::ops::Range;
use std::path::Path;

use crate::check::nginx::captures::Tokens;
use crate::check::nginx::header;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_origin_regex, Warning, run);

/// The header that an expression is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Origin,
    Referer,
}

impl About {
    fn of(variable: &str) -> Option<Self> {
        match variable.trim_start_matches('(') {
            "$http_origin" => Some(Self::Origin),
            "$http_referer" => Some(Self::Referer),
            _ => None,
        }
    }
}

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        let node = block.node.filter(|node| node.name() == "if");
        findings.extend(node.and_then(|node| condition(view, node)));
    }
    for map in view.http.iter().filter(|node| node.name() == "map") {
        if About::of(map.first()) == Some(About::Origin) {
            findings.extend(
                map.inside()
                    .iter()
                    .filter_map(|entry| entry_of(view, entry)),
            );
        }
    }
}

/// A condition that lets others through: one that refuses all that do not match, or grants what does.
fn condition(view: &View<'_>, node: &Node<'_>) -> Option<Finding> {
    let args = node.args();
    let about = About::of(&args.first()?.text)?;
    let grants = match args.get(1)?.text.as_str() {
        "!~" | "!~*" => true,
        "~" | "~*" => node.inside().iter().any(|one| match about {
            About::Origin => one.name() == "set" || is_grant(one),
            About::Referer => is_grant(one),
        }),
        _ => false,
    };
    let word = args.get(2).filter(|_| grants)?;
    let pattern = word.text.as_str();
    // The closing parenthesis of the condition may stand at the end of the word.
    let pattern = match word.text.matches('(').count() < word.text.matches(')').count() {
        true => pattern.strip_suffix(')').unwrap_or(pattern),
        false => pattern,
    };
    finding(view, node.path, word.span.clone(), pattern, about)
}

fn is_grant(node: &Node<'_>) -> bool {
    let is_about_others =
        |header: String| header.starts_with("access-control-") || header == "x-frame-options";
    node.name() == "add_header" && is_about_others(header(node))
}

/// An entry of a map of the Origin whose value is not nothing.
fn entry_of(view: &View<'_>, entry: &Node<'_>) -> Option<Finding> {
    let pattern = entry
        .name()
        .strip_prefix("~*")
        .or_else(|| entry.name().strip_prefix('~'))?;
    if matches!(entry.first(), "" | "0" | "off" | "deny" | "false" | "no") {
        return None;
    }
    let from = entry.directive.span.start;
    let end = entry
        .args()
        .first()
        .map_or(from + 1, |word| word.span.start);
    let text = view.text(entry.path);
    let name = text
        .text()
        .get(from..end)
        .map_or(1, |name| name.trim_end().len());
    finding(view, entry.path, from..from + name, pattern, About::Origin)
}

fn finding(
    view: &View<'_>,
    path: &Path,
    span: Range<usize>,
    pattern: &str,
    about: About,
) -> Option<Finding> {
    let (problem, help) = too_wide(pattern, about)?;
    let name = match about {
        About::Origin => "Origin",
        About::Referer => "Referer",
    };
    let message = format!("this expression for the {name} also matches other sites: {problem}");
    Some(RULE.at(view.complain(path, span, message, "", help)))
}

/// What is wrong with an expression for a name of a host, and what helps.
fn too_wide(pattern: &str, about: About) -> Option<(&'static str, &'static str)> {
    if !names_a_host(pattern) {
        return None;
    }
    branches(pattern).into_iter().find_map(|branch| {
        let inside = branch.trim_start_matches(['(', '?', ':']);
        let begins = inside.starts_with('^') || inside.starts_with("\\A");
        let after_scheme = branch.find("//").or_else(|| branch.find(r"\/\/"));
        // No Origin has a second scheme in it.
        let is_bound = begins || (about == About::Origin && after_scheme.is_some());
        if names_a_host(branch) && !is_bound {
            let problem =
                "it has no ^, so anything may come before it, as in https://evil-example.com";
            return Some((problem, "begin it with ^https://"));
        }
        let host = after_scheme
            .and_then(|at| branch.get(at..))
            .unwrap_or(branch);
        let host = host.trim_start_matches(['/', '\\']);
        if bare_dot(host) {
            let problem = "its . matches any character, as in https://www-example.com";
            return Some((problem, r"write \. for a dot"));
        }
        if about == About::Referer && anything_before_a_name(host) {
            let problem = "its .* matches a slash, as in https://evil.example/x.example.com/";
            return Some((problem, "write [^/]* in the host"));
        }
        if names_a_host(host) && !ends(host) {
            let problem =
                "it has no end, so anything may follow, as in https://example.com.evil.example";
            return Some((
                problem,
                "end it with $, or with a / after the host for a Referer",
            ));
        }
        None
    })
}

fn tokens(text: &str) -> Vec<&str> {
    Tokens::of(text).map(|(_, token)| token).collect()
}

/// Those of a host, up to the slash behind it.
fn host_tokens(host: &str) -> Vec<&str> {
    let is_host = |token: &&str| !matches!(*token, "/" | r"\/");
    tokens(host).into_iter().take_while(is_host).collect()
}

fn is_word(token: &str) -> bool {
    token.len() == 1 && token.as_bytes().iter().all(u8::is_ascii_alphanumeric)
}

/// Whether an expression has a word with a dot in it that is no class: the name of a host.
fn names_a_host(pattern: &str) -> bool {
    tokens(pattern)
        .windows(3)
        .any(|three| matches!(three, [r"\." | ".", one, two] if is_word(one) && is_word(two)))
}

/// `.*` or `.+` in the host with a part of a name behind it.
fn anything_before_a_name(host: &str) -> bool {
    let tokens = host_tokens(host);
    let is_any = |two: &[&str]| matches!(two, [".", "*" | "+"]);
    let from = tokens.windows(2).position(is_any);
    let mut behind = from
        .into_iter()
        .flat_map(|from| tokens.iter().skip(from + 2));
    behind.any(|token| token.as_bytes().iter().all(u8::is_ascii_alphanumeric))
}

/// A dot between two letters of a name.
fn bare_dot(host: &str) -> bool {
    host_tokens(host).windows(4).any(|four| {
        matches!(four, [one, ".", two, three] if is_word(one) && is_word(two) && is_word(three))
    })
}

/// Whether what is behind the host has an end: a slash, or the end of the text.
fn ends(host: &str) -> bool {
    let mut tokens = Tokens::of(host).map(|(_, token)| token);
    tokens.any(|token| {
        matches!(token, "/" | r"\/" | "$" | r"\z" | r"\Z")
            || (token.starts_with('[') && token.contains('/'))
    })
}

/// The alternatives at the top of an expression.
fn branches(pattern: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0_usize, 0, Vec::new());
    for (at, token) in Tokens::of(pattern) {
        match token {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "|" if depth == 0 => {
                found.extend(pattern.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    found.extend(pattern.get(from..));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::nginx::tests::{said, table};

    #[test]
    fn expressions_that_others_match() {
        for (pattern, expected) in [
            (r"^https?:\/\/example\.com\/", ""),
            (r"^https?:\/\/example\.com/$", ""),
            (r"^https://example\.com$", ""),
            (r"^https?://([^/]+\.)?example\.com(:\d+)?$", ""),
            (r"^https://(a|b)\.example\.com(/|$)", ""),
            (r"^(https://a\.example\.com|https://b\.example\.com)$", ""),
            (r"https://example\.com$", ""),
            ("^$", ""),
            (".", ""),
            ("^https?://localhost", ""),
            (r"example\.com$", "no ^"),
            (r"^https?:\/\/example.com\/", "any character"),
            (r"^https?:\/\/www.example\.com\/", "any character"),
            (r"^https?:\/\/example\.com", "no end"),
            (r"^https://example\.com.*", "no end"),
            (r"^https://a\.example\.com/|b\.example\.org/", "no ^"),
        ] {
            let found = too_wide(pattern, About::Origin).map_or("", |(problem, _)| problem);
            let fits = match expected {
                "" => found.is_empty(),
                expected => found.contains(expected),
            };
            assert!(fits, "{pattern} {found}");
        }
        let any = too_wide(r"^https://.*\.example\.com/", About::Referer);
        assert!(any.is_some_and(|(problem, _)| problem.contains("a slash")));
        assert!(too_wide(r"^https://.*\.example\.com$", About::Origin).is_none());
        assert!(too_wide(r"^https://example\.com/.*x$", About::Referer).is_none());
        let referer = too_wide(r"https://example\.com/", About::Referer);
        assert!(referer.is_some_and(|(problem, _)| problem.contains("no ^")));
    }

    #[test]
    fn where_expressions_decide() {
        table(
            "nginx-origin-regex",
            &[
                (
                    "if ($http_origin !~ 'example\\.com$') { return 403; }",
                    "W sites-available/a:2:21: this expression for the Origin also matches other sites: it has no ^",
                ),
                (
                    "location / { if ($http_origin ~* (a|b)\\.example\\.com$) { add_header Access-Control-Allow-Origin $http_origin; } }",
                    "no ^",
                ),
                (
                    "if ($http_origin ~ '^https://www.example.com$') { set $cors 1; }",
                    "any character",
                ),
                (
                    "if ($http_referer !~ '^https://example\\.com') { return 403; }",
                    "no end",
                ),
                (
                    "if ($http_referer ~* '(spam|junk)\\.example') { return 403; }",
                    "",
                ),
                (
                    "if ($http_referer ~ 'search\\.example\\.com') { set $from search; }",
                    "",
                ),
                (
                    "if ($http_user_agent !~ 'example\\.com') { return 403; }",
                    "",
                ),
                (
                    "if ($http_origin !~ '^https://example\\.com$') { return 403; }",
                    "",
                ),
                ("if ($http_origin = '') { return 403; }", ""),
            ],
        );
        let map = "map $http_origin $cors {\n    default '';\n    ~example\\.com$ $http_origin;\n    '~^https://a\\.example\\.com$' $http_origin;\n    ~evil\\.example ''; }\nserver { listen 80; server_name a.example.com; root /x; }";
        let found = said("nginx-origin-regex", &[("sites-available/a", map)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("W sites-available/a:3:5: this expression for"));
    }
}
