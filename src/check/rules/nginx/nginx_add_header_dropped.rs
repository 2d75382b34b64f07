//! Headers that a block drops by adding another one.

use std::collections::HashSet;

use crate::check::nginx::header;
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_add_header_dropped, Warning, run)
    .grouped("blocks with an add_header drop those around them", None);

const CORS: &str = "access-control-";
/// So many headers are listed.
const MANY: usize = 8;

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        let own = block.own("add_header");
        if !own.is_empty() {
            findings.extend(dropped(view, block, own));
        }
    }
}

/// <https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header>: headers are inherited
/// if and only if none is added on the current level.
fn dropped(view: &View<'_>, block: &Block<'_>, own: &[&Node<'_>]) -> Option<Finding> {
    // nginx 1.29.3 can be told to keep them.
    let merged = block.setting("add_header_inherit");
    if merged.is_some_and(|node| node.first() == "merge") {
        return None;
    }
    let outer = block
        .outer
        .as_ref()?
        .chain()
        .find(|outer| !outer.own("add_header").is_empty())?;
    let kept: HashSet<String> = own.iter().map(|node| header(node)).collect();
    let mut known = HashSet::new();
    let mut names: Vec<&str> = Vec::new();
    for node in outer.own("add_header") {
        let header = header(node);
        if !kept.contains(&header) && known.insert(header) {
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
    let more = names.len().saturating_sub(MANY);
    names.truncate(MANY);
    let mut list = names.join(", ");
    if more > 0 {
        list += &format!(" and {more} more");
    }
    let message = format!(
        "this add_header drops {list} of the {} around it ({from})",
        outer.kind()
    );
    let help = format!("add {list} again in this {}", block.kind());
    Some(view.find(&RULE, first, message, help))
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::{said, table};

    #[test]
    fn headers_that_a_block_drops() {
        table(
        "nginx-add-header-dropped",
        &[
            ("add_header A 1; add_header B 2;\nlocation / { add_header b 3; }", "W sites-available/a:3:14: this add_header drops A of the server around it (sites-available/a:2)"),
            ("add_header A 1; location / { location /x { add_header C 1; } }", "drops A"),
            ("add_header A 1; location / { add_header A 2; add_header B 1; }", ""),
            ("add_header A 1; location / { add_header A \"\"; }", ""),
            ("add_header A 1; location / { root /x; }", ""),
            ("location / { add_header A 1; }", ""),
            ("add_header A 1; add_header_inherit merge; location / { add_header C 1; }", ""),
            ("add_header A 1; location / { if ($request_method = OPTIONS) { add_header X 1; return 204; } }", ""),
            (
                "location / { add_header Access-Control-Allow-Origin *; if ($request_method = OPTIONS) {
                    add_header Access-Control-Allow-Methods GET; return 204; } }",
                "drops Access-Control-Allow-Origin of the location",
            ),
        ],
    );
        let http = [
            (
                "etc/nginx/conf.d/security.conf",
                "add_header X-Frame-Options DENY always;",
            ),
            ("sites-available/a", "server { add_header A 1; }"),
        ];
        assert_eq!(
            said("nginx-add-header-dropped", &http),
            [
                "W sites-available/a:1:10: this add_header drops X-Frame-Options of the http around it (etc/nginx/conf.d/security.conf:1)"
            ]
        );
    }
}
