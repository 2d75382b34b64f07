//! Names that one part of the configuration declares and another one uses: shared memory zones, log formats, and groups
//! of upstream servers.

use std::collections::{HashMap, HashSet};

use super::view::View;
use crate::check::engine::Rule;
use crate::check::rules::nginx::rule::{
    nginx_duplicate_name, nginx_undeclared_name, nginx_upstream_invalid,
};
use crate::model::{Finding, Severity};
use crate::source::error::Speller;
use crate::source::nginx::{Node, Word};

/// Where a name is unique: among those that one directive declares, in `http` or in `stream`. Each module has names of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Namespace {
    directive: &'static str,
    is_stream: bool,
}

impl Namespace {
    fn words(self) -> &'static str {
        match self.directive {
            "limit_req_zone" | "limit_conn_zone" => "zone",
            "log_format" => "log format",
            "upstream" => "upstream",
            _ => "cache",
        }
    }

    /// nginx tells no cases of these apart.
    fn key(self, name: &str) -> String {
        match (self.directive, self.is_stream) {
            ("log_format", false) | ("upstream", _) => name.to_ascii_lowercase(),
            _ => name.to_owned(),
        }
    }
}

/// Directives that use a cache, with those that declare it.
const CACHES: [(&str, &str); 4] = [
    ("proxy_cache", "proxy_cache_path"),
    ("fastcgi_cache", "fastcgi_cache_path"),
    ("uwsgi_cache", "uwsgi_cache_path"),
    ("scgi_cache", "scgi_cache_path"),
];

/// A name that is used, or an address that could be one.
struct Use<'v, 'a> {
    namespace: Namespace,
    name: &'v str,
    node: &'v Node<'a>,
    word: &'v Word,
    /// How many declarations in its namespace come before it.
    before: usize,
    /// Whether it has a port of its own.
    has_port: bool,
}

/// All names of a configuration.
struct Names<'v, 'a> {
    view: &'v View<'a>,
    declared: HashMap<(Namespace, String), (usize, &'v Node<'a>)>,
    counts: HashMap<Namespace, usize>,
    uses: Vec<Use<'v, 'a>>,
    found: Vec<Finding>,
}

/// Looks at all names of a configuration.
pub(crate) fn walk(view: &View<'_>) -> Vec<Finding> {
    let mut names = Names {
        view,
        declared: HashMap::new(),
        counts: HashMap::new(),
        uses: Vec::new(),
        found: Vec::new(),
    };
    names.level(&view.http, false);
    for node in view.main.iter().filter(|node| node.name() == "stream") {
        names.level(node.inside(), true);
    }
    names.compare();
    names.found
}

impl<'v, 'a> Names<'v, 'a> {
    fn level(&mut self, nodes: &'v [Node<'a>], is_stream: bool) {
        for node in nodes.iter().filter(|node| !node.again) {
            if let Some((namespace, name)) = declares(node, is_stream) {
                self.declare(namespace, name, node);
            }
            if let Some((namespace, name, word, has_port)) = uses(node, is_stream) {
                let before = self.counts.get(&namespace).copied().unwrap_or_default();
                self.uses.push(Use {
                    namespace,
                    name,
                    node,
                    word,
                    before,
                    has_port,
                });
            }
            match node.name() {
                "upstream" => self.upstream(node),
                "server" | "location" | "if" | "limit_except" => {
                    self.level(node.inside(), is_stream);
                }
                _ => {}
            }
        }
    }

    fn declare(&mut self, namespace: Namespace, name: &'v str, node: &'v Node<'a>) {
        let count = self.counts.entry(namespace).or_default();
        *count += 1;
        let key = (namespace, namespace.key(name));
        let Some((_, first)) = self.declared.get(&key) else {
            self.declared.insert(key, (*count, node));
            return;
        };
        let message = format!(
            "{} {name} is declared at {} already: nginx refuses it",
            namespace.words(),
            self.view.place(first)
        );
        let help = "give one of them another name";
        self.note(&nginx_duplicate_name::RULE, node, message, help);
    }

    fn note(&mut self, rule: &'static Rule, node: &Node<'_>, message: String, help: &str) {
        self.found.push(self.view.find(rule, node, message, help));
    }

    /// `no servers are inside upstream`, and parameters that a balancing method does not take.
    fn upstream(&mut self, group: &'v Node<'a>) {
        let inside = group.inside();
        let name = group.first();
        // What is elsewhere may be servers; `state` is one of the commercial version.
        let is_elsewhere = |node: &Node<'_>| matches!(node.name(), "include" | "state");
        if inside.iter().any(is_elsewhere) {
            return;
        }
        let servers = || inside.iter().filter(|node| node.name() == "server");
        let is_backup = |node: &&Node<'_>| node.words().any(|word| word == "backup");
        if servers().next().is_none() {
            let message = format!("upstream {name} has no server: nginx refuses it");
            let help = "write server HOST:PORT; into it, or remove it";
            self.note(&nginx_upstream_invalid::RULE, group, message, help);
            return;
        }
        if servers().all(|node| is_backup(&node)) {
            let message = format!("all servers of upstream {name} are backups: nginx refuses it");
            let help = "remove backup from one of them";
            self.note(&nginx_upstream_invalid::RULE, group, message, help);
        }
        // The flags of `ngx_http_upstream_ip_hash` and its likes, for the servers behind it.
        let method = inside
            .iter()
            .position(|node| matches!(node.name(), "ip_hash" | "hash" | "random"));
        let Some((method, behind)) =
            method.and_then(|at| Some((inside.get(at)?, inside.get(at + 1..)?)))
        else {
            return;
        };
        let wrong = behind
            .iter()
            .find(|node| node.name() == "server" && is_backup(node));
        if let Some(node) = wrong {
            let message = format!(
                "{} takes no backup servers: nginx refuses it",
                method.name()
            );
            let help = &format!("remove backup, or {}", method.name());
            self.note(&nginx_upstream_invalid::RULE, node, message, help);
        }
    }

    /// Compares what is used with what is declared.
    fn compare(&mut self) {
        let is_complete = self.view.is_complete();
        let (mut seen, speller) = (HashSet::new(), Speller::default());
        for used in std::mem::take(&mut self.uses) {
            let Use {
                namespace,
                name,
                node,
                ..
            } = used;
            let declared = self.declared.get(&(namespace, namespace.key(name)));
            let problem = match (namespace.directive, declared) {
                ("upstream", declared) => upstream_problem(&used, declared.is_some()),
                // nginx looks for a format when it reads its name.
                ("log_format", Some((number, first))) if *number > used.before => {
                    let place = self.view.place(first);
                    let message = format!("log format {name} is declared after it, at {place}");
                    Some((message, "move log_format before it".to_owned()))
                }
                (_, Some(_)) => None,
                // nginx's own package declares it.
                ("log_format", None) if !namespace.is_stream && name == "main" && !is_complete => {
                    None
                }
                (_, None) => {
                    let message = format!("nothing declares {} {name}", namespace.words());
                    let names = self.declared.keys();
                    let names = names.filter(|(other, _)| *other == namespace);
                    let near = speller.misspelt(name, names.map(|(_, name)| name.as_str()));
                    let help = match near {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!("declare it in http with {}", namespace.directive),
                    };
                    Some((message, help))
                }
            };
            let Some((message, help)) = problem else {
                continue;
            };
            let span = used.word.span.clone();
            if !seen.insert((node.path, span.start)) {
                continue;
            }
            let rule = &nginx_undeclared_name::RULE;
            let found = self.view.find_at(rule, node, &span, message, help);
            let is_open = !is_complete && !used.has_port;
            self.found
                .push(found.weighing_where(is_open, Severity::Warning));
        }
    }
}

/// A name without a port has to be that of a group where there is no usual port, and a group has no port:
/// `ngx_http_upstream_add` and `ngx_http_upstream_init_round_robin`.
fn upstream_problem(used: &Use<'_, '_>, is_declared: bool) -> Option<(String, String)> {
    let name = used.name;
    match (is_declared, used.has_port) {
        (true, true) => {
            let message = format!("{name} is an upstream, which takes no port: nginx refuses it");
            let help = format!("write {name} without the port, or another name");
            Some((message, help))
        }
        (false, false) if used.node.name() != "proxy_pass" || used.namespace.is_stream => {
            let message = format!("nothing declares upstream {name}, and a host needs a port here");
            Some((
                message,
                "declare it, or write HOST:PORT or unix:/PATH".to_owned(),
            ))
        }
        _ => None,
    }
}

/// The name that a directive declares.
fn declares<'n>(node: &'n Node<'_>, is_stream: bool) -> Option<(Namespace, &'n str)> {
    let of = |start: &str| {
        let zone = node
            .words()
            .skip(1)
            .find_map(|word| word.strip_prefix(start));
        zone.and_then(|zone| zone.split_once(':'))
            .map(|(name, _)| name)
    };
    let (directive, name) = match node.name() {
        "limit_req_zone" => ("limit_req_zone", of("zone=")?),
        "limit_conn_zone" => ("limit_conn_zone", of("zone=")?),
        "log_format" => ("log_format", node.first()),
        "upstream" => ("upstream", node.first()),
        name => {
            let (_, path) = CACHES.iter().find(|(_, path)| *path == name)?;
            (*path, of("keys_zone=")?)
        }
    };
    // Requests have limits in http alone.
    let is_stream =
        is_stream && !(directive == "limit_req_zone" || directive.ends_with("_cache_path"));
    let namespace = Namespace {
        directive,
        is_stream,
    };
    (!name.is_empty()).then_some((namespace, name))
}

/// The name that a directive uses, with its word, and whether it has a port.
fn uses<'n>(node: &'n Node<'_>, is_stream: bool) -> Option<(Namespace, &'n str, &'n Word, bool)> {
    let args = node.args();
    let first = args.first()?;
    let of = |directive| Namespace {
        directive,
        is_stream,
    };
    let plain = |namespace, name: &'n str, word| {
        let is_name = !name.is_empty() && !name.contains('$');
        is_name.then_some((namespace, name, word, false))
    };
    match node.name() {
        "limit_req" => {
            let word = args.iter().find(|word| word.text.starts_with("zone="))?;
            let namespace = Namespace {
                is_stream: false,
                ..of("limit_req_zone")
            };
            plain(namespace, word.text.strip_prefix("zone=")?, word)
        }
        "limit_conn" => plain(of("limit_conn_zone"), &first.text, first),
        "access_log" => {
            let word = args.get(1)?;
            let is_own = !is_stream && word.text.eq_ignore_ascii_case("combined");
            let used = plain(of("log_format"), &word.text, word);
            used.filter(|_| !is_own && first.text != "off")
        }
        "proxy_pass" => passed(of("upstream"), &first.text, first),
        "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "memcached_pass" | "grpc_pass"
            if !is_stream =>
        {
            passed(of("upstream"), &first.text, first)
        }
        name => {
            let (_, path) = CACHES.iter().find(|(cache, _)| *cache == name)?;
            let namespace = Namespace {
                is_stream: false,
                ..of(path)
            };
            plain(namespace, &first.text, first).filter(|_| first.text != "off")
        }
    }
}

/// The host of an address, and whether it has a port; `None` for a socket, and where variables are in it.
fn passed<'n>(
    namespace: Namespace,
    text: &'n str,
    word: &'n Word,
) -> Option<(Namespace, &'n str, &'n Word, bool)> {
    let (_, address) = text.split_once("://").unwrap_or(("", text));
    let is_socket = address
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("unix:"));
    if is_socket || text.contains('$') || address.starts_with('[') {
        return None;
    }
    let authority = address.split(['/', '?']).next()?;
    let (host, has_port) = match authority.split_once(':') {
        Some((host, _)) => (host, true),
        None => (authority, false),
    };
    (!host.is_empty()).then_some((namespace, host, word, has_port))
}
