//! Headers by which an upstream learns about the client.

use std::collections::HashMap;

use crate::check::nginx::target::{behind, group_of};
use crate::check::nginx::value;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_forwarded_headers, Warning, run)
    .grouped("blocks pass requests on without the standard headers", None);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    // Whether the servers of a group are our own.
    let mut own = HashMap::new();
    for block in context.blocks() {
        let Some(pass) = block.own("proxy_pass").last() else {
            continue;
        };
        let Some(headers) = block.in_force("proxy_set_header") else {
            continue;
        };
        let is_own = || {
            let behind = behind(context.groups(), pass);
            behind.iter().any(|(target, _)| target.is_own())
        };
        let is_own = match group_of(context.groups(), pass) {
            Some(group) => *own
                .entry(std::ptr::from_ref(group.directive))
                .or_insert_with(is_own),
            None => is_own(),
        };
        // Somebody else's server gets its own name.
        if is_own {
            findings.extend(missing(view, block, (pass, headers)));
        }
    }
}

/// Whether a header says what a word stands for, under whatever name.
fn says(headers: &[&Node<'_>], names: &[&str], values: &[&str]) -> bool {
    let is_named = |node: &&Node<'_>| {
        let mut names = names.iter();
        names.any(|name| node.first().eq_ignore_ascii_case(name))
    };
    let has_value = |node: &&Node<'_>| values.iter().any(|part| value(node).contains(part));
    headers.iter().any(is_named) || headers.iter().any(has_value)
}

fn missing(
    view: &View<'_>,
    block: &Block<'_>,
    (pass, headers): (&Node<'_>, &[&Node<'_>]),
) -> Option<Finding> {
    // A subrequest of nginx has its own headers.
    if !block.own("internal").is_empty() {
        return None;
    }
    let wanted = wanted(headers, is_tls(block));
    let list = wanted.join(", ");
    if list.is_empty() {
        return None;
    }
    // A proxy_set_header drops all those around the block.
    let around = block
        .outer
        .as_ref()
        .and_then(|outer| outer.in_force("proxy_set_header"));
    let own = block.own("proxy_set_header").first();
    let dropped = own.filter(|_| around.is_some_and(|around| !around.is_empty()));
    let (node, message) = match dropped {
        Some(node) => (
            *node,
            format!(
                "this proxy_set_header drops all those around the block, and the upstream does not get {list}"
            ),
        ),
        None => (pass, format!("the upstream does not get {list}")),
    };
    let lines = wanted.iter().map(|name| match *name {
        "Host" => "proxy_set_header Host $host;",
        "X-Forwarded-Proto" => "proxy_set_header X-Forwarded-Proto $scheme;",
        _ => "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    });
    let help = format!("add {}", lines.collect::<Vec<_>>().join(" "));
    Some(view.find(&RULE, node, message, help))
}

/// The standard headers that are not there.
fn wanted(headers: &[&Node<'_>], tls: bool) -> Vec<&'static str> {
    let mut wanted = Vec::new();
    if !says(headers, &["Host"], &[]) {
        wanted.push("Host");
    }
    let client = ["X-Real-IP", "X-Forwarded-For", "Forwarded"];
    if !says(
        headers,
        &client,
        &[
            "$remote_addr",
            "$realip_remote_addr",
            "$http_x_forwarded_for",
        ],
    ) {
        wanted.push("X-Forwarded-For");
    }
    // Where there is no TLS, a proxy in front may have said it, and nginx hands that on.
    let proto = [
        "X-Forwarded-Proto",
        "X-Scheme",
        "X-Forwarded-Scheme",
        "X-Forwarded-Ssl",
        "Forwarded",
    ];
    if tls
        && !says(
            headers,
            &proto,
            &["$scheme", "$https", "$http_x_forwarded_proto"],
        )
    {
        wanted.push("X-Forwarded-Proto");
    }
    wanted
}

fn is_tls(block: &Block<'_>) -> bool {
    let Some(server) = block.server() else {
        return false;
    };
    server.own("listen").iter().any(|node| {
        let mut words = node.words();
        words.any(|word| word == "ssl" || word == "443" || word.ends_with(":443"))
    })
}
