//! Ports that nginx listens on.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::path::Path;

use crate::check::Subject;
use crate::check::ports::MAX_PORTS;
use crate::source::nginx::listen::{Address, Socket};
use crate::source::nginx::{self, Located};

/// Ports of a server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Listening<'a> {
    /// The file in which it is.
    pub path: &'a Path,
    /// The address of the host; `None` for all of them, and for a name.
    pub address: Option<IpAddr>,
    /// Whether it is a name, which only the host can resolve.
    pub is_named: bool,
    /// Its ports.
    pub ports: RangeInclusive<u16>,
    /// `tcp`, or `udp` for QUIC and for streams that say so.
    pub protocol: &'static str,
}

/// What the servers of a desired state listen on, those of `stream` included.
pub(crate) fn listens<'a>(subject: &'a Subject) -> Vec<Listening<'a>> {
    let parsed = &subject.revision.parsed;
    let files = nginx::files(&subject.revision.desired, &parsed.sites, &parsed.etc);
    let mut found = Vec::new();
    for (block, is_web) in [(files.http(), true), (files.stream(), false)] {
        for server in block.iter().filter(|place| place.name() == "server") {
            let inside = files.inside(*server);
            let mut listens = inside
                .iter()
                .filter(|place| place.name() == "listen")
                .peekable();
            if is_web && listens.peek().is_none() {
                found.push(listening(server.path, Socket::usual(), "tcp"));
            }
            found.extend(listens.filter_map(|listen| of_listen(*listen)));
        }
    }
    let mut seen = HashSet::new();
    let mut left = MAX_PORTS;
    found.retain(|listening: &Listening| {
        let count = listening.ports.len();
        let is_new = count <= left && seen.insert(listening.clone());
        left -= if is_new { count } else { 0 };
        is_new
    });
    found
}

fn of_listen(listen: Located<'_>) -> Option<Listening<'_>> {
    let socket = Socket::read(listen.word(0))?;
    let is_dual = listen.words().any(|word| word == "ipv6only=off");
    let is_udp = listen.words().any(|word| matches!(word, "quic" | "udp"));
    let protocol = if is_udp { "udp" } else { "tcp" };
    let found = listening(listen.path, socket, protocol);
    let address = found
        .address
        .filter(|ip| !(is_dual && *ip == Ipv6Addr::UNSPECIFIED));
    Some(Listening { address, ..found })
}

fn listening<'a>(path: &'a Path, socket: Socket, protocol: &'static str) -> Listening<'a> {
    let (address, is_named) = match socket.address {
        Address::Ip(ip) => (Some(ip), false),
        Address::Name(_) => (None, true),
    };
    Listening {
        path,
        address,
        is_named,
        ports: socket.ports,
        protocol,
    }
}
