//! Servers that get in each other's way, and names that match more than is meant.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::view::View;
use crate::model::Finding;
use crate::source::nginx::Node;
use crate::source::nginx::listen::Socket;

crate::rule! {
    DUPLICATE_SERVER, "nginx-duplicate-server", Error;
    DUPLICATE_LISTEN, "nginx-duplicate-listen", Error;
    DUPLICATE_DEFAULT, "nginx-duplicate-default-server", Error;
    SERVER_NAME_REGEX, "nginx-server-name-regex", Warning;
    SERVER_NAME_UNMATCHABLE, "nginx-server-name-unmatchable", Error;
    PLAIN_443, "nginx-443-without-ssl", Error;
}

/// Ports of one `listen` that are told apart; real ranges are shorter.
const MAX_RANGE: usize = 1000;

/// What the servers claim together.
#[derive(Default)]
struct Claims<'v, 'a> {
    /// Who has a name on a socket first.
    names: HashMap<(String, String), (usize, &'v Node<'a>)>,
    /// Who is the default of a socket.
    defaults: HashMap<String, &'v Node<'a>>,
    /// Sockets of port 443: who listens there first, and whether anybody speaks TLS there.
    https: BTreeMap<String, (&'v Node<'a>, bool)>,
}

/// What is wrong with the servers.
pub fn check(view: &View<'_>, findings: &mut Vec<Finding>) {
    let mut claims = Claims::default();
    for (number, server) in view.servers().enumerate() {
        let sockets = listens(view, server, &mut claims, findings);
        names(view, (number, server), &sockets, &mut claims, findings);
    }
    let plain = claims.https.iter().filter(|(_, (_, tls))| !tls);
    findings.extend(plain.map(|(socket, (listen, _))| {
        let message = format!("nobody who listens on {socket} says ssl: browsers expect TLS there");
        let help = format!("write listen {} ssl;", words(listen));
        view.find(&PLAIN_443, listen, message, "", help)
    }));
}

fn words(node: &Node<'_>) -> String {
    let words = node.directive.args.iter().map(|word| word.text.as_str());
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a `listen` speaks TLS, or says nothing about it. What one server says of a socket
/// counts for all.
fn speaks_tls(server: &Node<'_>, listen: &Node<'_>) -> bool {
    let mut words = listen.directive.args.iter().map(|word| word.text.as_str());
    // `ssl on` is the old way; an included file may have it.
    let mut inside = server.inside().iter();
    words.any(|word| matches!(word, "ssl" | "quic" | "proxy_protocol"))
        || inside.any(|node| matches!(node.name(), "ssl" | "include"))
}

/// The sockets of a server; one without any listens on port 80.
fn listens<'v, 'a>(
    view: &View<'a>,
    server: &'v Node<'a>,
    claims: &mut Claims<'v, 'a>,
    findings: &mut Vec<Finding>,
) -> BTreeSet<String> {
    let mut sockets = BTreeSet::new();
    for listen in server
        .inside()
        .iter()
        .filter(|node| node.name() == "listen")
    {
        let options = listen.directive.args.iter().skip(1);
        let options: Vec<&str> = options.map(|word| word.text.as_str()).collect();
        let is_default = ["default_server", "default"]
            .iter()
            .any(|word| options.contains(word));
        // TCP and QUIC do not meet.
        let protocol = if options.contains(&"quic") {
            "/udp"
        } else {
            ""
        };
        for socket in addresses(listen.first()) {
            let socket = format!("{socket}{protocol}");
            if !sockets.insert(socket.clone()) {
                let message = format!("this server listens on {socket} twice: nginx refuses it");
                let help = "remove one of the two";
                findings.push(view.find(&DUPLICATE_LISTEN, listen, message, "", help));
                continue;
            }
            if socket.ends_with(":443") {
                let tls = speaks_tls(server, listen);
                claims
                    .https
                    .entry(socket.clone())
                    .or_insert((listen, tls))
                    .1 |= tls;
            }
            if !is_default {
                continue;
            }
            if let Some(first) = claims.defaults.get(&socket) {
                let place = view.place(first);
                let message =
                    format!("{socket} has its default server at {place} already: nginx refuses it");
                let help = "keep default_server at one of them";
                findings.push(view.find(&DUPLICATE_DEFAULT, listen, message, "", help));
            } else {
                claims.defaults.insert(socket, listen);
            }
        }
    }
    if sockets.is_empty() {
        sockets.insert("0.0.0.0:80".into());
    }
    sockets
}

/// What a `listen` means, a socket each.
fn addresses(text: &str) -> Vec<String> {
    match Socket::read(text) {
        Some(Socket { address, ports }) if ports.len() <= MAX_RANGE => {
            ports.map(|port| format!("{address}:{port}")).collect()
        }
        _ => vec![text.to_owned()],
    }
}

/// A name that a server claims, and where it is written.
struct Name<'v, 'a> {
    text: String,
    node: &'v Node<'a>,
    span: std::ops::Range<usize>,
}

fn names<'v, 'a>(
    view: &View<'a>,
    (number, server): (usize, &'v Node<'a>),
    sockets: &BTreeSet<String>,
    claims: &mut Claims<'v, 'a>,
    findings: &mut Vec<Finding>,
) {
    let mut names = Vec::new();
    for node in server
        .inside()
        .iter()
        .filter(|node| node.name() == "server_name")
    {
        names.extend(node.directive.args.iter().map(|word| Name {
            text: match word.text.starts_with('~') {
                true => word.text.clone(),
                false => word.text.to_lowercase(),
            },
            node,
            span: word.span.clone(),
        }));
    }
    if names.is_empty() {
        let span = server.directive.span.clone();
        let text = String::new();
        names.push(Name {
            text,
            node: server,
            span,
        });
    }
    let mut known = BTreeSet::new();
    for name in &names {
        if name.text.starts_with('~') {
            findings.extend(regex(view, name));
        } else if name.text.contains(['/', ':']) && !name.text.starts_with('[') {
            findings.push(unmatchable(view, name));
        } else if !name.text.contains('$') && known.insert(name.text.clone()) {
            findings.extend(claim(view, number, name, sockets, claims));
        }
    }
}

/// A URL, or a name with a port: nginx compares names without either.
fn unmatchable(view: &View<'_>, name: &Name<'_, '_>) -> Finding {
    let text = name.text.as_str();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let message =
        format!("no request has the name {text}: a server name has no scheme, port or path");
    let help = format!("write server_name {host};");
    let place = view.complain(name.node.path, name.span.clone(), message, "", help);
    Finding::at(&SERVER_NAME_UNMATCHABLE, place)
}

/// A name on the sockets of its server. One that another server has there already is ignored by nginx.
fn claim<'v, 'a>(
    view: &View<'a>,
    number: usize,
    name: &Name<'v, 'a>,
    sockets: &BTreeSet<String>,
    claims: &mut Claims<'v, 'a>,
) -> Option<Finding> {
    // `.example.org` is `example.org` and `*.example.org`.
    let keys = match name.text.strip_prefix('.') {
        Some(domain) => vec![domain.to_owned(), format!("*.{domain}")],
        None => vec![name.text.clone()],
    };
    let mut taken: Vec<&str> = Vec::new();
    let mut first = None;
    for socket in sockets {
        let places: Vec<_> = keys
            .iter()
            .map(|key| (socket.clone(), key.clone()))
            .collect();
        let mut owners = places.iter().filter_map(|place| claims.names.get(place));
        match owners.find(|(owner, _)| *owner != number) {
            Some((_, node)) => {
                taken.push(socket);
                first.get_or_insert(*node);
            }
            // nginx ignores a name as a whole.
            None => claims
                .names
                .extend(places.into_iter().map(|place| (place, (number, name.node)))),
        }
    }
    let place = view.place(first?);
    let on = taken.join(" and ");
    let message = match name.text.as_str() {
        "" => format!(
            "a server without a name stands on {on} at {place} already: nginx ignores this one"
        ),
        text => {
            format!("server_name {text} stands on {on} at {place} already: nginx ignores this one")
        }
    };
    let help = "join the two servers, or give one of them another name or port";
    let span = name.span.clone();
    let place = view.complain(name.node.path, span, message, "", help);
    Some(Finding::at(&DUPLICATE_SERVER, place))
}

/// A regular expression that also matches names which only contain or resemble the one that is meant.
fn regex(view: &View<'_>, name: &Name<'_, '_>) -> Option<Finding> {
    let expression = name.text.strip_prefix('~')?;
    // Everything is meant.
    if [
        "", ".", ".*", ".+", "^", "^.*$", "^.+$", "^.*", "^.+", "^(.*)$", "^(.+)$",
    ]
    .contains(&expression)
    {
        return None;
    }
    let open = match (expression.starts_with('^'), expression.ends_with('$')) {
        (true, true) => "",
        (false, true) => "has no ^ at its beginning",
        (true, false) => "has no $ at its end",
        (false, false) => "has no ^ and $ around it",
    };
    let (message, help) = match (open, has_bare_dot(expression)) {
        ("", false) => return None,
        ("", true) => (
            format!(
                "a dot in the server name ~{expression} is not escaped: it matches any character"
            ),
            "write \\. for a dot".to_owned(),
        ),
        (open, _) => {
            let inside = expression.trim_start_matches('^').trim_end_matches('$');
            let message = format!(
                "the server name ~{expression} {open}: names of others that contain it match, too"
            );
            (message, format!("write ~^{inside}$, with \\. for a dot"))
        }
    };
    let place = view.complain(name.node.path, name.span.clone(), message, "", help);
    Some(Finding::at(&SERVER_NAME_REGEX, place))
}

/// Whether a dot stands for any character where a name has its dots: outside brackets, and not
/// repeated as in `.*`.
fn has_bare_dot(expression: &str) -> bool {
    let mut chars = expression.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => class = true,
            ']' => class = false,
            '.' if !class && !matches!(chars.peek(), Some('*' | '+' | '?' | '{')) => return true,
            _ => {}
        }
    }
    false
}
