//! Server names that no request has.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::servers::{Name, names_of};
use crate::check::nginx::view::View;
use crate::model::Finding;

/// The rule.
pub(crate) static RULE: Rule = rule!(nginx_server_name_unmatchable, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for server in view.servers() {
        let names = names_of(server);
        let wrong = names.iter().filter(|name| name.is_unmatchable());
        findings.extend(wrong.map(|name| unmatchable(view, name)));
    }
}

/// A URL, or a name with a port: nginx compares names without either.
fn unmatchable(view: &View<'_>, name: &Name<'_, '_>) -> Finding {
    let text = name.text.as_str();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let message =
        format!("no request has the name {text}: a server name has no scheme, port or path");
    let help = format!("write server_name {host};");
    let place = view.complain(name.node.path, name.span.clone(), message, "", help);
    RULE.at(place)
}
