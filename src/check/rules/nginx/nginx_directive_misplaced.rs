//! Directives where nginx does not take them.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_directive_misplaced, Error, picks directives);

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn places_where_they_may_not_stand() {
        table(
            "nginx-directive-misplaced",
            &[
                (
                    "location / { listen 81; }",
                    "E sites-available/a:2:14: listen is not allowed in location",
                ),
                (
                    "proxy_pass http://localhost:1;",
                    "proxy_pass is not allowed in server",
                ),
                (
                    "if ($arg_a) { proxy_pass http://localhost:1; }",
                    "proxy_pass is not allowed in if in server",
                ),
                (
                    "location / { if ($arg_a) { proxy_set_header A b; } }",
                    "is not allowed in if in location",
                ),
                ("server { }", "server is not allowed in server"),
                ("upstream a { }", "upstream is not allowed in server"),
                (
                    "location / { if ($arg_a) { proxy_pass http://localhost:1; } }",
                    "",
                ),
                ("location / { limit_except GET { deny all; } }", ""),
                ("types { text/x listen; }", ""),
                ("include snippets/x.conf;", ""),
            ],
        );
    }
}
