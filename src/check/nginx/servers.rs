//! Servers that get in each other's way, and names that match more than is meant.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::view::View;
use crate::check::rules::nginx::rule::{
    nginx_443_without_ssl, nginx_duplicate_default_server, nginx_duplicate_listen,
    nginx_duplicate_server,
};
use crate::model::Finding;
use crate::source::nginx::Node;
use crate::source::nginx::listen::{Socket, is_of_socket};

/// Ports of one `listen` that are distinguished; real ranges are shorter.
const MAX_RANGE: usize = 1000;
/// Sockets that a message names.
const MAX_SHOWN: usize = 4;
/// Sockets that are distinguished.
const MAX_SOCKETS: usize = 100_000;
/// Names on sockets that are compared; behind them, only on the first socket of each server. nginx compares them all.
const MAX_NAMES: usize = 200_000;

/// What the servers claim together.
#[derive(Default)]
struct Claims<'v, 'a> {
    /// How many sockets there are.
    sockets: usize,
    /// How many names on sockets were compared.
    compared: usize,
    /// Who has a name on a socket first.
    names: HashMap<(String, String), (usize, &'v Node<'a>)>,
    /// Who is the default of a socket.
    defaults: HashMap<String, &'v Node<'a>>,
    /// Who sets the options of a socket.
    options: HashMap<String, &'v Node<'a>>,
    /// Sockets of port 443: who listens there first, and whether anybody speaks TLS there.
    https: BTreeMap<String, (&'v Node<'a>, bool)>,
}

/// Looks at all servers, and at what they claim together.
pub(crate) fn walk(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut claims = Claims::default();
    for (number, server) in view.servers().enumerate() {
        let sockets = listens(view, server, &mut claims, &mut findings);
        names(view, (number, server), &sockets, &mut claims, &mut findings);
    }
    let plain = claims.https.iter().filter(|(_, (_, tls))| !tls);
    findings.extend(plain.map(|(socket, (listen, _))| {
        let message =
            format!("no server that listens on {socket} says ssl: browsers expect TLS there");
        let help = format!("write {} ssl;", listen.located().text());
        view.find(&nginx_443_without_ssl::RULE, listen, message, help)
    }));
    findings
}

/// Whether a `listen` speaks TLS, or says nothing about it. What one server says of a socket
/// counts for all.
fn speaks_tls(listen: &Node<'_>) -> bool {
    listen
        .words()
        .any(|word| matches!(word, "ssl" | "quic" | "proxy_protocol"))
}

/// The sockets of a server; one without any listens on port 80.
fn listens<'v, 'a>(
    view: &View<'a>,
    server: &'v Node<'a>,
    claims: &mut Claims<'v, 'a>,
    findings: &mut Vec<Finding>,
) -> BTreeSet<String> {
    let mut sockets = BTreeSet::new();
    // `ssl on` is the old way; an included file may have it.
    let mut inside = server.inside().iter();
    let may_speak_tls = inside.any(|node| matches!(node.name(), "ssl" | "include"));
    for listen in server
        .inside()
        .iter()
        .filter(|node| node.name() == "listen")
    {
        let options: Vec<&str> = listen.words().skip(1).collect();
        let is_default = ["default_server", "default"]
            .iter()
            .any(|word| options.contains(word));
        // TCP and QUIC do not meet.
        let protocol = if options.contains(&"quic") {
            "/udp"
        } else {
            ""
        };
        let is_told_apart = claims.sockets < MAX_SOCKETS;
        for socket in addresses(listen.first(), is_told_apart) {
            let socket = format!("{socket}{protocol}");
            claims.sockets += 1;
            if !sockets.insert(socket.clone()) {
                let message = format!("this server listens on {socket} twice: nginx refuses it");
                let help = "remove one of the two";
                findings.push(view.find(&nginx_duplicate_listen::RULE, listen, message, help));
                // The other ports of a range would say the same.
                break;
            }
            if options.iter().any(|option| is_of_socket(option))
                && let Some(first) = claims.options.insert(socket.clone(), listen)
            {
                let place = view.place(first);
                let message =
                    format!("the options of {socket} are set at {place} already: nginx refuses it");
                let help = "keep them at one listen of this address";
                findings.push(view.find(&nginx_duplicate_listen::RULE, listen, message, help));
                break;
            }
            if socket.ends_with(":443") {
                let tls = may_speak_tls || speaks_tls(listen);
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
                findings.push(view.find(
                    &nginx_duplicate_default_server::RULE,
                    listen,
                    message,
                    help,
                ));
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
pub(crate) fn addresses(text: &str, is_told_apart: bool) -> impl Iterator<Item = String> {
    let socket =
        Socket::read(text).filter(|socket| is_told_apart && socket.ports.len() <= MAX_RANGE);
    let whole = socket.is_none().then(|| text.to_owned());
    let ports = socket
        .into_iter()
        .flat_map(|Socket { address, ports }| ports.map(move |port| format!("{address}:{port}")));
    ports.chain(whole)
}

/// A name that a server claims, and where it is written.
pub(crate) struct Name<'v, 'a> {
    /// The name; one that is no regular expression in lower case.
    pub text: String,
    /// Its directive.
    pub node: &'v Node<'a>,
    /// Its bytes.
    pub span: std::ops::Range<usize>,
}

fn names<'v, 'a>(
    view: &View<'a>,
    (number, server): (usize, &'v Node<'a>),
    sockets: &BTreeSet<String>,
    claims: &mut Claims<'v, 'a>,
    findings: &mut Vec<Finding>,
) {
    let names = names_of(server);
    let mut known = BTreeSet::new();
    for name in &names {
        let is_plain = !name.text.starts_with('~') && !name.text.contains('$');
        if is_plain && !name.is_unmatchable() && known.insert(name.text.clone()) {
            findings.extend(claim(view, number, name, sockets, claims));
        }
    }
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
    let most = match claims.compared < MAX_NAMES {
        true => sockets.len(),
        false => 1,
    };
    claims.compared += sockets.len().min(most);
    for socket in sockets.iter().take(most) {
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
    let others = taken.len().saturating_sub(MAX_SHOWN);
    let mut on = taken
        .into_iter()
        .take(MAX_SHOWN)
        .collect::<Vec<_>>()
        .join(" and ");
    if others > 0 {
        on = format!("{on} and {others} others");
    }
    let message = match name.text.as_str() {
        "" => format!(
            "there is already a server without a name on {on} at {place}: nginx ignores this one"
        ),
        text => {
            format!("server_name {text} is already used on {on} at {place}: nginx ignores this one")
        }
    };
    let help = "join the two servers, or give one of them another name or port";
    Some(view.find_at(
        &nginx_duplicate_server::RULE,
        name.node,
        &name.span,
        message,
        help,
    ))
}

/// The names of a server; one without any has the empty name.
pub(crate) fn names_of<'v, 'a>(server: &'v Node<'a>) -> Vec<Name<'v, 'a>> {
    let mut names = Vec::new();
    for node in server
        .inside()
        .iter()
        .filter(|node| node.name() == "server_name")
    {
        names.extend(node.args().iter().map(|word| Name {
            text: match word.text.starts_with('~') {
                true => word.text.to_string(),
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
    names
}

impl Name<'_, '_> {
    /// Whether it is a URL, or a name with a port: nginx compares names without either.
    pub(crate) fn is_unmatchable(&self) -> bool {
        let text = self.text.as_str();
        !text.starts_with(['~', '[']) && text.contains(['/', ':'])
    }
}
