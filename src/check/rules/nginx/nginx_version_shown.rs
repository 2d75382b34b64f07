//! The version of nginx in every answer, asked for on purpose.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_version_shown, Warning, run)
    .grouped("lines show nginx's version to everybody", None);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        for node in block.own("server_tokens") {
            let what = match node.first() {
                "on" => "version",
                "build" => "version and build",
                _ => continue,
            };
            let message = format!("every answer and error page shows nginx's {what}");
            let help = "write server_tokens off;";
            findings.push(view.find(&RULE, node, message, help));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn versions_that_are_shown_on_purpose() {
        table(
            "nginx-version-shown",
            &[
                ("server_tokens on;", "W sites-available/a:2:1: every answer"),
                ("server_tokens build;", "version and build"),
                ("server_tokens off;", ""),
                ("location / { return 204; }", ""),
            ],
        );
    }
}
