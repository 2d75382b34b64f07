//! nginx sites, with what nginx keeps of them over a reload.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use nginx_conf::{Certificate, Listen, Zone};
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
