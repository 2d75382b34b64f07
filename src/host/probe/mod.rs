//! Health gates: asks this host once whether something serves.

mod certificate;
mod crypto;
mod http;
mod served;
mod tls;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpStream;

use super::{Host, HostError};
use crate::model::{Blame, Container, Engine, Gate, Health, Probe, Url};
pub(crate) use certificate::Untrusted;
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
    /// Nothing came back in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No connection.
    #[error("could not connect to {address}: {why}")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// The system's error.
        why: std::io::Error,
    },
    /// TLS was not agreed upon, for another reason than the certificate.
    #[error("no TLS connection to {address}: {why}")]
    Tls {
        /// Where.
        address: SocketAddr,
        /// The library's error.
        why: String,
    },
    /// The certificate that is served is not good.
    #[error("{why}")]
    Certificate {
        /// For which host it should be good.
        host: String,
        /// What is wrong with it.
        why: Untrusted,
    },
    /// There are no certificates of issuers to trust.
    #[error("certificates cannot be verified: {} has no certificates of issuers", path.display())]
    NoIssuers {
        /// Where they were looked for.
        path: PathBuf,
    },
    /// What came back is no HTTP.
    #[error("no HTTP answer: {0}")]
    Http(String),
    /// Another status than the expected one.
    #[error("expected {expected}, got {got}{}", said.as_ref().map_or_else(String::new, |said| format!(" ({said})")))]
    Status {
        /// The one that is expected.
        expected: u16,
        /// The one that came.
        got: u16,
        /// The first line of the answer, where it is short.
        said: Option<String>,
    },
    /// A container that does not work.
    #[error("expected it running and healthy, got {1}")]
    Container(Engine, String),
    /// A unit that is not active.
    #[error("expected active, got {0}")]
    Unit(String),
    /// systemd or the Docker engine could not be asked.
    #[error("{}", chain(.0))]
    Host(#[from] HostError),
}

/// An error with its causes.
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

    /// The command that helps.
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
    ///
    /// # Errors
    /// When the gate does not hold, or could not be asked.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv6_is_asked_over_ipv6() {
        let of = |url: &str| this_host(&url.parse().unwrap()).to_string();
        assert_eq!(of("http://[::1]:8080/"), "::1");
        assert_eq!(of("https://[2001:db8::1]/"), "::1");
        assert_eq!(of("https://api.example.org/"), "127.0.0.1");
        assert_eq!(of("http://203.0.113.5/"), "127.0.0.1");
        let url = Probe::Url {
            url: "http://[::1]:8080/".parse().unwrap(),
            status: 200,
            verify: true,
        };
        let hint = ProbeError::Timeout(Duration::from_secs(1)).hint(&url);
        assert_eq!(
            hint.as_deref(),
            Some(
                "curl -ski --connect-to '::[::1]:8080' 'http://[::1]:8080/'; ss -ltnp 'sport = :8080'"
            )
        );
    }

    #[test]
    fn each_failure_is_one_line_with_what_helps() {
        let url = Probe::Url {
            url: "https://api.example.org:8443/health".parse().unwrap(),
            status: 200,
            verify: true,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8443));
        for (error, probe, text, hint) in [
            (
                ProbeError::Timeout(Duration::from_millis(2500)),
                &url,
                "no answer within 2.5 s",
                "curl -ski --resolve api.example.org:8443:127.0.0.1 'https://api.example.org:8443/health'; ss -ltnp 'sport = :8443'",
            ),
            (
                ProbeError::Connect {
                    address,
                    why: std::io::ErrorKind::ConnectionRefused.into(),
                },
                &Probe::Tcp(address),
                "could not connect to 127.0.0.1:8443: connection refused",
                "ss -ltnp 'sport = :8443' shows who listens",
            ),
            (
                ProbeError::NoIssuers {
                    path: "/etc/ssl/certs/ca-certificates.crt".into(),
                },
                &url,
                "certificates cannot be verified: /etc/ssl/certs/ca-certificates.crt has no certificates of issuers",
                "apt-get install ca-certificates",
            ),
            (
                ProbeError::Container(Engine::Docker, "unhealthy".into()),
                &Probe::Container("api".into()),
                "expected it running and healthy, got unhealthy",
                "docker inspect --format '{{json .State}}' api; docker logs --tail 50 api",
            ),
            (
                ProbeError::Unit("failed (failed)".into()),
                &Probe::Unit("a.service".into()),
                "expected active, got failed (failed)",
                "systemctl status a.service; journalctl -u a.service -n 50",
            ),
            (
                ProbeError::Certificate {
                    host: "api.example.org".into(),
                    why: Untrusted::Expired(Some("2021-02-03".into())),
                },
                &url,
                "its certificate expired on 2021-02-03",
                "certbot renew && systemctl reload nginx; certbot certificates shows what there is",
            ),
        ] {
            assert_eq!(error.to_string(), text);
            assert_eq!(error.hint(probe).as_deref(), Some(hint));
        }
    }

    #[test]
    fn a_container_is_well_when_it_runs_and_says_nothing_else() {
        let container = |state: &str, health| Container {
            state: state.to_owned(),
            health,
            ..Container::default()
        };
        let of = |state, health| {
            well(Engine::Docker, &container(state, health))
                .map_err(|error| error.to_string())
                .is_ok()
        };
        assert!(of("running", Health::Healthy) && of("running", Health::None));
        assert!(!of("running", Health::Starting) && !of("running", Health::Unhealthy));
        assert!(!of("paused", Health::Healthy) && !of("exited", Health::None));
    }

    #[tokio::test]
    async fn a_port_that_nobody_serves_is_said() {
        let host = Host::live().unwrap();
        // Bound, and gone again.
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let gate = |timeout| Gate {
            probe: Probe::Tcp(address),
            timeout,
            retries: 0,
            behind: crate::model::Backend::default(),
        };
        let patient = gate(Duration::from_secs(5));
        assert_eq!(host.probe(&patient).await.unwrap(), Passed::Well);
        drop(listener);
        let error = host.probe(&patient).await.unwrap_err().to_string();
        assert!(
            error.starts_with("could not connect to 127.0.0.1:"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn who_never_answers_is_not_waited_for() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let port = listener.local_addr().unwrap().port();
        for scheme in ["http", "https"] {
            let gate = Gate {
                probe: Probe::Url {
                    url: format!("{scheme}://localhost:{port}/").parse().unwrap(),
                    status: 200,
                    verify: false,
                },
                timeout: Duration::from_millis(50),
                retries: 0,
                behind: crate::model::Backend::default(),
            };
            let error = Host::live()
                .unwrap()
                .probe(&gate)
                .await
                .unwrap_err()
                .to_string();
            assert_eq!(error, "no answer within 0.05 s");
        }
    }
}
