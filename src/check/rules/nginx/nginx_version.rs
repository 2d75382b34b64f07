//! What the server's version of nginx does not know.

use std::collections::HashMap;
use std::ops::Range;

use crate::check::nginx::said::{Said, Words};
use crate::check::rules::nginx::prelude::*;
use crate::model::{Lack, Program, Target, Versions};
use crate::source::nginx::router::variables;
use crate::source::nginx::variables::evaluated;
use crate::source::nginx::versions::{Area, Newer};

pub(crate) static RULE: Rule = rule!(nginx_version, Error, run);

/// Something that a version does not know, where it is first used.
struct Unknown<'v> {
    lack: Lack,
    node: &'v Node<'v>,
    span: Range<usize>,
    /// How often it is used.
    count: usize,
}

/// A walk over a configuration.
struct Walk<'v> {
    target: Target,
    /// By what it is, in words.
    unknown: HashMap<String, Vec<Unknown<'v>>>,
    /// Directives of which the server knows all.
    known: Said<'v, Area, ()>,
    /// How often something was not known.
    noted: usize,
}

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let mut walk = Walk {
        target: context.target(),
        unknown: HashMap::new(),
        known: Said::default(),
        noted: 0,
    };
    walk.level(&view.http, Area::Http);
    // What is in http was looked at.
    for node in view.main.iter().filter(|node| node.name() != "http") {
        walk.level(std::slice::from_ref(node), Area::Main);
    }
    for (what, places) in walk.unknown {
        for unknown in places {
            findings.push(finding(view, &what, &unknown));
        }
    }
}

fn finding(view: &View<'_>, what: &str, unknown: &Unknown<'_>) -> crate::model::Finding {
    let Unknown { lack, count, .. } = unknown;
    let message = match count {
        1 => format!("{lack} does not know {what}, and refuses the configuration"),
        count => format!(
            "{lack} does not know {what}, which is used {count} times, and refuses the configuration"
        ),
    };
    // <https://nginx.org/en/docs/http/ngx_http_v2_module.html>
    let instead = match what {
        "the directive http2" => "for older versions, write listen 443 ssl http2",
        "the directive ssl" => "write ssl after the address of listen, which all versions know",
        _ => "",
    };
    let help = lack.help(what, instead);
    let span = unknown.span.clone();
    let place = view.complain(unknown.node.path, span, message, "", help);
    RULE.at(place).weighing(lack.severity())
}

impl<'v> Walk<'v> {
    fn level(&mut self, level: &'v [Node<'v>], area: Area) {
        for node in level.iter().filter(|node| !node.again) {
            let name = node.name();
            let words = || Words::of(node.directive, area);
            if !self.known.contains_key(&words()) {
                let before = self.noted;
                self.directive(node, area);
                if self.noted == before {
                    self.known.insert(words(), ());
                }
            }
            // Entries of a map are no directives.
            if area.inside(name) != area
                || !matches!(name, "map" | "geo" | "split_clients" | "types")
            {
                self.level(node.inside(), area.inside(name));
            }
        }
    }

    fn directive(&mut self, node: &'v Node<'v>, area: Area) {
        let (name, args) = (node.name(), node.args());
        if let Some(newer) = Newer::of(area, name) {
            let span = node.directive.span.start..node.directive.span.start + name.len();
            let what = || format!("the directive {name}");
            self.note(newer.directive(), what, node, span);
            for word in args {
                let what = || {
                    let parameter = word.text.split_inclusive('=').next().unwrap_or_default();
                    format!("the parameter {parameter} of {name}")
                };
                let versions = newer.parameter(&word.text);
                self.note(versions, what, node, word.span.clone());
            }
        }
        let is_evaluated = |at: usize| {
            name == "if" || evaluated(name).is_some_and(|evaluated| evaluated.contains(&at))
        };
        let words = args.iter().enumerate();
        for (_, word) in words.filter(|(at, word)| word.text.contains('$') && is_evaluated(*at)) {
            for variable in variables(&word.text) {
                let versions = Newer::variable(area, &variable.to_ascii_lowercase());
                let what = || format!("the variable ${variable}");
                self.note(versions, what, node, word.span.clone());
            }
        }
    }

    /// Notes what is not known. Where the version of the server is not known, its first place stands for all.
    fn note(
        &mut self,
        versions: Option<Versions>,
        what: impl FnOnce() -> String,
        node: &'v Node<'v>,
        span: Range<usize>,
    ) {
        let lack = versions.and_then(|versions| self.target.lack(Program::Nginx, versions));
        let Some(lack) = lack else { return };
        self.noted += 1;
        let places = self.unknown.entry(what()).or_default();
        match places.last_mut().filter(|_| !lack.is_certain()) {
            Some(first) => first.count += 1,
            None => places.push(Unknown {
                lack,
                node,
                span,
                count: 1,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;

    const SITE: &str = "server { listen 80; server_name a.example.com; http2 on; }";

    fn found(host: &str, sites: &[&str]) -> Vec<String> {
        let names = ["sites-available/a", "sites-available/b"];
        let mut files = vec![("watchme.toml", host)];
        files.extend(names.into_iter().zip(sites.iter().copied()));
        said("nginx-version", &files)
    }

    #[test]
    fn a_stated_version_refuses_what_it_does_not_know() {
        let old = "[host]\nnginx = \"1.22\"\n";
        assert_eq!(
            found(old, &[SITE]),
            [
                "E sites-available/a:1:48: nginx 1.22 does not know the directive http2, and refuses the configuration"
            ]
        );
        assert_eq!(found(old, &[SITE, &SITE.replace("a.e", "b.e")]).len(), 2);
        let new = "[host]\nnginx = \"1.26\"\n";
        assert_eq!(found(new, &[SITE]), [""; 0]);
        let gone = "server { listen 80; server_name a.example.com; ssl off; }";
        assert_eq!(found(old, &[gone]), [""; 0]);
        assert_eq!(
            found(new, &[gone]),
            [
                "E sites-available/a:1:48: nginx 1.26 does not know the directive ssl, and refuses the configuration"
            ]
        );
    }

    #[test]
    fn the_top_of_nginx_conf_and_its_blocks_have_versions_too() {
        let main = "quic_bpf on;\nevents {}\nstream { server { listen 1; pass 127.0.0.1:2; set $a b; } }\n";
        let files = [
            ("watchme.toml", "[host]\nnginx = \"1.22\"\n"),
            ("etc/nginx/nginx.conf", main),
        ];
        let found = said("nginx-version", &files);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].contains(":1:1: nginx 1.22 does not know the directive quic_bpf"));
        assert!(found[1].contains("nginx 1.22 does not know the directive pass"));
    }

    #[test]
    fn without_a_version_one_warning_names_those_that_refuse_it() {
        assert_eq!(
            found("", &[SITE, &SITE.replace("a.e", "b.e")]),
            [
                "W sites-available/a:1:48: nginx before 1.25.1 does not know the directive http2, which is used 2 times, and refuses the configuration"
            ]
        );
    }

    #[test]
    fn parameters_and_variables_have_versions_too() {
        let old = "[host]\nnginx = \"1.24\"\n";
        let site = "upstream u { zone u 64k; server app.example.com:80 resolve; }
server { listen 80; server_name a.example.com; add_header X-Curve $ssl_curve; return 200 $ssl_sigalg; }
map $uri $x { http2 on; }
server { listen 443 quic; }";
        let found = found(old, &[site]);
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(
            found[0].contains(":1:52: nginx 1.24 does not know the parameter resolve of server")
        );
        assert!(found[1].contains(" nginx 1.24 does not know the variable $ssl_sigalg"));
        assert!(found[2].contains(":4:21: nginx 1.24 does not know the parameter quic of listen"));
    }
}
