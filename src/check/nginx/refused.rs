//! What nginx refuses to load: regular expressions that are none, and paths of `proxy_pass` where none may be.

use super::view::{Block, View};
use crate::model::Finding;
use crate::source::nginx::Node;
use crate::source::nginx::router::{Place, compiles, condition, uri_part};

crate::rule! {
    REGEX_INVALID, "nginx-regex-invalid", Error;
    PROXY_PASS_URI, "nginx-proxy-pass-uri", Error;
}

/// Regular expressions that PCRE does not compile, anywhere.
pub fn regexes(view: &View<'_>, findings: &mut Vec<Finding>) {
    look(view, &view.http, findings);
}

fn look(view: &View<'_>, level: &[Node<'_>], findings: &mut Vec<Finding>) {
    for node in level {
        let found = expressions(node);
        findings.extend(found.iter().filter_map(|text| invalid(view, node, text)));
        let Some(inside) = &node.block else { continue };
        match node.name() {
            "map" => {
                let entries = inside.iter().filter_map(|entry| {
                    let text = of_tilde(entry.name())?;
                    invalid(view, entry, text)
                });
                findings.extend(entries);
            }
            _ => look(view, inside, findings),
        }
    }
}

/// The regular expressions of a directive.
fn expressions<'n>(node: &'n Node<'_>) -> Vec<&'n str> {
    let word = |at: usize| node.directive.args.get(at).map(|word| word.text.as_str());
    match node.name() {
        "rewrite" => word(0).into_iter().collect(),
        "server_name" => {
            let words = node.directive.args.iter();
            words
                .filter_map(|word| word.text.strip_prefix('~'))
                .collect()
        }
        "location" => match node.first() {
            "~" | "~*" => word(1).into_iter().collect(),
            glued => of_tilde(glued).into_iter().collect(),
        },
        "if" => {
            let words = condition(Place {
                path: node.path,
                directive: node.directive,
            });
            match words.as_slice() {
                [_, "~" | "~*" | "!~" | "!~*", expression] => vec![expression],
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn of_tilde(word: &str) -> Option<&str> {
    let text = word.strip_prefix('~')?;
    Some(text.strip_prefix('*').unwrap_or(text))
}

fn invalid(view: &View<'_>, node: &Node<'_>, expression: &str) -> Option<Finding> {
    // What stands there sets options of PCRE, which differ from one version to another.
    if expression.starts_with("(*") || compiles(expression) {
        return None;
    }
    let message = format!(
        "{expression} is no valid regular expression: nginx refuses the whole configuration"
    );
    let help = "close each [ and (, and write \\[ or \\( for the character itself";
    let directive = node.directive;
    let word = directive
        .args
        .iter()
        .find(|word| word.text.contains(expression));
    let span = word.map_or_else(|| directive.span.clone(), |word| word.span.clone());
    let place = view.complain(node.path, span, message, "", help);
    Some(Finding::at(&REGEX_INVALID, place))
}

/// `ngx_http_proxy_pass` in src/http/modules/ngx_http_proxy_module.c: without variables there is no path to replace.
pub fn check(view: &View<'_>, block: &Block<'_, '_>, findings: &mut Vec<Finding>) {
    let kind = match (block.kind(), block.node.map(Node::first)) {
        ("if", _) => "an if",
        ("limit_except", _) => "a limit_except",
        ("location", Some(first)) if first.starts_with('~') => {
            "a location with a regular expression"
        }
        ("location", Some(first)) if first.starts_with('@') => "a named location",
        _ => return,
    };
    for node in block.own("proxy_pass") {
        let url = node.first();
        let Some(uri) = uri_part(url).filter(|uri| !uri.is_empty() && !url.contains('$')) else {
            continue;
        };
        let message = format!(
            "proxy_pass has the path {uri} in {kind}: nginx refuses the whole configuration"
        );
        let short = url.strip_suffix(uri).unwrap_or(url).trim_end_matches(':');
        let help = format!("write proxy_pass {short}; and change the path by a rewrite before it");
        findings.push(view.find(&PROXY_PASS_URI, node, message, "", help));
    }
}
