//! Locations of one block that are the same.

use std::collections::BTreeMap;

use crate::check::nginx::paths::{Match, matches};
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_duplicate_location, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        if matches!(block.kind(), "server" | "location") {
            duplicates(view, block, findings);
        }
    }
}

/// Locations of one block that are the same: nginx refuses them, but for regular expressions and
/// names, of which the second never comes to pass.
fn duplicates(view: &View<'_>, block: &Block<'_>, findings: &mut Findings) {
    let inside = block.node.map_or(&[][..], Node::inside);
    let mut known: BTreeMap<(Match, bool, &str), &Node<'_>> = BTreeMap::new();
    for location in inside.iter().filter(|node| node.name() == "location") {
        let Some((kind, path)) = matches(location) else {
            continue;
        };
        let first = location.first();
        let caseless = kind == Match::Regex && first.starts_with("~*");
        let Some(first) = known.get(&(kind, caseless, path)) else {
            known.insert((kind, caseless, path), location);
            continue;
        };
        let written = location.located().text();
        let (said, severity) = match kind {
            Match::Exact | Match::Prefix => ("nginx refuses it", Severity::Error),
            Match::Regex | Match::Named => ("this one is never used", Severity::Warning),
        };
        let place = view.place(first);
        let message = format!("{written} is already defined at {place}: {said}");
        let help = "join the two blocks, or give one of them another path";
        let found = view.find(&RULE, location, message, help);
        findings.push(found.weighing(severity));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::{said, table};

    #[test]
    fn locations_that_stand_twice() {
        table(
            "nginx-duplicate-location",
            &[
                (
                    "location /a { } location /a { }",
                    "E sites-available/a:2:17: location /a is already defined at sites-available/a:2: nginx refuses it",
                ),
                (
                    "location /a { } location ^~ /a { }",
                    "location ^~ /a is already",
                ),
                ("location = /a { } location =/a { }", "nginx refuses it"),
                (
                    "location / { location /a { } location /a { } }",
                    "nginx refuses it",
                ),
                ("location ~ \\.php$ { } location ~ \\.php$ { }", "W sites"),
                (
                    "location /a { } location = /a { } location /a/ { } location ~ /a { } location ~* /a { }",
                    "",
                ),
                (
                    "location /a { location /a/b { } } location /b { location /b/c { } }",
                    "",
                ),
            ],
        );
    }

    #[test]
    fn a_snippet_counts_where_it_is_included() {
        let snippet = "location /health { return 200; }\n";
        let site = |more: &str| format!("server {{ include snippets/health.conf; {more} }}");
        let found = |more: &str| {
            let files = [
                ("etc/nginx/snippets/health.conf", snippet),
                ("sites-available/a", &site(more)),
            ];
            said("nginx-duplicate-location", &files)
        };
        assert_eq!(found("location /other { }"), [""; 0]);
        let twice = found("location /health { }");
        assert_eq!(twice.len(), 1, "{twice:?}");
        assert!(
            twice[0].contains("already defined at etc/nginx/snippets/health.conf:1"),
            "{twice:?}"
        );
    }
}
