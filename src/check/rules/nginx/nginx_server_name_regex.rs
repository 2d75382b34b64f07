//! Regular expressions of server names that match more than is meant.

use crate::check::nginx::servers::{Name, names_of};
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_server_name_regex, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for server in view.servers() {
        findings.extend(names_of(server).iter().filter_map(|name| regex(view, name)));
    }
}

/// A regular expression that also matches names which only contain or resemble the one that is meant.
fn regex(view: &View<'_>, name: &Name<'_, '_>) -> Option<Finding> {
    let expression = name.text.strip_prefix('~')?;
    // Everything is meant.
    if [
        "", ".", ".*", ".+", "^", "^.*$", "^.+$", "^.*", "^.+", "^(.*)$", "^(.+)$",
    ]
    .contains(&expression)
    {
        return None;
    }
    let open = match (expression.starts_with('^'), expression.ends_with('$')) {
        (true, true) => "",
        (false, true) => "has no ^ at its beginning",
        (true, false) => "has no $ at its end",
        (false, false) => "has no ^ and $ around it",
    };
    let (message, help) = match (open, has_bare_dot(expression)) {
        ("", false) => return None,
        ("", true) => (
            format!(
                "a dot in the server name ~{expression} is not escaped: it matches any character"
            ),
            "write \\. for a dot".to_owned(),
        ),
        (open, _) => {
            let inside = expression.trim_start_matches('^').trim_end_matches('$');
            let message = format!(
                "the server name ~{expression} {open}: names of others that contain it also match"
            );
            (message, format!("write ~^{inside}$, with \\. for a dot"))
        }
    };
    Some(view.find_at(&RULE, name.node, &name.span, message, help))
}

/// Whether a dot stands for any character where a name has its dots: outside brackets, and not
/// repeated as in `.*`.
fn has_bare_dot(expression: &str) -> bool {
    let mut chars = expression.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => class = true,
            ']' => class = false,
            '.' if !class && !matches!(chars.peek(), Some('*' | '+' | '?' | '{')) => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn names_that_match_too_much() {
        table(
            "nginx-server-name-regex",
            &[
                (
                    "server_name ~api\\.x\\.org;",
                    "W sites-available/a:2:13: the server name ~api\\.x\\.org has no ^ and $ around it",
                ),
                ("server_name ~^api\\.x\\.org;", "has no $ at its end"),
                (
                    "server_name ~^api.x.org$;",
                    "a dot in the server name ~^api.x.org$ is not escaped",
                ),
                ("server_name ~^(?<sub>.+)\\.x\\.org$;", ""),
                ("server_name ~^[a.b]+\\.x\\.org$;", ""),
                ("server_name ~^(www\\.)?(?<domain>.*)$ ~.;", ""),
                ("server_name api.x.org *.x.org .y.org www.*;", ""),
            ],
        );
    }
}
