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

/// What a name is of. Each module has names of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    LimitReq,
    LimitConn,
    StreamLimitConn,
    /// The protocol of a cache.
    Cache(&'static str),
    LogFormat,
    StreamLogFormat,
    Upstream,
    StreamUpstream,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::LimitReq | Self::LimitConn | Self::StreamLimitConn => "zone",
            Self::Cache(_) => "cache",
            Self::LogFormat | Self::StreamLogFormat => "log format",
            Self::Upstream | Self::StreamUpstream => "upstream",
        }
    }

    /// The directive that declares it.
    fn directive(self) -> String {
        match self {
            Self::LimitReq => "limit_req_zone".to_owned(),
            Self::LimitConn | Self::StreamLimitConn => "limit_conn_zone".to_owned(),
            Self::Cache(protocol) => format!("{protocol}_cache_path"),
            Self::LogFormat | Self::StreamLogFormat => "log_format".to_owned(),
            Self::Upstream | Self::StreamUpstream => "upstream".to_owned(),
        }
    }

    /// nginx tells no cases of these apart.
    fn key(self, name: &str) -> String {
        match self {
            Self::LogFormat | Self::Upstream | Self::StreamUpstream => name.to_ascii_lowercase(),
            _ => name.to_owned(),
        }
    }
}

/// Protocols that have caches.
const CACHES: [(&str, &str, &str); 4] = [
    ("proxy", "proxy_cache", "proxy_cache_path"),
    ("fastcgi", "fastcgi_cache", "fastcgi_cache_path"),
    ("uwsgi", "uwsgi_cache", "uwsgi_cache_path"),
    ("scgi", "scgi_cache", "scgi_cache_path"),
];

/// A name that is used, or an address that could be one.
struct Use<'v, 'a> {
    kind: Kind,
    name: &'v str,
    node: &'v Node<'a>,
    word: &'v Word,
    /// How many declarations of its kind stand before it.
    before: usize,
    /// Whether it has a port of its own.
    has_port: bool,
}

/// All names of a configuration.
struct Names<'v, 'a> {
    view: &'v View<'a>,
    declared: HashMap<(Kind, String), (usize, &'v Node<'a>)>,
    counts: HashMap<Kind, usize>,
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
            if let Some((kind, name)) = declares(node, is_stream) {
                self.declare(kind, name, node);
            }
            if let Some((kind, name, word, has_port)) = uses(node, is_stream) {
                let before = self.counts.get(&kind).copied().unwrap_or_default();
                self.uses.push(Use {
                    kind,
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

    fn declare(&mut self, kind: Kind, name: &'v str, node: &'v Node<'a>) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let key = (kind, kind.key(name));
        let Some((_, first)) = self.declared.get(&key) else {
            self.declared.insert(key, (*count, node));
            return;
        };
        let message = format!(
            "{} {name} is declared at {} already: nginx refuses it",
            kind.words(),
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
        let is_backup = |node: &&Node<'_>| words(node).any(|word| word == "backup");
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
                kind, name, node, ..
            } = used;
            let declared = self.declared.get(&(kind, kind.key(name)));
            let problem = match (kind, declared) {
                (Kind::Upstream | Kind::StreamUpstream, declared) => {
                    upstream_problem(&used, declared.is_some())
                }
                // nginx looks for a format when it reads its name.
                (Kind::LogFormat | Kind::StreamLogFormat, Some((number, first)))
                    if *number > used.before =>
                {
                    let place = self.view.place(first);
                    let message = format!("log format {name} is declared behind it, at {place}");
                    Some((message, "move log_format in front of it".to_owned()))
                }
                (_, Some(_)) => None,
                // nginx's own package declares it.
                (Kind::LogFormat, None) if name == "main" && !is_complete => None,
                (_, None) => {
                    let message = format!("nothing declares {} {name}", kind.words());
                    let names = self.declared.keys();
                    let names = names.filter(|(other, _)| *other == kind);
                    let near = speller.misspelt(name, names.map(|(_, name)| name.as_str()));
                    let help = match near {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!("declare it in http with {}", kind.directive()),
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
        (false, false) if used.node.name() != "proxy_pass" || used.kind == Kind::StreamUpstream => {
            let message = format!("nothing declares upstream {name}, and a host needs a port here");
            Some((
                message,
                "declare it, or write HOST:PORT or unix:/PATH".to_owned(),
            ))
        }
        _ => None,
    }
}

fn words<'n>(node: &'n Node<'_>) -> impl Iterator<Item = &'n str> {
    node.directive.args.iter().map(|word| word.text.as_str())
}

/// The name that a directive declares.
fn declares<'n>(node: &'n Node<'_>, is_stream: bool) -> Option<(Kind, &'n str)> {
    let of = |start: &str| {
        let zone = words(node)
            .skip(1)
            .find_map(|word| word.strip_prefix(start));
        zone.and_then(|zone| zone.split_once(':'))
            .map(|(name, _)| name)
    };
    let (kind, name) = match (node.name(), is_stream) {
        ("limit_req_zone", _) => (Kind::LimitReq, of("zone=")?),
        ("limit_conn_zone", true) => (Kind::StreamLimitConn, of("zone=")?),
        ("limit_conn_zone", false) => (Kind::LimitConn, of("zone=")?),
        ("log_format", true) => (Kind::StreamLogFormat, node.first()),
        ("log_format", false) => (Kind::LogFormat, node.first()),
        ("upstream", true) => (Kind::StreamUpstream, node.first()),
        ("upstream", false) => (Kind::Upstream, node.first()),
        (name, _) => {
            let (protocol, ..) = CACHES.iter().find(|(.., path)| *path == name)?;
            (Kind::Cache(protocol), of("keys_zone=")?)
        }
    };
    (!name.is_empty()).then_some((kind, name))
}

/// The name that a directive uses, with its word, and whether it has a port.
fn uses<'n>(node: &'n Node<'_>, is_stream: bool) -> Option<(Kind, &'n str, &'n Word, bool)> {
    let args = &node.directive.args;
    let first = args.first()?;
    let plain = |kind, name: &'n str, word| {
        let is_name = !name.is_empty() && !name.contains('$');
        is_name.then_some((kind, name, word, false))
    };
    match (node.name(), is_stream) {
        ("limit_req", _) => {
            let word = args.iter().find(|word| word.text.starts_with("zone="))?;
            plain(Kind::LimitReq, word.text.strip_prefix("zone=")?, word)
        }
        ("limit_conn", true) => plain(Kind::StreamLimitConn, &first.text, first),
        ("limit_conn", false) => plain(Kind::LimitConn, &first.text, first),
        ("access_log", _) => {
            let word = args.get(1)?;
            let kind = match is_stream {
                true => Kind::StreamLogFormat,
                false => Kind::LogFormat,
            };
            let is_own = !is_stream && word.text.eq_ignore_ascii_case("combined");
            plain(kind, &word.text, word).filter(|_| !is_own && first.text != "off")
        }
        ("proxy_pass", true) => passed(Kind::StreamUpstream, &first.text, first),
        (
            "proxy_pass" | "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "memcached_pass"
            | "grpc_pass",
            false,
        ) => passed(Kind::Upstream, &first.text, first),
        (name, _) => {
            let (protocol, ..) = CACHES.iter().find(|(_, cache, _)| *cache == name)?;
            plain(Kind::Cache(protocol), &first.text, first).filter(|_| first.text != "off")
        }
    }
}

/// The host of an address, and whether it has a port; `None` for a socket, and where variables are in it.
fn passed<'n>(
    kind: Kind,
    text: &'n str,
    word: &'n Word,
) -> Option<(Kind, &'n str, &'n Word, bool)> {
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
    (!host.is_empty()).then_some((kind, host, word, has_port))
}
