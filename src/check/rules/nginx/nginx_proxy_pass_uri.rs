//! Paths of `proxy_pass` where none may be.

use crate::check::rules::nginx::prelude::*;
use crate::source::nginx::router::uri_part;

pub(crate) static RULE: Rule = rule!(nginx_proxy_pass_uri, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        check(view, block, findings);
    }
}

/// `ngx_http_proxy_pass` in src/http/modules/ngx_http_proxy_module.c: without variables there is no path to replace.
fn check(view: &View<'_>, block: &Block<'_>, findings: &mut Findings) {
    let kind = match (block.kind(), block.node.map(Node::first)) {
        ("if", _) => "an if",
        ("limit_except", _) => "a limit_except",
        ("location", Some(first)) if first.starts_with('~') => {
            "a location with a regular expression"
        }
        ("location", Some(first)) if first.starts_with('@') => "a named location",
        _ => return,
    };
    for node in block.own("proxy_pass") {
        let url = node.first();
        let Some(uri) = uri_part(url).filter(|uri| !uri.is_empty() && !url.contains('$')) else {
            continue;
        };
        let message = format!(
            "proxy_pass has the path {uri} in {kind}: nginx refuses the whole configuration"
        );
        let short = url.strip_suffix(uri).unwrap_or(url).trim_end_matches(':');
        let help =
            format!("write proxy_pass {short}; and change the path with a rewrite before it");
        findings.push(view.find(&RULE, node, message, help));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn paths_where_none_may_be() {
        let rule = "nginx-proxy-pass-uri";
        table(
            rule,
            &[
                (
                    "location ~ ^/x(/|$) { proxy_pass http://127.0.0.1:1/y; }",
                    "proxy_pass has the path /y in a location with a regular expression",
                ),
                ("location ~^/x { proxy_pass http://h:1/; }", "the path / in"),
                (
                    "location @x { proxy_pass http://h:1/; }",
                    "a named location",
                ),
                (
                    "location /x { if ($arg_a) { proxy_pass http://h:1/; } }",
                    "an if",
                ),
                (
                    "location /x { limit_except GET { proxy_pass http://h:1/; } }",
                    "a limit_except",
                ),
                (
                    "location ~ x { proxy_pass http://unix:/run/x.sock:/y; }",
                    "the path /y",
                ),
                ("location ~ x { proxy_pass http://unix:/run/x.sock; }", ""),
                ("location ~ x { proxy_pass http://h:1; }", ""),
                ("location ~ ^/x/(.*)$ { proxy_pass http://h:1/$1; }", ""),
                ("location ~ x { proxy_pass http://h:1$request_uri; }", ""),
                ("location @x { proxy_pass http://h:1; }", ""),
                ("location /x/ { proxy_pass http://h:1/y/; }", ""),
                ("location = /x { proxy_pass http://h:1/y; }", ""),
                ("location ~ x { fastcgi_pass unix:/run/php.sock; }", ""),
            ],
        );
    }
}
