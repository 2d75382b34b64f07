//! Aliases through which a request leaves their folder.

use crate::check::nginx::paths::{Match, matches};
use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_alias_traversal, Error, run);

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
    if path.ends_with('/') || !path.starts_with('/') {
        return None;
    }
    let span = location.args().last()?.span.clone();
    if !folder.ends_with('/') {
        return beside(view, location, path, folder);
    }
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

/// Neither has a slash: nothing leaves the folder, but names that begin with the folder's are served, too. A file has no
/// such neighbours, and a group or variable may end in a slash.
fn beside(view: &View<'_>, location: &Node<'_>, path: &str, folder: &str) -> Option<Finding> {
    let name = folder.rsplit('/').next().unwrap_or(folder);
    let last = path.rsplit('/').next().unwrap_or(path);
    if name.is_empty() || folder.contains('$') || name.contains('.') || last.contains('.') {
        return None;
    }
    let message = format!(
        "neither location {path} nor its alias {folder} has a slash at its end: {path}-old/x is {folder}-old/x, \
         outside the folder"
    );
    let help = format!("write location {path}/ {{ alias {folder}/; }}");
    let span = location.args().last()?.span.clone();
    let place = view.complain(location.path, span, message, "", help);
    Some(RULE.at(place).weighing(Severity::Warning))
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
                (
                    "location /x { alias /y; }",
                    "W sites-available/a:2:10: neither location /x nor its alias /y",
                ),
                ("location /x/ { alias /y/; }", ""),
                ("location /x/ { alias /y; }", ""),
                ("location /x { alias /y/$host; }", ""),
                ("location /up { alias /y/index.html; }", ""),
                ("location /a/ { location /a/x { } alias /y/; }", ""),
                ("location /favicon.ico { alias /y/favicon.ico; }", ""),
                ("location = /x { alias /y/; }", ""),
                ("location ~ ^/x(.*)$ { alias /y/$1; }", ""),
                ("location /x { root /y/; }", ""),
            ],
        );
    }
}
