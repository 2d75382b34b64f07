//! A request, and what comes of it.

use std::net::IpAddr;

use super::config::{Location, Server};
use super::pass::{Target, Upstream};
use crate::files::Located;
use crate::url::Url;

/// A port that a server listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listens {
    /// The port.
    pub port: u16,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Whether others than this host may come there.
    pub public: bool,
}

/// A plain GET as it reaches nginx.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whether it comes by TLS.
    pub https: bool,
    /// The host in lower case, without a port.
    pub host: String,
    /// The Host header.
    pub authority: String,
    /// The port that it is sent to.
    pub port: u16,
    /// Path and query as the client sends them.
    pub target: String,
    /// The address of this host that it is sent to; `None`: the one that its name has out there.
    pub arrives: Option<IpAddr>,
}

impl Request {
    /// The request for a URL as a client sends it: without the fragment.
    pub fn of(url: &Url, arrives: Option<IpAddr>) -> Self {
        let host = url.host();
        let own = match host.as_str() {
            "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
            host => host.parse().ok(),
        };
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.strip_suffix('.').unwrap_or(&host).to_owned(),
        };
        let target = url.target();
        let target = match target.starts_with('/') {
            true => target.to_owned(),
            false => format!("/{target}"),
        };
        Self {
            https: url.is_https(),
            host,
            authority: url.authority().to_owned(),
            port: url.port(),
            target,
            arrives: arrives.or(own),
        }
    }
}

/// What nginx does with a request.
#[derive(Clone, Debug)]
pub struct Answer<'r, 'a> {
    /// The server that takes it.
    pub server: Option<&'r Server<'a>>,
    /// Whether the server is said, not only the first one that nginx reads.
    pub certain: bool,
    /// Whether it has the name that is asked for.
    pub named: bool,
    /// The location that it ends in.
    pub location: Option<&'r Location<'a>>,
    /// What comes of it.
    pub outcome: Outcome,
    /// What happened on the way.
    pub steps: Vec<Step<'a>>,
    /// What a person should know besides.
    pub notes: Vec<String>,
}

/// A step on a request's way.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// The directive that decides.
    pub place: Option<Located<'a>>,
    /// What it does.
    pub text: String,
    /// Those that could have decided instead, and why they do not; only where somebody asked for it.
    pub lost: Vec<(Located<'a>, String)>,
}

/// What comes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is passed on by HTTP.
    Proxy(Upstream),
    /// It is passed on by another protocol, or answered by another module.
    Other {
        /// The directive.
        directive: String,
        /// Its first word.
        to: String,
    },
    /// The client is sent elsewhere.
    Redirect {
        /// The status.
        status: u16,
        /// The value of Location.
        to: String,
    },
    /// nginx answers by itself.
    Status {
        /// The status.
        status: u16,
        /// The text, if the configuration has one.
        text: Option<String>,
    },
    /// A file of the host, or 403 or 404 where none is.
    Files,
    /// The connection is closed without an answer.
    Closed,
    /// No server listens there.
    NotListening,
    /// It cannot be known.
    NotKnown {
        /// What is not known, in a few words each.
        why: Vec<String>,
        /// What may come of it.
        possible: Vec<Outcome>,
        /// Whether nothing else may.
        all: bool,
    },
}

impl Outcome {
    /// The servers to which a request may be passed on.
    pub fn targets(&self) -> Vec<&Target> {
        match self {
            Outcome::Proxy(upstream) => upstream.targets.iter().collect(),
            Outcome::NotKnown { possible, .. } => {
                possible.iter().flat_map(Outcome::targets).collect()
            }
            _ => Vec::new(),
        }
    }
}
