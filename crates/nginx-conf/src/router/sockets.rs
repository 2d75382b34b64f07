//! Where servers listen, and which sockets a connection may come to.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::config::Server;
use super::names::Names;
use super::outcome::Listens;
use crate::listen::{Address, Socket};

/// Sockets that are distinguished; of a range behind them, only the first port. nginx opens each one.
const MAX_SOCKETS: usize = 100_000;

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
    /// Shared by the groups that have the same servers.
    pub(super) names: Rc<OnceCell<Names>>,
}

/// The groups of one port.
#[derive(Debug, Default)]
pub(super) struct Port {
    groups: Vec<Group>,
    at: HashMap<Address, usize>,
    /// Single addresses and names. Of those with the same servers and default, one.
    single: Vec<usize>,
    /// Names, in the same way.
    named: Vec<usize>,
    /// By which address a host was asked for, and whether all groups then lead to the same server.
    pub(super) agreed: RefCell<HashMap<(Option<IpAddr>, String), bool>>,
}

impl Port {
    /// All of its groups.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group of an address.
    pub(super) fn of(&self, address: IpAddr) -> Option<&Group> {
        self.groups.get(*self.at.get(&Address::Ip(address))?)
    }

    fn group(&mut self, address: &Address, port: u16, server: usize) -> Option<&mut Group> {
        let next = self.groups.len();
        let at = *self.at.entry(address.clone()).or_insert(next);
        if at == next {
            self.groups.push(Group {
                address: address.clone(),
                port,
                ssl: false,
                both: false,
                default: (server, false),
                servers: Vec::new(),
                names: Rc::default(),
            });
        }
        self.groups.get_mut(at)
    }

    /// The groups at which a connection may arrive: one, unless nobody knows by which address it comes.
    pub(super) fn arriving(&self, to: Option<IpAddr>) -> impl Iterator<Item = &Group> {
        let v4 = || self.of(Ipv4Addr::UNSPECIFIED.into());
        let v6 = || self.of(Ipv6Addr::UNSPECIFIED.into());
        let (first, others) = match to.map(|to| (to, self.of(to))) {
            None => (v4().or_else(v6), self.single.as_slice()),
            Some((_, Some(own))) => (Some(own), &[][..]),
            Some((IpAddr::V4(_), None)) => (
                v4().or_else(|| v6().filter(|group| group.both)),
                self.named.as_slice(),
            ),
            Some((IpAddr::V6(_), None)) => (v6(), self.named.as_slice()),
        };
        let others = others.iter().filter_map(|at| self.groups.get(*at));
        first.into_iter().chain(others)
    }

    /// Finds the groups that answer alike.
    fn index(&mut self, shared: &mut HashMap<Vec<usize>, Rc<OnceCell<Names>>>) {
        let mut seen = HashSet::new();
        for (at, group) in self.groups.iter_mut().enumerate() {
            let names = shared.entry(group.servers.clone()).or_default();
            group.names = names.clone();
            let is_named = match &group.address {
                Address::Ip(address) if address.is_unspecified() || address.is_loopback() => {
                    continue;
                }
                Address::Ip(_) => false,
                Address::Name(_) => true,
            };
            let alike = (Rc::as_ptr(names), group.default, group.ssl);
            if seen.insert((alike, false)) {
                self.single.push(at);
            }
            if is_named && seen.insert((alike, true)) {
                self.named.push(at);
            }
        }
    }
}

/// The addresses of all servers, by port.
pub(super) fn ports(servers: &[Server<'_>]) -> BTreeMap<u16, Port> {
    let mut ports: BTreeMap<u16, Port> = BTreeMap::new();
    let mut left = MAX_SOCKETS;
    for (index, server) in servers.iter().enumerate() {
        let mut add = |socket: Socket, options: &[&str]| {
            let count = socket.ports.len();
            let is_whole = count <= left;
            left -= if is_whole { count } else { 0 };
            for port in socket.ports.take(if is_whole { count } else { 1 }) {
                let of_port = ports.entry(port).or_default();
                if let Some(group) = of_port.group(&socket.address, port, index) {
                    group.add(index, options);
                }
            }
        };
        let mut said = false;
        for listen in server.block.named("listen") {
            said = true;
            let options: Vec<&str> = listen.words().skip(1).collect();
            if let Some(socket) = Socket::read(listen.word(0)) {
                add(socket, &options);
            }
        }
        if !said {
            add(Socket::usual(), &[]);
        }
    }
    let mut shared = HashMap::new();
    let each = ports.values_mut();
    each.for_each(|port| port.index(&mut shared));
    ports
}

impl Group {
    fn add(&mut self, server: usize, options: &[&str]) {
        self.ssl |= options.contains(&"ssl");
        self.both |= options.contains(&"ipv6only=off");
        if options.contains(&"default_server") || options.contains(&"default") {
            self.default = (server, true);
        }
        if self.servers.last() != Some(&server) {
            self.servers.push(server);
        }
    }
}

/// Where each of so many servers listens, by port.
pub(super) fn listens(ports: &BTreeMap<u16, Port>, servers: usize) -> Vec<Vec<Listens>> {
    let mut all: Vec<Vec<Listens>> = vec![Vec::new(); servers];
    for group in ports.values().flat_map(Port::groups) {
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
