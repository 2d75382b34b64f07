//! Headers whose value goes over several lines.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_header_multiline, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        for name in [
            "add_header",
            "add_trailer",
            "proxy_set_header",
            "grpc_set_header",
        ] {
            let nodes = block.own(name).iter();
            findings.extend(nodes.filter_map(|node| broken(view, node, 1)));
        }
        let nodes = block.own("more_set_headers").iter();
        findings.extend(nodes.filter_map(|node| broken(view, node, 0)));
    }
}

/// The first value from a word on that has a line end. Lists of statuses and types are no headers.
fn broken(view: &View<'_>, node: &Node<'_>, from: usize) -> Option<Finding> {
    let args = node.args();
    let mut words = args.iter().enumerate().skip(from);
    let (_, word) = words.find(|(at, word)| {
        let before = at.checked_sub(1).and_then(|before| args.get(before));
        let is_list = before.is_some_and(|before| matches!(before.text.as_str(), "-s" | "-t"));
        word.text.contains('\n') && !is_list
    })?;
    // The place is where the value begins: the value itself has several lines.
    let from = word.span.start;
    let message = "the header's value has line ends in it, which HTTP does not allow: clients take it for a broken answer";
    let help = "write the value in one line; a map or several set lines can build a long one";
    let place = view.complain(node.path, from..from + 1, message, "", help);
    Some(RULE.at(place))
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn values_with_line_ends() {
        table(
            "nginx-header-multiline",
            &[
                (
                    "add_header Content-Security-Policy \"\n    default-src 'self';\n    img-src *\";",
                    "W sites-available/a:2:36: the header's value has line ends",
                ),
                ("proxy_set_header X-A 'a\n b';", "line ends"),
                (
                    "more_set_headers -t 'text/html text/plain' 'X-A: a\n b';",
                    "line ends",
                ),
                ("add_header X-A a;", ""),
                ("add_header\n    X-A\n    a\n    always;", ""),
                ("more_set_headers -t 'text/html\n text/plain' 'X-A: a';", ""),
                ("more_set_headers -s 404 -s '500\n 503' 'X-A: a';", ""),
            ],
        );
    }
}
