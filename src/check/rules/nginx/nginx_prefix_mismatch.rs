//! Locations and paths of `proxy_pass` of which only one ends with a slash.

use crate::check::nginx::paths::{Match, matches};
use crate::check::nginx::target::target;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_prefix_mismatch, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        let Some(location) = block.node.filter(|node| node.name() == "location") else {
            continue;
        };
        if let Some((Match::Prefix, path)) = matches(location) {
            findings.extend(prefix(view, block, location, path));
        }
    }
}

fn prefix(view: &View<'_>, block: &Block<'_>, location: &Node<'_>, path: &str) -> Option<Finding> {
    let pass = *block.own("proxy_pass").last()?;
    let target = target(pass.first())?;
    let uri = target.uri.filter(|uri| uri.starts_with('/'))?;
    let changes = |node: &&Node<'_>| node.name() == "rewrite";
    let ifs = location.inside().iter().flat_map(Node::inside);
    // What a rewrite in the location leaves is passed on whole; a query is put together on purpose.
    if uri.contains(['?', '#'])
        || !block.own("rewrite").is_empty()
        || ifs.filter(changes).count() > 0
    {
        return None;
    }
    let before = pass.first().strip_suffix(uri)?;
    let whole = path.trim_end_matches('/');
    let (message, help) = match (path.ends_with('/'), uri.ends_with('/')) {
        (true, false) if !is_beginning(uri) => {
            let message = format!(
                "location {path} ends with a slash and the path {uri} of its proxy_pass does not: \
                 {path}status goes to {uri}status"
            );
            (message, format!("write proxy_pass {before}{uri}/;"))
        }
        // A websocket has one URL.
        (false, true) if !upgrades(block) => {
            let message = format!(
                "the path {uri} of this proxy_pass ends with a slash and location {path} does not: \
                 {path}/status goes to {uri}/status"
            );
            let help = format!(
                "write location {whole}/ {{, or location = {path} {{ if it is this one URL"
            );
            (message, help)
        }
        _ => return None,
    };
    let span = pass.args().first()?.span.clone();
    let expected = format!("this replaces {path}");
    let place = view.complain(pass.path, span, message, expected, help);
    Some(RULE.at(place))
}

/// Whether a path is a file, or ends so that something is meant to be put behind it: `/b/v-`.
fn is_beginning(uri: &str) -> bool {
    let last = uri.rsplit('/').next().unwrap_or_default();
    let file = last
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.starts_with(|c: char| c.is_ascii_alphabetic()));
    file || !last.ends_with(|c: char| c.is_alphanumeric())
}

fn upgrades(block: &Block<'_>) -> bool {
    let mut headers = block.own("proxy_set_header").iter();
    headers.any(|node| node.first().eq_ignore_ascii_case("upgrade"))
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn paths_that_do_not_fit() {
        table(
            "nginx-prefix-mismatch",
            &[
                (
                    "location /a/ { proxy_pass http://h:1/b; }",
                    "E sites-available/a:2:27: location /a/ ends with a slash and the path /b of its proxy_pass does not: /a/status goes to /bstatus",
                ),
                (
                    "location / { proxy_pass http://h:1/b; }",
                    "/status goes to /bstatus",
                ),
                (
                    "location /a { proxy_pass http://h:1/; }",
                    "/a/status goes to //status",
                ),
                (
                    "location ^~ /a { proxy_pass http://h:1/b/; }",
                    "/a/status goes to /b//status",
                ),
                ("location /a/ { proxy_pass http://h:1/b/; }", ""),
                ("location /a { proxy_pass http://h:1/b; }", ""),
                ("location /a { proxy_pass http://h:1; }", ""),
                ("location / { proxy_pass http://h:1/; }", ""),
                ("location = /a { proxy_pass http://h:1/; }", ""),
                ("location =/a { proxy_pass http://h:1/; }", ""),
                ("location ~ ^/a/ { proxy_pass http://h:1; }", ""),
                ("location @a { proxy_pass http://h:1; }", ""),
                ("location /a/ { proxy_pass http://h:1$request_uri; }", ""),
                ("location /find/ { proxy_pass http://h:1/search?q=; }", ""),
                ("location /v/ { proxy_pass http://h:1/bucket/v-; }", ""),
                (
                    "location /robots/ { proxy_pass http://h:1/robots.txt; }",
                    "",
                ),
                (
                    "location /v/ { proxy_pass http://h:1/v1.0; }",
                    "/v1.0status",
                ),
                (
                    "location /a { rewrite ^/a/(.*)$ /$1 break; proxy_pass http://h:1/; }",
                    "",
                ),
                (
                    "location /a { if ($x) { rewrite ^/a(.*)$ /$1 break; } proxy_pass http://h:1/; }",
                    "",
                ),
                (
                    "location /ws { proxy_set_header Upgrade $http_upgrade; proxy_pass http://h:1/; }",
                    "",
                ),
                (
                    "location /a/ { proxy_pass http://unix:/run/x.sock:/b; }",
                    "",
                ),
                (
                    "location /a/ { location /a/b/ { proxy_pass http://h:1/c; } proxy_pass http://h:1/; }",
                    "/a/b/status goes to /cstatus",
                ),
            ],
        );
    }
}
