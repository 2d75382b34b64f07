//! Includes that nginx cannot open: of a misspelt file, and of a file in itself.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::check::rules::nginx::prelude::*;
use crate::source::error::Speller;
use crate::source::nginx::{self, Directive, Files, Text};

pub(crate) static RULE: Rule = rule!(nginx_include_missing, Error, run);

/// What nginx reads without being told by another file, by its path below /etc.
const READ: [&str; 3] = ["nginx/nginx.conf", "nginx/conf.d", "nginx/modules-enabled"];

/// How many files are followed from one to the next.
const MAX_CHAIN: usize = 100;

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let misspelt = Misspelt::of(view);
    for level in [&view.main, &view.http] {
        misspelt.level(level, findings);
    }
    cycles(view, findings);
}

/// Names of files of the checkout, by their folder below /etc.
struct Misspelt<'v, 'a> {
    view: &'v View<'a>,
    names: HashMap<&'a Path, BTreeSet<&'a str>>,
    speller: Speller,
}

impl<'v, 'a> Misspelt<'v, 'a> {
    fn of(view: &'v View<'a>) -> Self {
        let desired = &view.subject.revision.desired;
        let mut names: HashMap<&Path, BTreeSet<&str>> = HashMap::new();
        for path in desired.etc.keys() {
            let name = path.file_name().and_then(|name| name.to_str());
            if let (Some(folder), Some(name)) = (path.parent(), name) {
                names.entry(folder).or_default().insert(name);
            }
        }
        let speller = Speller::default();
        Self {
            view,
            names,
            speller,
        }
    }

    /// What is not in the checkout may be on the host: only a name that is nearly one of the checkout's is wrong.
    fn level(&self, level: &[Node<'_>], findings: &mut Findings) {
        for node in level.iter().filter(|node| !node.again) {
            self.level(node.inside(), findings);
            if node.name() != "include" || nginx::is_pattern(node.first()) {
                continue;
            }
            let Some(path) = nginx::below_etc(node.first()) else {
                continue;
            };
            let name = path.file_name().and_then(|name| name.to_str());
            let (Some(folder), Some(name)) = (path.parent(), name) else {
                continue;
            };
            let Some(names) = self.names.get(folder) else {
                continue;
            };
            // It is there, and was included too often.
            if names.contains(&name) {
                continue;
            }
            let Some(near) = self.speller.misspelt(name, names.iter().copied()) else {
                continue;
            };
            let message = format!("/etc/{} is not in this checkout", path.display());
            let help = format!("did you mean {near}?");
            let found = self.view.find(&RULE, node, message, help);
            findings.push(found.weighing(Severity::Warning));
        }
    }
}

/// Files that include themselves, over others or not.
fn cycles(view: &View<'_>, findings: &mut Findings) {
    let revision = view.subject.revision;
    let files = nginx::files(
        &revision.desired,
        &revision.parsed.sites,
        &revision.parsed.etc,
    );
    let mut walk = Cycles {
        view,
        files: &files,
        states: HashMap::new(),
        chain: 0,
        findings,
    };
    for text in files.sites.values() {
        walk.file(*text);
    }
    for (path, text) in &files.etc {
        if READ.iter().any(|read| path.starts_with(read)) {
            walk.file(*text);
        }
    }
}

/// How far a file was followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Done,
}

struct Cycles<'w, 'a> {
    view: &'w View<'a>,
    files: &'w Files<'a>,
    states: HashMap<&'a Path, State>,
    /// How many files lead to the present one.
    chain: usize,
    findings: &'w mut Findings,
}

impl<'a> Cycles<'_, 'a> {
    fn file(&mut self, text: Text<'a>) {
        if self.chain >= MAX_CHAIN || self.states.contains_key(text.path) {
            return;
        }
        self.chain += 1;
        self.states.insert(text.path, State::Open);
        self.level(text.path, text.directives);
        self.states.insert(text.path, State::Done);
        self.chain -= 1;
    }

    fn level(&mut self, path: &'a Path, level: &'a [Directive]) {
        for directive in level {
            self.level(path, directive.block.as_deref().unwrap_or_default());
            let pattern = directive
                .args
                .first()
                .filter(|_| directive.name == "include");
            let Some(pattern) = pattern else { continue };
            for text in self.files.included(&pattern.text) {
                if self.states.get(text.path) != Some(&State::Open) {
                    self.file(text);
                    continue;
                }
                let message = match text.path == path {
                    true => "this file includes itself: nginx never finishes reading it".to_owned(),
                    false => format!(
                        "{} is included again within itself: nginx never finishes reading it",
                        text.path.display()
                    ),
                };
                let help = "remove this include";
                let span = directive.span.clone();
                let place = self.view.complain(path, span, message, "", help);
                self.findings.push(RULE.at(place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    const SITE: &str =
        "server { listen 80; server_name a.example.com; include snippets/tls-params.conf; }";

    #[test]
    fn misspelt_names() {
        let found = |name: &str| {
            let path = format!("etc/nginx/snippets/{name}");
            said(
                "nginx-include-missing",
                &[("sites-available/a", SITE), (&path, "gzip on;")],
            )
        };
        assert_eq!(found("tls-params.conf"), [""; 0]);
        assert_eq!(found("headers.conf"), [""; 0]);
        assert_eq!(
            found("tls-parms.conf"),
            [
                "W sites-available/a:1:48: /etc/nginx/snippets/tls-params.conf is not in this checkout"
            ]
        );
    }

    #[test]
    fn files_that_include_themselves() {
        let found = |files: &[(&str, &str)]| {
            let mut all = vec![("sites-available/a", SITE)];
            all.extend(files);
            said("nginx-include-missing", &all)
        };
        let own = ("etc/nginx/snippets/tls-params.conf", "include snippets/*;");
        assert_eq!(
            found(&[own]),
            [
                "E etc/nginx/snippets/tls-params.conf:1:1: this file includes itself: nginx never finishes reading it"
            ]
        );
        let first = (
            "etc/nginx/snippets/tls-params.conf",
            "include snippets/b.conf;",
        );
        let second = (
            "etc/nginx/snippets/b.conf",
            "include snippets/tls-params.conf;",
        );
        assert_eq!(
            found(&[first, second]),
            [
                "E etc/nginx/snippets/b.conf:1:1: etc/nginx/snippets/tls-params.conf is included again within itself: nginx never finishes reading it"
            ]
        );
        let twice = (
            "etc/nginx/conf.d/b.conf",
            "include snippets/c.conf; include snippets/c.conf;",
        );
        let leaf = ("etc/nginx/snippets/c.conf", "gzip on;");
        assert_eq!(found(&[twice, leaf]), [""; 0]);
        // Nothing loads it.
        let unused = ("etc/nginx/snippets/x.conf", "include snippets/x.conf;");
        assert_eq!(found(&[unused]), [""; 0]);
    }

    #[test]
    fn a_chain_without_end_is_followed_for_a_while() {
        let files: Vec<(String, String)> = (0..3_000)
            .map(|number| {
                let next = (number + 1) % 3_000;
                let path = format!("etc/nginx/conf.d/{number}.conf");
                (path, format!("include conf.d/{next}.conf;"))
            })
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert_eq!(said("nginx-include-missing", &files), [""; 0]);
    }
}
