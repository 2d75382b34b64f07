//! Directives that swallow the next line.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_missing_semicolon, Error, picks directives);

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn semicolons_that_are_missing() {
        table(
            "nginx-missing-semicolon",
            &[
                (
                    "proxy_set_header X-Real-IP $remote_addr\n    proxy_read_timeout 5s;",
                    "E sites-available/a:2:28: the ; is missing here: nginx reads proxy_read_timeout of the next line as an argument of proxy_set_header",
                ),
                (
                    "server_name b.example.com\n    client_max_body_size 5m;",
                    "W sites-available/a:2:13: the ; is missing here",
                ),
                (
                    "location / {\n root\n return 404;\n}",
                    "the ; is missing here: nginx reads return",
                ),
                ("listen 443\n    ssl http2;", ""),
                ("rewrite ^/a$ /b\n    break;", ""),
                ("server_name root\n   b.example.com;", ""),
                ("gzip_types text/plain\n  text/css application/json;", ""),
                (
                    "proxy_next_upstream error timeout\n   http_500 http_502;",
                    "",
                ),
            ],
        );
    }
}
