//! Where the requests of a service end, and whether an upstream of nginx is one of these places.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::source::nginx::router::{Outcome, Router, Target};

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

    fn has(&self, target: &Target) -> bool {
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

    pub(super) fn takes(&self, outcome: &Outcome, router: &Router<'_>) -> bool {
        match outcome {
            Outcome::Proxy(upstream) => upstream.targets.iter().any(|one| self.has(one)),
            Outcome::Other { to, .. } => self.is_at(to, router),
            Outcome::NotKnown { possible, .. } => {
                possible.iter().any(|one| self.takes(one, router))
            }
            _ => false,
        }
    }

    /// Whether what a location passes requests on to may be it. What has a variable may lead anywhere.
    pub(super) fn may_be(&self, pass: &str, router: &Router<'_>) -> bool {
        pass.contains('$') || self.is_at(pass, router)
    }

    /// Whether it is what is asked at an address.
    pub(super) fn is_at(&self, address: &str, router: &Router<'_>) -> bool {
        router.targets(address).iter().any(|one| self.has(one))
    }
}
