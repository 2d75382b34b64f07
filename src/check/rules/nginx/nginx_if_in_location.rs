//! Settings in an `if` of a location.

use source_text::word_list;

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_if_in_location, Warning, run);

/// What works in an `if` as one expects: all of ngx_http_rewrite_module, and settings that nothing else of the location
/// depends on.
const SAFE: [&str; 11] = word_list(
    "return rewrite rewrite_log break set uninitialized_variable_warn access_log limit_rate \
    limit_rate_after expires include",
);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let blocks = context.blocks();
    for block in blocks {
        let Some(outer) = block.outer.as_deref() else {
            continue;
        };
        if block.kind() == "if" && outer.kind() == "location" {
            findings.extend(replaces(view, block, outer));
        }
    }
}

/// An `if` makes a location of its own, which a request uses from then on: `ngx_http_rewrite_if` in
/// src/http/modules/ngx_http_rewrite_module.c. The last of several that hold is the one.
fn replaces(view: &View<'_>, block: &Block<'_>, outer: &Block<'_>) -> Option<Finding> {
    let node = block.node?;
    let first = stays(node)?;
    let others = outer
        .node?
        .inside()
        .iter()
        .filter(|other| other.name() == "if");
    let mut others = others.filter(|other| other.directive.span != node.directive.span);
    let why = if let Some(other) = others.find(|other| stays(other).is_some()) {
        let line = view.line(other);
        format!("if the condition in line {line} is true too, only the last of the two applies")
    } else if !outer.own("try_files").is_empty() && !content(node) {
        "the try_files of the location then does not apply".to_owned()
    } else {
        return None;
    };
    let message = format!(
        "{} in an if replaces the whole location: {why}",
        first.name()
    );
    let help = "write only return, rewrite or set in an if; a map gives a value that depends on a condition";
    Some(view.find(&RULE, node, message, help))
}

/// The first setting of an `if` that handles a request further; none if it ends by an answer or goes elsewhere.
fn stays<'v>(node: &'v Node<'v>) -> Option<&'v Node<'v>> {
    let inside = node.inside();
    let ends = inside.iter().any(|one| match one.name() {
        "return" => true,
        "rewrite" => one.args().last().is_some_and(|flag| flag.text != "break"),
        _ => false,
    });
    inside
        .iter()
        .find(|one| !ends && !SAFE.contains(&one.name()))
}

/// Whether an `if` says itself where the answer comes from.
fn content(node: &Node<'_>) -> bool {
    node.inside()
        .iter()
        .any(|one| one.name().ends_with("_pass"))
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn settings_that_replace_a_location() {
        table(
            "nginx-if-in-location",
            &[
                (
                    "location / { if ($a) { return 403; } try_files $uri /x; if ($b) { add_header X-A 1; } }",
                    "W sites-available/a:2:57: add_header in an if replaces the whole location: the try_files",
                ),
                ("location / { if ($a) { set $b 1; } root /x; }", ""),
                ("location / { if ($a) { return 403; } }", ""),
                (
                    "location / { if ($a) { rewrite ^ /x last; } try_files $uri =404; }",
                    "",
                ),
                (
                    "location / { if ($a) { access_log off; } try_files $uri =404; }",
                    "",
                ),
                (
                    "location / { if ($request_method = OPTIONS) { add_header A b; return 204; } try_files $uri =404; }",
                    "",
                ),
                (
                    "location / { if ($a) { proxy_pass http://localhost:1; } try_files $uri =404; }",
                    "",
                ),
                (
                    "location / { if ($a) { add_header X-A 1; } proxy_pass http://localhost:1; }",
                    "",
                ),
                (
                    "if ($a) { return 403; } location / { try_files $uri =404; }",
                    "",
                ),
            ],
        );
    }

    #[test]
    fn two_of_which_one_counts() {
        let inside = "location / { if ($a) { add_header X-A 1; }\nif ($b) { add_header X-B 1; } return 204; }";
        let text = format!("server {{ listen 80; server_name a.example.com;\n{inside}\n}}");
        let found = crate::check::nginx::tests::said(
            "nginx-if-in-location",
            &[("sites-available/a", &text)],
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("if the condition in line 3 is true too"));
    }
}
