//! Hosts that are whatever the client says.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::value;
use crate::check::nginx::view::View;
use crate::model::Finding;
use crate::source::nginx::Node;

/// The rule.
pub static RULE: Rule = rule!(nginx_host_spoofable, Warning, run).grouped(
    "lines pass on $http_host, which is whatever the client says",
    None,
);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        let headers = block.own("proxy_set_header").iter();
        findings.extend(headers.filter_map(|node| spoofable(view, node)));
    }
}

fn spoofable(view: &View<'_>, node: &Node<'_>) -> Option<Finding> {
    let spoofed = node.first().eq_ignore_ascii_case("host")
        && matches!(value(node), "$http_host" | "${http_host}");
    let message = "Host $http_host passes on whatever the client says, which need not be a name of this server";
    let help = "write proxy_set_header Host $host;";
    spoofed.then(|| view.find(&RULE, node, message, "", help))
}
