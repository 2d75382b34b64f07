//! Server names that no request has.

use crate::check::nginx::servers::{Name, names_of};
use crate::check::rules::nginx::prelude::*;

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
    view.find_at(&RULE, name.node, &name.span, message, help)
}
