//! Whose fault a failure is: the revision's, or of something that may be over soon.
//!
//! Where it is not certain, it is transient: trying again each hour costs less than a
//! revision that nobody applies any more.

use super::HostError;
use super::error::server_answer;
use super::packages::AptFailure;
use crate::model::Blame;

/// Parts of what nginx, systemd, Docker and compose write when something outside the revision
/// blocks it: another process or container has the port, a name does not resolve, a
/// registry does not answer, the disk is full. In lower case.
const TRANSIENT: &[&str] = &[
    "address already in use",
    "port is already allocated",
    "no space left on device",
    "host not found in upstream",
    // Whoever issues it changes no input.
    "cannot load certificate",
    "could not be resolved",
    "temporary failure in name resolution",
    "no such host",
    "dial tcp",
    "server misbehaving",
    "connection reset by peer",
    "toomanyrequests",
    "i/o timeout",
    "tls handshake timeout",
    "context deadline exceeded",
    "network is unreachable",
    "cannot connect to the docker daemon",
    "couldn't connect to docker daemon",
];

/// Errors of systemd that are about what a unit's file says.
const UNIT_ERRORS: &[&str] = &[
    "org.freedesktop.systemd1.BadUnitSetting",
    "org.freedesktop.systemd1.LoadFailed",
    "org.freedesktop.systemd1.NoSuchUnit",
    "org.freedesktop.systemd1.UnitMasked",
];

/// The blame for a failure of which only these lines are known.
pub(crate) fn blame_by_lines(lines: &[String]) -> Blame {
    let is_transient = |line: &String| {
        let line = line.to_lowercase();
        TRANSIENT.iter().any(|words| line.contains(words))
    };
    match lines.iter().any(is_transient) {
        true => Blame::Transient,
        false => Blame::Permanent,
    }
}

impl HostError {
    /// Whether the revision is to blame.
    pub(crate) fn blame(&self) -> Blame {
        match self {
            // Somebody else's job came between, or what it needs is not up.
            HostError::UnitFailed { result, .. } if &**result != "failed" => Blame::Transient,
            HostError::UnitFailed { journal, .. } => blame_by_lines(journal),
            HostError::NginxInvalid { reason } => blame_by_lines(reason),
            // Without a word from nginx nobody knows why.
            HostError::ReloadUnproved { log, .. } if !log.is_empty() => blame_by_lines(log),
            HostError::Systemd { source, .. }
                if source
                    .name()
                    .is_some_and(|name| UNIT_ERRORS.contains(&name)) =>
            {
                Blame::Permanent
            }
            HostError::Docker { source, .. } => match server_answer(source) {
                Some((400, _)) => Blame::Permanent,
                Some((_, message)) if message.contains("Pool overlaps") => Blame::Permanent,
                Some((_, message)) if message.contains("is already used on the host") => {
                    Blame::Permanent
                }
                Some((_, message)) if message.contains("user configured subnets") => {
                    Blame::Permanent
                }
                _ => Blame::Transient,
            },
            HostError::ImagePlatform { .. } => Blame::Permanent,
            HostError::Apt { failure: AptFailure::Other, said, .. } => blame_by_lines(said),
            HostError::Apt { .. } => Blame::Transient,
            HostError::BuildFailed { said, .. } => blame_by_lines(said),
            // An image that is not there yet may be pushed in a minute.
            HostError::PullFailed { .. } | HostError::ImageGone { .. } | HostError::Interrupted => {
                Blame::Transient
            }
            HostError::Secret(_) => Blame::Permanent,
            HostError::ReloadUnproved { .. }
            | HostError::Firewall { .. }
            | HostError::UfwRuns { .. }
            | HostError::SetParameter { .. }
            // Another file of the host, or what the host has, may be the reason.
            | HostError::Loader { .. }
            | HostError::ParameterDiffers { .. }
            | HostError::Root(_)
            | HostError::SystemdAbsent { .. }
            | HostError::Systemd { .. }
            | HostError::DockerAbsent { .. }
            | HostError::NetworkExists { .. }
            | HostError::NotStopped { .. }
            | HostError::Timeout { .. }
            | HostError::Certificate { .. }
            | HostError::Candidate { .. }
            | HostError::NginxStopped
            | HostError::Program { .. }
            | HostError::Proc { .. }
            | HostError::DockerMute { .. } => Blame::Transient,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;
    use crate::host::error::{BusError, DockerAbsence};
    use crate::model::Engine;
    use Blame::{Permanent, Transient};

    fn engine(status_code: u16, message: &str) -> HostError {
        HostError::Docker {
            engine: Engine::Docker,
            doing: "create network n".into(),
            source: Box::new(bollard::errors::Error::DockerResponseServerError {
                status_code,
                message: message.into(),
            }),
        }
    }

    fn nginx(line: &str) -> HostError {
        HostError::NginxInvalid {
            reason: vec![line.into()],
        }
    }

    fn unit(line: &str) -> HostError {
        HostError::UnitFailed {
            unit: "web.service".into(),
            verb: "start",
            why: "exit-code, status 1".into(),
            result: "failed".into(),
            journal: vec![line.into()],
            cause: None,
        }
    }

    #[test]
    fn a_job_that_somebody_else_ended_is_nobodys_fault() {
        for (result, blame) in [
            ("failed", Blame::Permanent),
            ("canceled", Blame::Transient),
            ("timeout", Blame::Transient),
            ("dependency", Blame::Transient),
        ] {
            let error = HostError::UnitFailed {
                unit: "web.service".into(),
                verb: "restart",
                why: "the job was cancelled by another one".into(),
                result: result.into(),
                journal: Vec::new(),
                cause: None,
            };
            assert_eq!(error.blame(), blame, "{result}");
        }
    }

    fn reload(log: &[&str]) -> HostError {
        HostError::ReloadUnproved {
            why: "no new workers".into(),
            log: log.iter().map(|line| (*line).into()).collect(),
        }
    }

    #[test]
    fn each_failure_has_its_blame() {
        let cases = [
            (
                nginx("nginx: [emerg] unknown directive \"x\" in /etc/nginx/sites-enabled/a:3"),
                Permanent,
            ),
            // certbot issues it without a commit.
            (
                nginx(
                    "nginx: [emerg] cannot load certificate \"/etc/ssl/a.pem\": BIO_new_file() failed",
                ),
                Transient,
            ),
            (
                nginx(
                    "nginx: [emerg] host not found in upstream \"a.example.com\" in /etc/nginx/x:2",
                ),
                Transient,
            ),
            (
                nginx("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)"),
                Transient,
            ),
            (reload(&[]), Transient),
            (
                reload(&["[emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)"]),
                Transient,
            ),
            (
                reload(&[
                    "[emerg] limit_req \"a\" uses the \"k\" key while previously it used the \"j\" key",
                ]),
                Permanent,
            ),
            (unit("/bin/false: no"), Permanent),
            (
                unit("Bind for 127.0.0.1:8001 failed: port is already allocated"),
                Transient,
            ),
            (
                unit(
                    "Get https://registry.example.com/v2/: dial tcp: lookup registry.example.com: no such host",
                ),
                Transient,
            ),
            (
                unit("manifest for a:1 not found: manifest unknown"),
                Permanent,
            ),
            (
                engine(403, "Pool overlaps with other one on this address space"),
                Permanent,
            ),
            (engine(400, "invalid subnet"), Permanent),
            (engine(500, "could not find an available port"), Transient),
            (HostError::NginxStopped, Transient),
            (
                HostError::Timeout {
                    what: "start a.service".into(),
                    after: Duration::from_secs(1),
                },
                Transient,
            ),
            (
                HostError::DockerAbsent {
                    socket: "/run/docker.sock".into(),
                    why: DockerAbsence::NoSocket,
                    source: None,
                },
                Transient,
            ),
            (
                HostError::Program {
                    program: "nginx -t".into(),
                    source: io::ErrorKind::OutOfMemory.into(),
                },
                Transient,
            ),
            (
                HostError::Systemd {
                    doing: "start a.service".into(),
                    source: BusError(zbus::Error::InterfaceNotFound),
                },
                Transient,
            ),
        ];
        for (error, blame) in cases {
            assert_eq!(error.blame(), blame, "{error}");
        }
    }
}
