//! Locations inside of others where nginx refuses them. `ngx_http_core_location` in src/http/ngx_http_core_module.c.

use crate::check::nginx::paths::{Match, matches};
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_location_nested, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context
        .blocks()
        .iter()
        .filter(|block| block.kind() == "location")
    {
        let Some(outer) = block.node else { continue };
        for inner in outer
            .inside()
            .iter()
            .filter(|node| node.name() == "location")
        {
            if let Some((message, help)) = wrong(outer, inner) {
                findings.push(view.find(&RULE, inner, message, help));
            }
        }
    }
}

fn wrong(outer: &Node<'_>, inner: &Node<'_>) -> Option<(String, &'static str)> {
    let ((around, path), (kind, name)) = (matches(outer)?, matches(inner)?);
    let aside = "move it out of the other location";
    match (around, kind) {
        (Match::Exact, _) => Some((
            format!("a location cannot be inside the exact location {path}: nginx refuses it"),
            aside,
        )),
        (Match::Named, _) => Some((
            format!("a location cannot be inside the named location {path}: nginx refuses it"),
            aside,
        )),
        (_, Match::Named) => Some((
            format!("the named location {name} is inside location {path}: nginx refuses it"),
            "move it into the server",
        )),
        // The text of an expression counts as the path.
        (Match::Prefix | Match::Regex, Match::Exact | Match::Prefix) if !name.starts_with(path) => {
            Some((
                format!("location {name} is outside location {path}: nginx refuses it"),
                "write its whole path, or move it out of the other location",
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn locations_inside_of_others() {
        table(
            "nginx-location-nested",
            &[
                (
                    "location /a { location /b { } }",
                    "E sites-available/a:2:15: location /b is outside location /a",
                ),
                (
                    "location = /a { location /a/b { } }",
                    "inside the exact location /a",
                ),
                (
                    "location @a { location /a { } }",
                    "inside the named location @a",
                ),
                (
                    "location /a { location @b { } }",
                    "the named location @b is inside",
                ),
                (
                    "location ~ \\.php$ { location /a { } }",
                    "is outside location",
                ),
                (
                    "location /a { location /a/b { location /a/c { } } }",
                    "/a/c is outside",
                ),
                (
                    "location /a { location /ab { } location = /a { } location ~ b { } }",
                    "",
                ),
                (
                    "location ^~ /a/ { location ~ \\.php$ { location ~ x { } } } location @b { }",
                    "",
                ),
                ("location / { location /b { } }", ""),
            ],
        );
    }
}
