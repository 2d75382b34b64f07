//! Websockets that are half set up.

use crate::check::nginx::value;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_websocket_headers, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        if block.own("proxy_pass").is_empty() {
            continue;
        }
        if let Some(headers) = block.in_force("proxy_set_header") {
            findings.extend(websocket(view, block, headers));
        }
    }
}

/// A websocket needs HTTP 1.1 and both headers, <https://nginx.org/en/docs/http/websocket.html>.
fn websocket(view: &View<'_>, block: &Block<'_>, headers: &[&Node<'_>]) -> Option<Finding> {
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
    Some(view.find(&RULE, node, message, format!("add {wants}")))
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn websockets_that_are_half_set_up() {
        let (up, con, version) = (
            "proxy_set_header Upgrade $http_upgrade;",
            "proxy_set_header Connection \"upgrade\";",
            "proxy_http_version 1.1;",
        );
        let keep = "proxy_set_header Connection \"\";";
        for (settings, expected) in [
            (format!("{up} {version}"), "proxy_set_header Connection"),
            (format!("{con} {version}"), "proxy_set_header Upgrade"),
            (format!("{up} {con}"), "proxy_http_version 1.1"),
            (format!("{up} {con} {version}"), ""),
            (
                format!("{up} {version} proxy_set_header Connection $connection_upgrade;"),
                "",
            ),
            (format!("{keep} {version}"), ""),
            (String::new(), ""),
        ] {
            let inside = format!("location / {{ {settings} proxy_pass http://localhost:1; }}");
            table("nginx-websocket-headers", &[(&inside, expected)]);
            // The version is inherited, the headers are not.
            if expected.is_empty() {
                let inside =
                    format!("{version} location / {{ {settings} proxy_pass http://localhost:1; }}");
                table("nginx-websocket-headers", &[(&inside, "")]);
            }
        }
    }
}
