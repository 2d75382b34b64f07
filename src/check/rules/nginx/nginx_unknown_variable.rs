//! Variables that nobody sets: nginx refuses a configuration in which one is used.
//!
//! `ngx_http_variables_init_vars` in src/http/ngx_http_variables.c. A variable that is set anywhere is known everywhere.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::nginx::said::{Said, Words};
use crate::check::rules::nginx::prelude::*;
use crate::source::error::Speller;
use crate::source::nginx::Word;
use crate::source::nginx::router::{condition, names, variables};
use crate::source::nginx::variables::{evaluated, is_own_variable, own_variables};

pub(crate) static RULE: Rule = rule!(nginx_unknown_variable, Error, run);

/// Letters of a name that is not close to another one by chance.
const LONG: usize = 7;

/// What is known of the variables of a configuration.
#[derive(Default)]
struct Variables<'n> {
    /// Those that some directive or regular expression sets, in lower case: nginx tells no cases apart.
    set: BTreeSet<String>,
    /// Those that are used, with where.
    used: FxHashMap<&'n str, Vec<(&'n Node<'n>, &'n Word)>>,
    /// Of what is used, only these are looked for, everywhere; else all, in one of the directives that are the same.
    only: Option<FxHashSet<&'n str>>,
    read: Said<'n, (), ()>,
    /// Whether a file is included that is not here.
    misses: bool,
}

/// Variables that are used and never set.
fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let mut found = Variables::default();
    found.read(&view.http);
    // Files that the host has for itself may set it: all are here where nginx.conf is.
    let etc = &view.subject.revision.desired.etc;
    let all_here = etc.contains_key(Path::new("nginx/nginx.conf")) && !found.misses;
    let speller = Speller::default();
    let unknown = found.used.keys().copied();
    let unknown: FxHashSet<&str> = unknown.filter(|name| !found.is_known(name)).collect();
    if unknown.is_empty() {
        return;
    }
    let mut places = Variables {
        only: Some(unknown),
        ..Variables::default()
    };
    places.read(&view.http);
    for (name, places) in &places.used {
        let near = speller.misspelt(name, found.known());
        let is_typo = near.is_some() && name.len() >= LONG && !found.misses;
        let is_certain = name.is_empty() || all_here || is_typo;
        let (message, help) = words(name, near);
        for (node, word) in places {
            let place = view.complain(node.path, word.span.clone(), &message, "", &help);
            let finding = RULE.at(place);
            findings.push(finding.weighing_where(!is_certain, Severity::Warning));
        }
    }
}

/// What is wrong with a name, and what helps.
fn words(name: &str, near: Option<&str>) -> (String, String) {
    match (name, near) {
        ("", _) => (
            "a $ begins a variable, but no name follows it: nginx refuses it".to_owned(),
            "remove it: nginx has no way to write a $ itself here".to_owned(),
        ),
        (_, Some(near)) => (
            format!("nothing sets ${name}: nginx refuses the whole configuration"),
            format!("did you mean ${near}?"),
        ),
        // <https://nginx.org/en/docs/http/websocket.html>
        ("connection_upgrade", None) => (
            nobody(name),
            "add map $http_upgrade $connection_upgrade { default upgrade; '' close; }".to_owned(),
        ),
        (_, None) => (
            nobody(name),
            format!("write set or map for ${name} in these files, or correct the name"),
        ),
    }
}

fn nobody(name: &str) -> String {
    format!("nothing here sets ${name}: nginx refuses a variable that nothing sets")
}

impl<'n> Variables<'n> {
    fn is_known(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        is_own_variable(&name) || self.set.contains(&name)
    }

    /// All whose whole names are known.
    fn known(&self) -> impl Iterator<Item = &str> {
        let set = self.set.iter().map(String::as_str);
        own_variables().chain(set)
    }

    fn uses(&mut self, text: &'n str, node: &'n Node<'n>, word: &'n Word) {
        for name in variables(text) {
            let only = self.only.as_ref();
            if only.is_some_and(|only| !only.contains(name)) {
                continue;
            }
            self.used.entry(name).or_default().push((node, word));
        }
    }

    fn read(&mut self, level: &'n [Node<'n>]) {
        for node in level.iter().filter(|node| !node.again) {
            self.misses |= node.name() == "include";
            // Blocks of modules that are not known may be lists of variables that they set.
            self.sets(node.directive.name.strip_prefix('$'));
            let mut is_new = || {
                self.read
                    .insert(Words::of(node.directive, ()), ())
                    .is_none()
            };
            if self.only.is_some() || is_new() {
                match node.name() {
                    "if" => self.condition(node),
                    _ => self.words(node),
                }
            }
            match &node.block {
                Some(inside) if node.name() == "map" => self.entries(inside),
                Some(inside) => self.read(inside),
                None => {}
            }
        }
    }

    /// The entries of a `map`: an expression may capture, and a value may be made of variables.
    fn entries(&mut self, entries: &'n [Node<'n>]) {
        for entry in entries {
            self.misses |= entry.name() == "include";
            self.sets(names(entry.name()));
            if let Some(value) = entry.args().first() {
                self.uses(&value.text, entry, value);
            }
        }
    }

    fn sets<'t>(&mut self, names: impl IntoIterator<Item = &'t str>) {
        let names = names.into_iter().map(str::to_ascii_lowercase);
        self.set.extend(names);
    }

    fn words(&mut self, node: &'n Node<'n>) {
        let evaluated = LazyCell::new(|| evaluated(node.name()));
        for (at, word) in node.args().iter().enumerate() {
            let text = word.text.as_str();
            // What this one captures are its own two groups.
            if text.contains("(?") && node.name() != "fastcgi_split_path_info" {
                self.sets(names(text));
            }
            // A `~` begins a regular expression, in which a `$` is the end.
            if !text.contains('$') || text.starts_with('~') {
                continue;
            }
            let is_condition = node.name() == "access_log" && text.starts_with("if=");
            if is_condition || evaluated.as_ref().is_some_and(|words| words.contains(&at)) {
                self.uses(text, node, word);
            } else {
                self.sets(text.strip_prefix('$'));
            }
        }
    }

    /// `($variable)`, `($variable = text)`, `($variable ~ expression)` or `(-f path)`.
    fn condition(&mut self, node: &'n Node<'n>) {
        let words = condition(node.located());
        let is_regex = words.get(1).is_some_and(|word| word.contains('~'));
        let Some(first) = node.args().first() else {
            return;
        };
        for (at, text) in words.into_iter().enumerate() {
            if at == 2 && is_regex {
                self.sets(names(text));
            } else {
                self.uses(text, node, first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::{said, table};

    #[test]
    fn variables_that_nobody_sets() {
        table(
            "nginx-unknown-variable",
            &[
                (
                    "location / { proxy_pass http://localhost:1$request_urI; }",
                    "",
                ),
                (
                    "location / { proxy_set_header X-Real-IP $remote_adr; }",
                    "E sites-available/a:2:41: nothing sets $remote_adr: nginx refuses the whole configuration",
                ),
                (
                    "location / { proxy_set_header Connection $connection_upgrade; }",
                    "W sites-available/a:2:42: nothing here sets $connection_upgrade: nginx refuses a variable that nothing sets",
                ),
                (
                    "return 200 \"5 $\";",
                    "E sites-available/a:2:12: a $ begins a variable",
                ),
                (
                    "if ($argx = a) { return 204; }",
                    "W sites-available/a:2:4: nothing sets $argx",
                ),
                ("if ($uri ~ ^/(?<who>.+)$) { return 200 $who; }", ""),
                ("if (-f $request_filename.gz) { return 204; }", ""),
                ("location ~ ^/u/(?<user>\\w+)$ { return 200 $user$1; }", ""),
                ("set $Mode a; location / { return 200 $mode; }", ""),
                (
                    "return 200 $http_x_anything$arg_x$cookie_y$sent_http_z;",
                    "",
                ),
                (
                    "auth_request_set $who $upstream_http_x_user; add_header X-User $who;",
                    "",
                ),
                ("location / { proxy_redirect ~^http://a$ /; }", ""),
                (
                    "access_log /a combined if=$nope;",
                    "nothing here sets $nope",
                ),
                // Modules that nginx does not bring along set what they like.
                ("set_by_lua_block $x { return 1 } return 200 $x;", ""),
                ("location = /x { return 200 $geoip_country_code; }", ""),
            ],
        );
    }

    #[test]
    fn one_that_is_set_anywhere_is_known_everywhere() {
        let a = (
            "sites-available/a",
            "server { listen 80; return 200 $mode$kind$zone; }",
        );
        let sets = "map $uri $mode { default a; } geo $kind { default b; } split_clients $remote_addr $zone { * c; }";
        assert_eq!(said("nginx-unknown-variable", &[a]).len(), 3);
        assert_eq!(
            said("nginx-unknown-variable", &[a, ("sites-available/b", sets)]),
            [""; 0]
        );
        assert_eq!(
            said(
                "nginx-unknown-variable",
                &[a, ("etc/nginx/conf.d/b.conf", sets)]
            ),
            [""; 0]
        );
        let captures = "map $http_origin $kind { default $none_x; ~^https://(?<mode>[a-z]+)\\.test$ 1; \"~*(?<zone>bot)\" 1; }";
        assert_eq!(
            said(
                "nginx-unknown-variable",
                &[a, ("sites-available/b", captures)]
            ),
            [
                "W sites-available/b:1:34: nothing here sets $none_x: nginx refuses a variable that nothing sets"
            ]
        );
        // All that nginx reads is here.
        let main = (
            "etc/nginx/nginx.conf",
            "events { } http { log_format x '$remote_addr $nothing_like_it'; }",
        );
        assert_eq!(
            said("nginx-unknown-variable", &[main]),
            [
                "E etc/nginx/nginx.conf:1:32: nothing here sets $nothing_like_it: nginx refuses a variable that nothing sets"
            ]
        );
    }
}
