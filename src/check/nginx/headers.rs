//! Headers of answers: those that a block drops, and those that come twice.

use super::view::{Block, View};
use crate::model::{Finding, Severity};
use crate::source::nginx::Node;

crate::rule! {
    ADD_HEADER_DROPPED, "nginx-add-header-dropped", Warning;
    CORS_TWICE, "nginx-cors-twice", Error;
}

const CORS: &str = "access-control-";
/// Headers of which a browser takes no second value; the others it reads as lists.
const SINGLE: [&str; 3] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-max-age",
];

/// What is wrong with the headers that a block adds.
pub fn check(view: &View<'_>, block: &Block<'_, '_>, findings: &mut Vec<Finding>) {
    let own = block.own("add_header");
    if own.is_empty() {
        return;
    }
    findings.extend(dropped(view, block, own));
    twice(view, own, findings);
}

/// <https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header>: headers are inherited
/// if and only if none is added on the current level.
fn dropped(view: &View<'_>, block: &Block<'_, '_>, own: &[&Node<'_>]) -> Option<Finding> {
    // nginx 1.29.3 can be told to keep them.
    let merged = block.setting("add_header_inherit");
    if merged.is_some_and(|node| node.first() == "merge") {
        return None;
    }
    let outer = block
        .outer?
        .chain()
        .find(|outer| !outer.own("add_header").is_empty())?;
    let kept: Vec<String> = own.iter().map(|node| name(node)).collect();
    let mut names: Vec<&str> = Vec::new();
    for node in outer.own("add_header") {
        let known = names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(node.first()));
        if !kept.contains(&name(node)) && !known {
            names.push(node.first());
        }
    }
    // What an `if` returns is often no page: there, only a CORS answer that lost a part counts.
    if block.kind() == "if" {
        names.retain(|name| name.to_ascii_lowercase().starts_with(CORS));
        if !kept.iter().any(|name| name.starts_with(CORS)) {
            return None;
        }
    }
    let first = own.iter().min_by_key(|node| node.directive.span.start)?;
    let from = outer
        .own("add_header")
        .first()
        .map(|node| view.place(node))?;
    if names.is_empty() {
        return None;
    }
    let list = names.join(", ");
    let message = format!(
        "this add_header drops {list} of the {} around it ({from})",
        outer.kind()
    );
    let help = format!("add {list} again in this {}", block.kind());
    Some(view.find(&ADD_HEADER_DROPPED, first, message, "", help))
}

fn name(node: &Node<'_>) -> String {
    node.first().to_ascii_lowercase()
}

fn twice(view: &View<'_>, own: &[&Node<'_>], findings: &mut Vec<Finding>) {
    for (at, node) in own.iter().enumerate() {
        let header = name(node);
        let before = own.get(..at).unwrap_or_default();
        let Some(first) = before.iter().find(|other| name(other) == header) else {
            continue;
        };
        // Of several with variables, all but one may be empty, and those are not sent.
        let varies = |node: &&Node<'_>| {
            let value = node.directive.args.get(1);
            value.is_none_or(|value| value.text.contains('$') || value.text.is_empty())
        };
        if !header.starts_with(CORS) || varies(node) || varies(first) {
            continue;
        }
        let place = view.place(first);
        let message = format!(
            "{} is added at {place} already: it is sent twice",
            node.first()
        );
        let (severity, help) = match SINGLE.contains(&header.as_str()) {
            true => (
                Severity::Error,
                "remove one of the two: browsers refuse an answer with both",
            ),
            false => (Severity::Warning, "join the two values with a comma"),
        };
        let found = view.find(&CORS_TWICE, node, message, "", help);
        findings.push(found.weighing(severity));
    }
}
