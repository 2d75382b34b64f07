//! CORS headers that are sent twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use source_text::word_list;

use crate::check::nginx::header;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_cors_twice, Error, run);

const CORS: &str = "access-control-";

/// Headers of which a browser takes no second value; the others it reads as lists.
const SINGLE: [&str; 3] = word_list(
    "access-control-allow-origin access-control-allow-credentials access-control-max-age",
);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        twice(view, block.own("add_header"), findings);
    }
}

fn twice(view: &View<'_>, own: &[&Node<'_>], findings: &mut Findings) {
    let mut firsts: HashMap<String, &Node<'_>> = HashMap::new();
    for node in own {
        let name = header(node);
        let first = match firsts.entry(name.clone()) {
            Entry::Occupied(first) => *first.get(),
            Entry::Vacant(free) => {
                free.insert(node);
                continue;
            }
        };
        // Of several with variables, all but one may be empty, and those are not sent.
        let varies = |node: &&Node<'_>| {
            let value = node.args().get(1);
            value.is_none_or(|value| value.text.contains('$') || value.text.is_empty())
        };
        if !name.starts_with(CORS) || varies(node) || varies(&first) {
            continue;
        }
        let place = view.place(first);
        let message = format!(
            "{} is added at {place} already: it is sent twice",
            node.first()
        );
        let (severity, help) = match SINGLE.contains(&name.as_str()) {
            true => (
                Severity::Error,
                "remove one of the two: browsers refuse an answer with both",
            ),
            false => (Severity::Warning, "join the two values with a comma"),
        };
        let found = view.find(&RULE, node, message, help);
        findings.push(found.weighing(severity));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn headers_that_come_twice() {
        table(
        "nginx-cors-twice",
        &[
            ("add_header Access-Control-Allow-Origin *;\nadd_header access-control-allow-origin *;", "E sites-available/a:3:1: access-control-allow-origin is added at sites-available/a:2 already"),
            ("add_header Access-Control-Allow-Methods GET; add_header Access-Control-Allow-Methods POST;", "W sites"),
            ("add_header Access-Control-Allow-Origin $one; add_header Access-Control-Allow-Origin $two;", ""),
            ("add_header Set-Cookie a; add_header Set-Cookie b;", ""),
            (
                "location / { add_header Access-Control-Allow-Origin *;
                    if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin *; return 204; } }",
                "",
            ),
        ],
    );
    }
}
