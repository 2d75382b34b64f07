//! Which server answers: by the address that it listens on, then by its name.
//! <https://nginx.org/en/docs/http/request_processing.html>, <https://nginx.org/en/docs/http/server_names.html>

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::config::Server;
use super::outcome::Listens;
use super::regex::{Captures, Pattern};
use crate::listen::{Address, Socket};

/// The servers of one address and port.
#[derive(Debug)]
pub(super) struct Group {
    pub address: Address,
    pub port: u16,
    /// Whether one of its `listen` says `ssl`.
    pub ssl: bool,
    /// Whether IPv4 comes to `[::]`, too.
    pub both: bool,
    /// The server that answers when no name fits, and whether it says so.
    pub default: (usize, bool),
    /// In the order in which nginx reads them.
    pub servers: Vec<usize>,
    names: OnceCell<Names>,
}

#[derive(Debug, Default)]
struct Names {
    exact: BTreeMap<String, usize>,
    /// `*.domain`, and with `true` `.domain`.
    head: BTreeMap<String, (usize, bool)>,
    tail: BTreeMap<String, usize>,
    regexes: Vec<(usize, String)>,
    /// Servers with names that only the host knows.
    unknown: Vec<usize>,
}

/// The server that a name leads to.
#[derive(Debug)]
pub(super) struct Named {
    pub server: usize,
    /// Why, in a few words.
    pub why: String,
    pub captures: Option<Captures>,
}

/// The addresses of all servers, by port.
pub(super) fn groups(servers: &[Server<'_>]) -> BTreeMap<u16, Vec<Group>> {
    let mut groups: BTreeMap<u16, Vec<Group>> = BTreeMap::new();
    let mut add = |server, address: &Address, port, options: &[&str]| {
        let groups = groups.entry(port).or_default();
        let known = groups.iter().position(|group| group.address == *address);
        let index = known.unwrap_or_else(|| {
            groups.push(Group {
                address: address.clone(),
                port,
                ssl: false,
                both: false,
                default: (server, false),
                servers: Vec::new(),
                names: OnceCell::new(),
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(index) {
            group.ssl |= options.contains(&"ssl");
            group.both |= options.contains(&"ipv6only=off");
            if options.contains(&"default_server") || options.contains(&"default") {
                group.default = (server, true);
            }
            if group.servers.last() != Some(&server) {
                group.servers.push(server);
            }
        }
    };
    for (index, server) in servers.iter().enumerate() {
        let mut said = false;
        for listen in server.block.named("listen") {
            said = true;
            let options: Vec<&str> = listen.words().skip(1).collect();
            if let Some(Socket { address, ports }) = Socket::read(listen.word(0)) {
                ports.for_each(|port| add(index, &address, port, &options));
            }
        }
        if !said {
            let Socket { address, ports } = Socket::usual();
            ports.for_each(|port| add(index, &address, port, &[]));
        }
    }
    groups
}

/// Where each of so many servers listens, by port.
pub(super) fn listens(groups: &BTreeMap<u16, Vec<Group>>, servers: usize) -> Vec<Vec<Listens>> {
    let mut all: Vec<Vec<Listens>> = vec![Vec::new(); servers];
    for group in groups.values().flatten() {
        let listens = Listens {
            port: group.port,
            tls: group.ssl,
            public: !matches!(group.address, Address::Ip(address) if address.is_loopback()),
        };
        for server in &group.servers {
            if let Some(own) = all.get_mut(*server) {
                let mut of_port = own.iter().rev().take_while(|one| one.port == group.port);
                if of_port.all(|one| *one != listens) {
                    own.push(listens);
                }
            }
        }
    }
    all
}

/// The groups of a port at which a connection may arrive: one, unless nobody knows by which address it comes.
pub(super) fn arriving(groups: &[Group], to: Option<IpAddr>) -> Vec<&Group> {
    let is = |group: &&Group, address: IpAddr| group.address == Address::Ip(address);
    let any = || {
        let v4 = groups
            .iter()
            .find(|group| is(group, Ipv4Addr::UNSPECIFIED.into()));
        let v6 = groups
            .iter()
            .find(|group| is(group, Ipv6Addr::UNSPECIFIED.into()));
        match to {
            Some(IpAddr::V4(_)) => v4.or(v6.filter(|group| group.both)),
            Some(IpAddr::V6(_)) => v6,
            None => v4.or(v6),
        }
    };
    if let Some(to) = to {
        let own = groups.iter().find(|group| is(group, to));
        let named = groups
            .iter()
            .filter(|group| matches!(group.address, Address::Name(_)));
        return match own {
            Some(own) => vec![own],
            None => any().into_iter().chain(named).collect(),
        };
    }
    let single = groups.iter().filter(|group| match &group.address {
        Address::Ip(address) => !address.is_unspecified() && !address.is_loopback(),
        Address::Name(_) => true,
    });
    any().into_iter().chain(single).collect()
}

impl Group {
    /// Who answers for a host, in lower case. `Err`: a server whose regular expression cannot be decided.
    pub(super) fn named(&self, servers: &[Server<'_>], host: &str) -> Result<Option<Named>, usize> {
        let names = self.names.get_or_init(|| Names::of(&self.servers, servers));
        let found = |server, why: String| {
            Ok(Some(Named {
                server,
                why,
                captures: None,
            }))
        };
        if let Some(server) = names.exact.get(host) {
            return found(*server, format!("its name is {host}"));
        }
        if let Some((_, true)) = names.head.get(host)
            && let Some((server, _)) = names.head.get(host)
        {
            return found(*server, format!("its name .{host} fits"));
        }
        let dots = || host.match_indices('.').map(|(at, _)| at);
        for at in dots().filter(|at| *at > 0) {
            let domain = host.get(at + 1..).unwrap_or_default();
            if let Some((server, dot)) = names.head.get(domain) {
                let star = if *dot { "" } else { "*" };
                let why = format!("its name {star}.{domain} is the longest that fits");
                return found(*server, why);
            }
        }
        for at in dots().collect::<Vec<_>>().into_iter().rev() {
            let start = host.get(..at).unwrap_or_default();
            if let Some(server) = names.tail.get(start) {
                return found(
                    *server,
                    format!("its name {start}.* is the longest that fits"),
                );
            }
        }
        for (server, regex) in &names.regexes {
            let caseless = regex.chars().any(|c| c.is_ascii_uppercase());
            let pattern = Pattern::new(regex, caseless).ok_or(*server)?;
            if let Some(captures) = pattern.captures(host.as_bytes()).map_err(|()| *server)? {
                return Ok(Some(Named {
                    server: *server,
                    why: format!("its name ~{regex} is the first that matches"),
                    captures: Some(captures),
                }));
            }
        }
        match names.unknown.first() {
            Some(server) => Err(*server),
            None => Ok(None),
        }
    }
}

impl Names {
    /// `ngx_http_server_names` in src/http/ngx_http.c and `ngx_hash_add_key` in src/core/ngx_hash.c: of names that
    /// conflict, the first one counts.
    fn of(indices: &[usize], servers: &[Server<'_>]) -> Self {
        let mut names = Self::default();
        let each = indices
            .iter()
            .filter_map(|index| Some((*index, servers.get(*index)?)));
        for (index, server) in each {
            for name in server.each_name() {
                names.add(index, name);
            }
        }
        names
    }

    fn add(&mut self, server: usize, name: &str) {
        if let Some(regex) = name.strip_prefix('~') {
            return self.regexes.push((server, regex.to_owned()));
        }
        if name == "$hostname" {
            return self.unknown.push(server);
        }
        let name = name.to_lowercase();
        if let Some(domain) = name.strip_prefix("*.") {
            self.head
                .entry(domain.to_owned())
                .or_insert((server, false));
        } else if let Some(domain) = name.strip_prefix('.') {
            if !self.exact.contains_key(domain) {
                self.head.entry(domain.to_owned()).or_insert((server, true));
            }
        } else if let Some(start) = name.strip_suffix(".*") {
            self.tail.entry(start.to_owned()).or_insert(server);
        } else if !matches!(self.head.get(&name), Some((_, true))) {
            self.exact.entry(name).or_insert(server);
        }
    }
}
