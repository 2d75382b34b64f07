//! The decoded path where it ends a header.

use crate::check::nginx::captures::{can_hold, group_of, resolved};
use crate::check::nginx::paths::{Match, matches};
use crate::check::rules::nginx::prelude::*;
use crate::source::nginx::Word;

pub(crate) static RULE: Rule = rule!(nginx_header_injection, Error, run);

/// The path as nginx decoded it: `%0d%0a` in a request is a new line in these.
const DECODED: [&str; 2] = ["uri", "document_uri"];

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        check(view, block, findings);
    }
}

/// Complains about directives of a block that write the decoded path into a header.
fn check(view: &View<'_>, block: &Block<'_>, findings: &mut Findings) {
    if matches!(block.node.and_then(matches), Some((Match::Regex, _))) {
        let captured = block.settings().iter();
        findings.extend(captured.filter_map(|node| captured_in(view, block, node)));
    }
    let found = block
        .settings()
        .iter()
        .filter_map(|node| injection(view, node));
    let mut found = found.peekable();
    // Only the one path that is written comes to an exact location.
    if found.peek().is_some()
        && !matches!(block.location().and_then(matches), Some((Match::Exact, _)))
    {
        findings.extend(found);
    }
}

/// Complains about a group of the location's expression that can hold a line end, where it goes into a header: what a
/// location matches is decoded. A redirect of `rewrite` encodes groups again.
fn captured_in(view: &View<'_>, block: &Block<'_>, node: &Node<'_>) -> Option<Finding> {
    let (at, where_to) = goes(node).filter(|_| node.name() != "rewrite")?;
    let word = node.args().get(at).filter(|word| word.text.contains('$'))?;
    let pieces = resolved(block, &word.text);
    let mut pieces = pieces.iter();
    let name = pieces.find(|piece| {
        let group = group_of(block, piece);
        group.is_some_and(|group| can_hold(group, '\n'))
    })?;
    let message = format!(
        "{name} is a part of the decoded path and can have a line end in it: %0a in a request becomes a new line in {where_to}"
    );
    let help = "leave white space out of the group, as in [^/\\s]+";
    Some(
        view.find_at(&RULE, node, &word.span, message, help)
            .weighing(Severity::Warning),
    )
}

/// The argument of a directive that goes into a header, and which one that is.
fn goes(node: &Node<'_>) -> Option<(usize, &'static str)> {
    let is_redirect = |code: &Word| {
        let code = code.text.as_str();
        matches!(code, "301" | "302" | "303" | "307" | "308")
    };
    Some(match (node.name(), node.args()) {
        ("return", [code, _]) if is_redirect(code) => (1, "the Location header"),
        ("return", [url]) if !url.text.is_empty() => (0, "the Location header"),
        ("rewrite", [_, to, flags @ ..]) if redirects(&to.text, flags) => {
            (1, "the Location header")
        }
        ("add_header", [_, _, ..]) => (1, "a header of the answer"),
        ("proxy_set_header", [_, _]) => (1, "a header for the upstream"),
        ("proxy_pass", [_]) => (0, "the request line for the upstream"),
        _ => return None,
    })
}

fn injection(view: &View<'_>, node: &Node<'_>) -> Option<Finding> {
    let (at, where_to) = goes(node)?;
    let decoded = |text: &str| {
        let mut names = DECODED.into_iter().filter(|_| text.contains('$'));
        names.find(|name| uses(text, name))
    };
    let word = node.args().get(at)?;
    let variable = decoded(&word.text)?;
    let message = format!(
        "${variable} is the decoded path: %0d%0a in a request becomes a new line in {where_to}"
    );
    let help = match node.name() {
        "proxy_pass" => "leave the path out, or write $request_uri".to_owned(),
        _ => "write $request_uri, which is as the client sent it".to_owned(),
    };
    let place = view.complain(node.path, word.span.clone(), message, "", help);
    let severity = match node.name() {
        // What a rewrite made of the path has no other name.
        "proxy_pass" => Severity::Warning,
        _ => Severity::Error,
    };
    Some(RULE.at(place).weighing(severity))
}

/// Whether a rewrite ends in an answer to the client.
fn redirects(to: &str, flags: &[Word]) -> bool {
    let begins = ["http://", "https://", "$scheme"];
    begins.iter().any(|begin| to.starts_with(begin))
        || flags
            .iter()
            .any(|flag| matches!(flag.text.as_str(), "redirect" | "permanent"))
}

/// Whether a text has the variable `$NAME` or `${NAME}`.
fn uses(text: &str, name: &str) -> bool {
    text.split('$').skip(1).any(|behind| {
        let braced = behind
            .strip_prefix('{')
            .and_then(|inside| inside.strip_prefix(name));
        let plain = behind.strip_prefix(name);
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        braced.is_some_and(|rest| rest.starts_with('}')) || plain.is_some_and(ends)
    })
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn the_decoded_path_in_headers() {
        table(
            "nginx-header-injection",
            &[
                (
                    "return 301 https://$host$uri;",
                    "E sites-available/a:2:12: $uri is the decoded path",
                ),
                ("return 302 https://$host${document_uri};", "$document_uri"),
                ("return https://$host$uri;", "Location"),
                ("rewrite ^ https://$host$uri permanent;", "Location"),
                ("rewrite ^/a /b$uri redirect;", "Location"),
                (
                    "location / { add_header X-Path $uri; }",
                    "header of the answer",
                ),
                (
                    "location / { proxy_set_header X-Original $uri; }",
                    "header for the upstream",
                ),
                (
                    "location / { proxy_pass http://localhost:1$uri$is_args$args; }",
                    "W sites",
                ),
                ("return 301 https://$host$request_uri;", ""),
                ("return 200 $uri;", ""),
                ("return 404;", ""),
                ("rewrite ^/a/(.*)$ /index.php?path=$uri last;", ""),
                ("location / { try_files $uri $uri/ /index.html; }", ""),
                ("location / { add_header X-Path $uri_of_mine; }", ""),
                ("location = /a { return 301 https://example.com$uri; }", ""),
                (
                    "set $path $uri; access_log /x uri; error_page 404 $uri;",
                    "",
                ),
            ],
        );
    }
    #[test]
    fn groups_with_line_ends() {
        table(
            "nginx-header-injection",
            &[
                (
                    "location ~ ^/p/(a|b)/(\\W*)$ { proxy_pass http://app/$2; }",
                    "W sites-available/a:2:42: $2 is a part of the decoded path",
                ),
                (
                    "location ~* ^/p/([^/]+)/ { return 302 https://example.com/$1; }",
                    "Location",
                ),
                ("location ~ ^/p/(?<x>[^/]+)/ { add_header X-A $x; }", "$x"),
                (
                    "location ~ ^/p/(\\W*)$ { set $p $1; proxy_pass http://app/$p; }",
                    "$1",
                ),
                ("location ~* ^/p/(.*) { proxy_pass http://app/$1; }", ""),
                (
                    "location ~ ^/p/(a|b)/(\\W*)$ { set $p $1; proxy_pass http://app/$p; }",
                    "",
                ),
                (
                    "location ~ ^/p/([^/]+)$ { proxy_pass http://app/$some; }",
                    "",
                ),
                (
                    "location ~ ^/p/([^/\\s]+)/ { return 302 https://example.com/$1; }",
                    "",
                ),
                (
                    "location ~ ^/p/([^/]+)/ { rewrite ^ https://example.com/$1 redirect; }",
                    "",
                ),
                (
                    "location ~ ^/p/([^/]+)/ { rewrite ^/(.*) /$1 break; proxy_pass http://app/$1; }",
                    "",
                ),
                ("location ~ ^/p/([^/]+)/ { return 200 $1; }", ""),
                (
                    "rewrite ^/p/(a|b)/(?<path>\\W*)$ https://example.com/$path redirect;",
                    "",
                ),
            ],
        );
    }
}
