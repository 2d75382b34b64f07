//! Regular expressions that PCRE does not compile.

use crate::check::rules::nginx::prelude::*;
use crate::source::nginx::router::{compiles, condition};

pub(crate) static RULE: Rule = rule!(nginx_regex_invalid, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    look(view, &view.http, findings);
}

fn look(view: &View<'_>, level: &[Node<'_>], findings: &mut Findings) {
    for node in level.iter().filter(|node| !node.again) {
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
fn expressions<'n>(node: &Node<'n>) -> Vec<&'n str> {
    let word = |at: usize| node.words().nth(at);
    let one = match node.name() {
        "server_name" | "valid_referers" => {
            return node
                .words()
                .filter_map(|word| word.strip_prefix('~'))
                .collect();
        }
        "gzip_disable" => return node.words().filter(|word| *word != "msie6").collect(),
        "rewrite" | "fastcgi_split_path_info" => word(0),
        "location" => match node.first() {
            "~" | "~*" => word(1),
            glued => of_tilde(glued),
        },
        "proxy_redirect" | "proxy_cookie_domain" | "proxy_cookie_path" | "proxy_cookie_flags" => {
            word(0).and_then(of_tilde)
        }
        "if" => match condition(node.located()).as_slice() {
            [_, "~" | "~*" | "!~" | "!~*", expression] => Some(*expression),
            _ => None,
        },
        _ => None,
    };
    one.into_iter().collect()
}

fn of_tilde(word: &str) -> Option<&str> {
    let text = word.strip_prefix('~')?;
    Some(text.strip_prefix('*').unwrap_or(text))
}

fn invalid(view: &View<'_>, node: &Node<'_>, expression: &str) -> Option<Finding> {
    // What is there sets options of PCRE, which differ from one version to another.
    if expression.starts_with("(*") || compiles(expression) {
        return None;
    }
    let message = format!(
        "{expression} is not a valid regular expression: nginx refuses the whole configuration"
    );
    let help = "close each [ and (, and write \\[ or \\( for the character itself";
    let word = node
        .args()
        .iter()
        .find(|word| word.text.contains(expression));
    let span = word.map_or(&node.directive.span, |word| &word.span);
    Some(view.find_at(&RULE, node, span, message, help))
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::{said, table};

    #[test]
    fn expressions_that_are_none() {
        table(
            "nginx-regex-invalid",
            &[
                (
                    "location ~ [ { }",
                    "E sites-available/a:2:12: [ is not a valid regular expression",
                ),
                ("location ~ ( { }", "( is not a valid"),
                ("location ~*^/(a { }", "^/(a is not a valid"),
                ("rewrite ^/(a /b;", "^/(a is not a valid"),
                ("server_name ~^(a$;", "^(a$ is not a valid"),
                ("gzip_disable msie6 (;", "( is not a valid"),
                ("proxy_redirect ~*^/(a /b;", "^/(a is not a valid"),
                ("proxy_cookie_path /( /b;", ""),
                (
                    "location /a { if ($uri ~ ^/[a) { return 404; } }",
                    "^/[a is not a valid",
                ),
                ("location ~ \"^/a{1,2}$\" { }", ""),
                ("location ~ ^/(?<name>[^/]+)/(?!x) { }", ""),
                ("location ~ (*UTF8)^/x { }", ""),
                ("location /[ { }", ""),
                ("location = /( { }", ""),
                ("if ($uri ~* \"^/(a|b)\") { return 404; }", ""),
                ("if ($uri = /[) { return 404; }", ""),
                ("rewrite ^/(.*)$ /[/$1;", ""),
            ],
        );
        let map = "map $uri $to { default 0; ~^/(a 1; ~*^/(b)$ 2; /[ 3; }";
        let found = said("nginx-regex-invalid", &[("sites-available/a", map)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("^/(a is not a valid"), "{found:?}");
    }
}
