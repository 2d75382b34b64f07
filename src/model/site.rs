//! nginx sites, with what nginx keeps of them over a reload.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::desired::File;

/// An nginx site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Site {
    /// Its configuration.
    pub file: File,
    /// Whether it is linked into `sites-enabled`.
    pub enabled: bool,
    /// Pairs that it names with `ssl_certificate` and `ssl_certificate_key`.
    pub certificates: Vec<Certificate>,
    /// Longest time that nginx waits for an upstream of it, `proxy_read_timeout` and its like;
    /// `None`: it says nothing, which means 60 s.
    pub read_timeout: Option<Duration>,
    /// Shared memory zones that it declares.
    pub zones: Vec<Zone>,
    /// Sockets that it listens on.
    pub listens: BTreeSet<Listen>,
    /// Addresses that it passes requests on to, those of its own `upstream` blocks included.
    pub upstreams: BTreeSet<SocketAddr>,
}

/// A socket that nginx listens on. It keeps its sockets over a reload, and cannot have one for all
/// addresses of a port beside one for a single address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listen {
    /// The port.
    pub port: u16,
    /// `*`, an IPv4 address, `[::]` or another IPv6 address in brackets.
    pub address: String,
    /// `ipv6only=`, where it is said.
    pub ipv6only: Option<bool>,
}

/// A shared memory zone of nginx. One of a known kind, name and size whose key or path is another
/// one is loaded by no reload: nginx keeps the zone and refuses the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Zone {
    /// The directive, e.g. `limit_req_zone`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// What a reload does not change: the key, or path and levels of a cache, as written.
    pub fixed: String,
}

/// A certificate and its key, as absolute paths on the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Certificate {
    /// PEM file of the chain.
    pub certificate: PathBuf,
    /// PEM file of the key.
    pub key: PathBuf,
    /// Names for a self-signed one, from `server_name`.
    pub names: Vec<String>,
}
