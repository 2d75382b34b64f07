//! Hosts that are whatever the client says.

use crate::check::nginx::value;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_host_spoofable, Warning, run).grouped(
    "lines pass on a Host that is whatever the client says",
    None,
);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        let headers = block.own("proxy_set_header").iter();
        findings.extend(headers.filter_map(|node| spoofable(view, node)));
    }
}

/// Whether a value is just one argument or cookie.
fn is_of_the_url(value: &str) -> bool {
    value.starts_with("$arg_") || value.starts_with("$cookie_")
}

fn spoofable(view: &View<'_>, node: &Node<'_>) -> Option<Finding> {
    let spoofed = node.first().eq_ignore_ascii_case("host")
        && (matches!(value(node), "$http_host" | "${http_host}") || is_of_the_url(value(node)));
    let message = format!(
        "Host {} passes on whatever the client says, which need not be a name of this server",
        value(node)
    );
    let help = "write proxy_set_header Host $host;";
    spoofed.then(|| view.find(&RULE, node, message, help))
}
