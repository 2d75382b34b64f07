//! Directives that nginx takes once in a block.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::directives::Problem;
use crate::model::Severity;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-directive-twice",
    Severity::Error,
    include_str!("nginx_directive_twice.md"),
    run,
);

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.directives(), Problem::Twice);
}

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
