//! Health gates: what has to answer before an apply is kept.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use nginx_conf::Url;
use serde::{Deserialize, Serialize};

use super::seconds;

/// A health gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What is asked.
    pub probe: Probe,
    /// Bound of one try.
    #[serde(with = "seconds")]
    pub timeout: Duration,
    /// Further tries after the first.
    pub retries: u32,
    /// What answers, as far as the desired state tells.
    #[serde(default)]
    pub behind: Backend,
}

/// What a health gate asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// An HTTP or HTTPS request answers with this status.
    Url {
        /// The public URL; connected to 127.0.0.1, or to ::1 where it has an IPv6 address.
        url: Url,
        /// The status that is expected.
        status: u16,
        /// Whether the certificate has to be good for the URL's host, by a known issuer.
        #[serde(default = "yes")]
        verify: bool,
    },
    /// The copy of a stack answers what nginx would ask it, before nginx asks it; made of a URL gate, never written.
    #[serde(skip)]
    Copy {
        /// The host of the public URL with the path that the copy is asked for.
        url: Url,
        /// Where the copy listens.
        at: SocketAddr,
        /// The status that is expected.
        status: u16,
    },
    /// A TCP connection opens.
    Tcp(SocketAddr),
    /// A container runs, and is healthy if it has a health check.
    Container(String),
    /// A unit is active.
    Unit(String),
}

fn yes() -> bool {
    true
}

impl Gate {
    /// The same gate, asked of the copy of a stack that listens at a port of this host; `None` where that is not what is behind
    /// it, or nginx may have its own part in the answer.
    pub fn of_copy(&self, port: u16) -> Option<Self> {
        let Probe::Url { url, status, .. } = &self.probe else {
            return None;
        };
        let is_behind = self.behind.ports.as_ref() == Some(&BTreeSet::from([port]));
        let target = self.behind.target.as_ref().filter(|_| is_behind)?;
        let probe = Probe::Copy {
            url: format!("http://{}{target}", url.authority()).parse().ok()?,
            at: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            status: *status,
        };
        (200..300).contains(status).then(|| Self {
            probe,
            ..self.clone()
        })
    }
}

impl Probe {
    /// What has to come back, in a few words.
    pub fn expects(&self) -> String {
        match self {
            Probe::Url { status, .. } | Probe::Copy { status, .. } => format!("status {status}"),
            Probe::Tcp(_) => "an open port".to_owned(),
            Probe::Container(_) => "running and healthy".to_owned(),
            Probe::Unit(_) => "active".to_owned(),
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Probe::Url { url, .. } => write!(f, "{url}"),
            Probe::Copy { url, at, .. } => write!(f, "{url} at {at}"),
            Probe::Tcp(address) => write!(f, "tcp {address}"),
            Probe::Container(name) => write!(f, "container {name}"),
            Probe::Unit(name) => write!(f, "unit {name}"),
        }
    }
}

/// What answers at the port of a URL or TCP gate, as far as the desired state tells: which changes
/// touch the gate follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backend {
    /// Sites whose server answers; several where it is not clear which; none where it is not nginx.
    pub sites: BTreeSet<String>,
    /// Ports of this host on which the services behind listen; empty where nginx answers itself.
    /// `None`: not known.
    pub ports: Option<BTreeSet<u16>>,
    /// Path and query that those services are asked for, where it is plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Certificates that this program may have written for those sites: their self-signed pairs
    /// are what is served on the first day.
    pub bootstrap: BTreeSet<PathBuf>,
}

/// A gate that passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Answer {
    /// What was asked.
    pub gate: String,
    /// How often.
    pub tries: u32,
    /// What a person should know about the answer.
    pub note: Option<String>,
    /// How long the successful try took; an earlier version did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back() {
        let gate = Gate {
            probe: Probe::Url {
                url: "https://api.example.org/health".parse().unwrap(),
                status: 204,
                verify: false,
            },
            timeout: Duration::from_millis(2500),
            retries: 1,
            behind: Backend::default(),
        };
        let text = serde_json::to_string(&gate).unwrap();
        assert_eq!(serde_json::from_str::<Gate>(&text).unwrap(), gate);
        // As it was written before certificates could be left unchecked.
        let old = r#"{"probe":{"url":{"url":"http://a/","status":200}},"timeout":5.0,"retries":3}"#;
        let old: Gate = serde_json::from_str(old).unwrap();
        assert!(matches!(old.probe, Probe::Url { verify: true, .. }));
        assert_eq!(old.behind, Backend::default());
    }
}
