//! Directives that nginx does not know.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_unknown_directive, Error, picks directives);

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn words_that_are_no_directives() {
        table(
            "nginx-unknown-directive",
            &[
                (
                    "client_max_body_sise 5m;",
                    "E sites-available/a:2:1: nginx knows no directive client_max_body_sise",
                ),
                (
                    "location / { proxy_pas http://localhost:1; }",
                    "knows no directive proxy_pas",
                ),
                ("\u{3000}root /srv;", "\\u{3000}root is not a directive"),
                ("<<<<<<< HEAD;", "<<<<<<< is not a directive"),
                (
                    "location / { if($request_method = GET) { return 204; } }",
                    "if($request_method is not a directive",
                ),
                // Of modules that nginx does not bring along.
                ("more_set_headers x;", ""),
                ("brotli on;", ""),
                ("location / { content_by_lua_block { ngx.say(1) } }", ""),
                ("vhost_traffic_status_display;", ""),
                ("geoip2 /x { $y z; }", ""),
            ],
        );
    }
}
