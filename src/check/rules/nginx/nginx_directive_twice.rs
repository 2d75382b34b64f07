//! Directives that nginx takes once in a block.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_directive_twice, Error, picks directives);

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn settings_with_two_values() {
        table(
            "nginx-directive-twice",
            &[
                (
                    "gzip on; gzip off;",
                    "E sites-available/a:2:10: gzip appears here for the second time",
                ),
                (
                    "client_max_body_size 1m; location / { client_max_body_size 2m; }",
                    "",
                ),
                (
                    "add_header A b; add_header C d; error_page 404 /a; error_page 500 /b;",
                    "",
                ),
            ],
        );
    }
}
