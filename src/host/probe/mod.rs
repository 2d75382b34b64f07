//! Health gates: asks this host once whether something serves.

mod certificate;
mod crypto;
mod http;
mod post;
mod served;
#[cfg(test)]
mod tests;
mod tls;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpStream;

use super::{Host, HostError};
use crate::model::{Blame, Container, Engine, Gate, Health, Probe, Url};
pub(crate) use certificate::Untrusted;
pub(super) use post::Posted;
pub(super) use served::{not_after, served};
use tls::Trust;

/// How a gate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// As it should.
    Well,
    /// Over the self-signed certificate that this program wrote on the first day.
    WithBootstrapCertificate,
}

/// Why a gate does not hold. Each says all that there is to say in one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    #[error("could not connect to {address}: {why}")]
    Connect {
        address: SocketAddr,
        /// The system's error.
        why: std::io::Error,
    },
    /// TLS was not agreed upon, for another reason than the certificate.
    #[error("no TLS connection to {address}: {why}")]
    Tls {
        address: SocketAddr,
        /// The library's error.
        why: String,
    },
    #[error("{why}")]
    Certificate {
        /// For which host it should be good.
        host: String,
        why: Untrusted,
    },
    #[error("certificates cannot be verified: {} has no certificates of issuers", path.display())]
    NoIssuers {
        /// Where they were looked for.
        path: PathBuf,
    },
    #[error("no HTTP answer: {0}")]
    Http(String),
    #[error("expected {expected}, got {got}{}", said.as_ref().map_or_else(String::new, |said| format!(" ({said})")))]
    Status {
        expected: u16,
        got: u16,
        /// The first line of the answer, where it is short.
        said: Option<String>,
    },
    #[error("expected it running and healthy, got {1}")]
    Container(Engine, String),
    #[error("expected active, got {0}")]
    Unit(String),
    #[error("{}", chain(.0))]
    Host(#[from] HostError),
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

impl ProbeError {
    /// Whether asking again in a moment cannot bring another answer.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            ProbeError::Certificate { .. } | ProbeError::NoIssuers { .. }
        )
    }

    /// Whether the revision is to blame. Certificates are files of the host, not of the revision.
    pub(crate) fn blame(&self) -> Blame {
        match self {
            ProbeError::Status { .. }
            | ProbeError::Http(_)
            | ProbeError::Connect { .. }
            | ProbeError::Tls { .. }
            | ProbeError::Container(..)
            | ProbeError::Unit(_) => Blame::Permanent,
            ProbeError::Timeout(_)
            | ProbeError::Certificate { .. }
            | ProbeError::NoIssuers { .. } => Blame::Transient,
            ProbeError::Host(error) => error.blame(),
        }
    }

    pub(crate) fn hint(&self, probe: &Probe) -> Option<String> {
        match (self, probe) {
            (ProbeError::Certificate { host, why }, _) => Some(why.hint(host)),
            (ProbeError::NoIssuers { .. }, _) => Some("apt-get install ca-certificates".to_owned()),
            (ProbeError::Host(error), _) => error.hint(),
            (_, Probe::Url { url, .. }) => {
                let port = url.port();
                let resolve = match this_host(url) {
                    IpAddr::V4(address) => format!("--resolve {}:{port}:{address} ", url.host()),
                    // Nothing is looked up for an address.
                    IpAddr::V6(address) => format!("--connect-to '::[{address}]:{port}' "),
                };
                Some(format!(
                    "curl -ski {resolve}'{url}'; ss -ltnp 'sport = :{port}'"
                ))
            }
            (_, Probe::Copy { url, at, .. }) => Some(format!(
                "while it runs: curl -si --header 'Host: {}' 'http://{at}{}'",
                url.authority(),
                url.target()
            )),
            (_, Probe::Tcp(address)) => Some(format!(
                "ss -ltnp 'sport = :{}' shows who listens",
                address.port()
            )),
            (error, Probe::Container(name)) => {
                let engine = match error {
                    ProbeError::Container(engine, _) => *engine,
                    _ => Engine::default(),
                };
                let command = engine.command();
                Some(format!(
                    "{command} inspect --format '{{{{json .State}}}}' {name}; {command} logs --tail 50 {name}"
                ))
            }
            (_, Probe::Unit(name)) => Some(format!(
                "systemctl status {name}; journalctl -u {name} -n 50"
            )),
        }
    }
}

impl Host {
    /// Asks a gate once, within its timeout. Nothing is changed.
    pub(crate) async fn probe(&self, gate: &Gate) -> Result<Passed, ProbeError> {
        match tokio::time::timeout(gate.timeout, self.ask(gate)).await {
            Ok(answer) => answer,
            Err(_) => Err(ProbeError::Timeout(gate.timeout)),
        }
    }

    async fn ask(&self, gate: &Gate) -> Result<Passed, ProbeError> {
        match &gate.probe {
            Probe::Url {
                url,
                status,
                verify,
            } => self.ask_url(gate, url, *status, *verify).await,
            Probe::Copy { url, at, status } => {
                http::get(connect(*at).await?, url, *status).await?;
                Ok(Passed::Well)
            }
            Probe::Tcp(address) => connect(*address).await.map(|_| Passed::Well),
            Probe::Container(name) => self.ask_container(name).await,
            Probe::Unit(name) => {
                let state = self.systemd().await?.unit(name).await?;
                match state.is_active() {
                    true => Ok(Passed::Well),
                    false => Err(ProbeError::Unit(format!(
                        "{} ({})",
                        state.active, state.sub
                    ))),
                }
            }
        }
    }

    /// As a client from outside would ask, with the public name in SNI and Host, but of this
    /// host: what DNS says is not part of the question.
    async fn ask_url(
        &self,
        gate: &Gate,
        url: &Url,
        status: u16,
        verify: bool,
    ) -> Result<Passed, ProbeError> {
        let address = SocketAddr::from((this_host(url), url.port()));
        let stream = connect(address).await?;
        if !url.is_https() {
            http::get(stream, url, status).await?;
            return Ok(Passed::Well);
        }
        let trust = match verify {
            true => Trust::Checked {
                issuers: self.issuers()?,
                bootstrap: tls::written_here(self.root(), &gate.behind.bootstrap),
            },
            false => Trust::Anything,
        };
        let (stream, held) = tls::connect(stream, address, &url.host(), trust).await?;
        http::get(stream, url, status).await?;
        Ok(held)
    }

    async fn ask_container(&self, name: &str) -> Result<Passed, ProbeError> {
        let docker = self.docker().await?;
        match docker.container(name).await {
            Ok(container) => well(docker.kind(), &container),
            Err(error) if error.is_gone() => {
                let why = "no such container".to_owned();
                Err(ProbeError::Container(docker.kind(), why))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Where this host is asked: over IPv6 where the URL has such an address instead of a name.
fn this_host(url: &Url) -> IpAddr {
    match url.host().parse::<Ipv6Addr>() {
        Ok(_) => Ipv6Addr::LOCALHOST.into(),
        Err(_) => Ipv4Addr::LOCALHOST.into(),
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, ProbeError> {
    let stream = TcpStream::connect(address).await;
    stream.map_err(|why| ProbeError::Connect { address, why })
}

/// One without a health check is well when it runs.
fn well(engine: Engine, container: &Container) -> Result<Passed, ProbeError> {
    match (container.state.as_str(), container.health) {
        ("running", Health::Healthy | Health::None) => Ok(Passed::Well),
        ("running", health) => Err(ProbeError::Container(engine, health.as_str().to_owned())),
        (state, _) => Err(ProbeError::Container(engine, state.to_owned())),
    }
}
