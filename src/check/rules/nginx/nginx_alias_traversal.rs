//! Aliases through which a request leaves their folder.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::paths::{Match, matches};
use crate::check::nginx::view::{Block, View};
use crate::model::{Finding, Severity};
use crate::source::nginx::Node;

/// The rule.
pub static RULE: Rule = rule!(nginx_alias_traversal, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    for block in context.blocks() {
        let Some(location) = block.node.filter(|node| node.name() == "location") else {
            continue;
        };
        if let Some((Match::Prefix, path)) = matches(location) {
            findings.extend(alias(view, block, location, path));
        }
    }
}

fn alias(view: &View<'_>, block: &Block<'_>, location: &Node<'_>, path: &str) -> Option<Finding> {
    let alias = *block.own("alias").last()?;
    let folder = alias.first();
    if path.ends_with('/') || !folder.ends_with('/') || !path.starts_with('/') {
        return None;
    }
    let span = location.directive.args.last()?.span.clone();
    let message = format!(
        "location {path} has no slash at its end and its alias {folder} has one: {path}../x is {folder}../x, \
         outside the folder"
    );
    let help = format!("write location {path}/ {{");
    let place = view.complain(
        location.path,
        span,
        message,
        "a slash is missing here",
        help,
    );
    let found = RULE.at(place);
    // No client gets there by itself, only what an upstream sends there.
    Some(match block.setting("internal") {
        Some(_) => found.weighing(Severity::Warning),
        None => found,
    })
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::table;

    #[test]
    fn aliases_without_a_slash() {
        table(
            "nginx-alias-traversal",
            &[
                (
                    "location /x { alias /y/; }",
                    "E sites-available/a:2:10: location /x has no slash",
                ),
                ("location ^~ /x { alias /y/; }", "/x../x is /y/../x"),
                (
                    "location /x { internal; alias /y/; }",
                    "W sites-available/a:2:10: location /x has no slash",
                ),
                ("location /x/ { alias /y/; }", ""),
                ("location /favicon.ico { alias /y/favicon.ico; }", ""),
                ("location = /x { alias /y/; }", ""),
                ("location ~ ^/x(.*)$ { alias /y/$1; }", ""),
                ("location /x { root /y/; }", ""),
            ],
        );
    }
}
