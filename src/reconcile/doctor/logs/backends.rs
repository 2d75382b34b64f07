//! Where the requests of a service end, and whether an upstream of nginx is one of these places.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use crate::source::nginx::router::{Outcome, Target};

/// Where the requests of a service end.
#[derive(Clone, Debug, Default)]
pub(super) struct Backends {
    /// Ports of this host.
    pub ports: BTreeSet<u16>,
    /// Names, such as those of containers.
    pub names: BTreeSet<String>,
    /// Addresses of containers.
    pub addresses: BTreeSet<IpAddr>,
    /// Files of sites, all of whose requests count.
    pub sites: BTreeSet<PathBuf>,
}

impl Backends {
    /// Whether there is nothing that a request could lead to.
    pub(super) fn is_nothing(&self) -> bool {
        self.ports.is_empty()
            && self.names.is_empty()
            && self.addresses.is_empty()
            && self.sites.is_empty()
    }

    pub(super) fn has(&self, target: &Target) -> bool {
        let host = target.host.trim_matches(['[', ']']);
        let is_address = || {
            let address = host.parse();
            address.is_ok_and(|address| self.addresses.contains(&address))
        };
        let is_port = target
            .local_port()
            .is_some_and(|port| self.ports.contains(&port));
        is_port || self.names.contains(host) || is_address()
    }

    pub(super) fn takes(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Proxy(upstream) => upstream.targets.iter().any(|one| self.has(one)),
            Outcome::Other { to, .. } => self.has(&target(to)),
            Outcome::NotKnown { possible, .. } => possible.iter().any(|one| self.takes(one)),
            _ => false,
        }
    }

    /// Whether what a location passes requests on to may be it. What has a variable may lead anywhere.
    pub(super) fn may_be(&self, pass: &str, groups: &BTreeMap<String, Vec<String>>) -> bool {
        if pass.contains('$') {
            return true;
        }
        let (https, rest) = match (pass.strip_prefix("http://"), pass.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => (false, pass),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let one = [authority.to_owned()];
        let servers = groups.get(authority).map_or(&one[..], Vec::as_slice);
        servers.iter().any(|server| {
            let mut target = target(server);
            target.port = target.port.or(Some(if https { 443 } else { 80 }));
            self.has(&target)
        })
    }
}

/// `127.0.0.1:8001`, `app`, `[::1]:80` or `unix:/run/app.sock`.
pub(super) fn target(text: &str) -> Target {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        None => (text, None),
    };
    Target {
        host: host.to_owned(),
        port,
    }
}
