//! Headers of requests: what an upstream learns about the client.

use super::target::{Groups, behind};
use super::view::{Block, View};
use crate::model::Finding;
use crate::source::nginx::Node;

crate::rule! {
    FORWARDED_HEADERS, "nginx-forwarded-headers", Warning;
    HOST_SPOOFABLE, "nginx-host-spoofable", Warning;
    WEBSOCKET_HEADERS, "nginx-websocket-headers", Warning;
}

/// What is wrong with the headers that a block passes on.
pub fn check(
    view: &View<'_>,
    block: &Block<'_, '_>,
    groups: &Groups<'_>,
    findings: &mut Vec<Finding>,
) {
    for node in block.own("proxy_set_header") {
        findings.extend(spoofable(view, node));
    }
    let Some(pass) = block.own("proxy_pass").last() else {
        return;
    };
    let Some(headers) = block.in_force("proxy_set_header") else {
        return;
    };
    findings.extend(missing(view, block, (pass, headers), groups));
    findings.extend(websocket(view, block, headers));
}

fn value<'n>(node: &'n Node<'_>) -> &'n str {
    node.directive
        .args
        .get(1)
        .map_or("", |word| word.text.as_str())
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
    block: &Block<'_, '_>,
    (pass, headers): (&Node<'_>, &[&Node<'_>]),
    groups: &Groups<'_>,
) -> Option<Finding> {
    // Somebody else's server gets its own name, and a subrequest of nginx has its own headers.
    let own = behind(groups, pass)
        .iter()
        .any(|(target, _)| target.is_own());
    if !own || !block.own("internal").is_empty() {
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
    Some(view.find(&FORWARDED_HEADERS, node, message, "", help))
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

fn is_tls(block: &Block<'_, '_>) -> bool {
    let Some(server) = block.server() else {
        return false;
    };
    server.own("listen").iter().any(|node| {
        let mut words = node.directive.args.iter().map(|word| word.text.as_str());
        words.any(|word| word == "ssl" || word == "443" || word.ends_with(":443"))
    })
}

fn spoofable(view: &View<'_>, node: &Node<'_>) -> Option<Finding> {
    let spoofed = node.first().eq_ignore_ascii_case("host")
        && matches!(value(node), "$http_host" | "${http_host}");
    let message = "Host $http_host passes on whatever the client says, which need not be a name of this server";
    let help = "write proxy_set_header Host $host;";
    spoofed.then(|| view.find(&HOST_SPOOFABLE, node, message, "", help))
}

/// A websocket needs HTTP 1.1 and both headers, <https://nginx.org/en/docs/http/websocket.html>.
fn websocket(view: &View<'_>, block: &Block<'_, '_>, headers: &[&Node<'_>]) -> Option<Finding> {
    let find = |name: &str| {
        headers
            .iter()
            .rfind(|node| node.first().eq_ignore_ascii_case(name))
    };
    let upgrade = find("Upgrade").filter(|node| !value(node).is_empty());
    let connection = find("Connection").filter(|node| {
        let value = value(node).to_ascii_lowercase();
        value.contains("upgrade") || value.starts_with('$')
    });
    let version = block.setting("proxy_http_version");
    let (node, wants) = match (upgrade, connection) {
        (Some(node), None) => (*node, "proxy_set_header Connection \"upgrade\";"),
        (None, Some(node)) if value(node).eq_ignore_ascii_case("upgrade") => {
            (*node, "proxy_set_header Upgrade $http_upgrade;")
        }
        (Some(node), Some(_)) if version.is_none_or(|version| version.first() == "1.0") => {
            (*node, "proxy_http_version 1.1;")
        }
        _ => return None,
    };
    let message = format!(
        "a websocket is not passed on: {} is missing here",
        wants.trim_end_matches(';')
    );
    Some(view.find(
        &WEBSOCKET_HEADERS,
        node,
        message,
        "",
        format!("add {wants}"),
    ))
}
