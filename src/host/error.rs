//! What can go wrong between this program and a host.

mod meaning;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::packages::AptFailure;
use super::systemd::Causes;
use crate::model::{Engine, list};
pub(super) use meaning::server_answer;

/// A failure of something that was asked of the host.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    #[error(transparent)]
    Root(#[from] crate::root::RootError),
    #[error(transparent)]
    Secret(#[from] super::secrets::SecretError),
    /// The machine was not booted with systemd, or its system bus cannot be reached.
    #[error("cannot reach systemd: {why}")]
    SystemdAbsent {
        /// What was found instead.
        why: String,
        /// The bus's error, if it came that far.
        #[source]
        source: Option<BusError>,
    },
    #[error("systemd: could not {doing}")]
    Systemd {
        /// What was being done, with the name of the unit: `start web.service`.
        doing: String,
        /// The manager's or the bus's error.
        #[source]
        source: BusError,
    },
    /// A unit's job ended in another way than "done".
    #[error("{unit}: {verb} failed: {why}{}", indented(.journal))]
    UnitFailed {
        unit: String,
        /// What was asked for: start, stop, restart, reload.
        verb: &'static str,
        /// The job's result, and the unit's own where it says more.
        why: String,
        /// The job's result: failed, canceled, timeout, dependency, … (org.freedesktop.systemd1(5), `JobRemoved`).
        result: Box<str>,
        /// The last lines of its journal since then, or of the unit that is the cause; empty where they could not be
        /// read.
        journal: Vec<String>,
        /// The units that it needs and that failed, where that is why.
        cause: Option<Box<Causes>>,
    },
    #[error("cannot reach the {} engine at {}: {why}", Engine::behind(.socket), .socket.display())]
    DockerAbsent {
        socket: PathBuf,
        /// Which of missing, refused, forbidden or mute it is.
        why: DockerAbsence,
        /// The system's error; none for a socket that never answers.
        #[source]
        source: Option<io::Error>,
    },
    #[error("{engine}: could not {doing}")]
    Docker {
        engine: Engine,
        /// What was being done, with the name: `create network watchme-network`.
        doing: String,
        #[source]
        source: Box<bollard::errors::Error>,
    },
    #[error("{engine}: could not {doing}: no answer within {}", seconds(.after))]
    DockerMute {
        engine: Engine,
        /// What was being done, with the name.
        doing: String,
        after: Duration,
    },
    #[error("{engine}: container {container} still runs {} after it was told to stop", seconds(.after))]
    NotStopped {
        engine: Engine,
        container: String,
        /// The bound: the container's own time to stop, and what the engine has to kill it.
        after: Duration,
    },
    /// A network of that name exists, and engines before API 1.44 would make a second one.
    #[error("a network named {name} exists already, as {id}")]
    NetworkExists {
        engine: Engine,
        name: String,
        /// The id of the one that exists.
        id: String,
    },
    #[error("could not {what} within {}", seconds(.after))]
    Timeout { what: String, after: Duration },
    #[error("nginx rejects the configuration{}", indented(.reason))]
    NginxInvalid {
        /// Its lines of level emerg, alert and crit.
        reason: Vec<String>,
    },
    /// nginx was told to reload and went on as before.
    #[error("nginx did not take over the new configuration: {why}{}", indented(.log))]
    ReloadUnproved {
        /// What of the proof is missing.
        why: String,
        /// What its error log gained since.
        log: Vec<String>,
    },
    #[error("could not create a self-signed certificate for {name}")]
    Certificate {
        name: String,
        #[source]
        source: rcgen::Error,
    },
    #[error("could not prepare what would be applied for validation: {doing}")]
    Candidate {
        doing: String,
        #[source]
        source: io::Error,
    },
    #[error("could not pull the image {image} for {unit}: {}", .said.last().map_or("the pull printed nothing", String::as_str))]
    PullFailed {
        engine: Engine,
        image: String,
        unit: String,
        /// Whose credentials were used.
        user: String,
        /// The last lines that the pull said.
        said: Vec<String>,
    },
    #[error("could not build the images of {services} for {unit}: {}", .said.last().map_or("the build printed nothing", String::as_str))]
    BuildFailed {
        command: String,
        services: String,
        unit: String,
        /// The last lines that the build said.
        said: Vec<String>,
    },
    #[error(
        "the image {image} is for {is_for}, and this host is {}",
        super::images::architecture()
    )]
    ImagePlatform {
        engine: Engine,
        image: String,
        /// The architecture that it is for.
        is_for: String,
    },
    #[error("the image {image} was pulled, and {engine} does not have it")]
    ImageGone { engine: Engine, image: String },
    #[error("interrupted by a signal")]
    Interrupted,
    #[error("nginx does not run")]
    NginxStopped,
    #[error("{program}: could not {doing}{}", indented(.said))]
    Firewall {
        program: &'static str,
        doing: &'static str,
        said: Vec<String>,
    },
    #[error("another ufw still runs: ps -fp {process}")]
    UfwRuns {
        /// Its id.
        process: u32,
    },
    #[error("{program}: could not {doing}{}", indented(.said))]
    Apt {
        program: &'static str,
        /// What was being done, with the packages.
        doing: String,
        failure: AptFailure,
        /// Its last lines.
        said: Vec<String>,
    },
    #[error("{program} could not load {}{}", listed(.files), indented(.said))]
    Loader {
        program: &'static str,
        said: Vec<String>,
        files: BTreeSet<PathBuf>,
    },
    #[error(
        "{name} is not {value} after systemd-sysctl has loaded it: another file sets it, or the kernel takes another value"
    )]
    ParameterDiffers {
        /// Its name, as sysctl(8) writes it.
        name: String,
        value: String,
    },
    #[error("could not set the kernel parameter {name}")]
    SetParameter {
        /// Its name, as sysctl(8) writes it.
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("could not run {program}")]
    Program {
        /// The program with its arguments.
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("could not read {}", .path.display())]
    Proc {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// An error of the bus or from over it. zbus writes the cause of an error into its text, and
/// names it as the source too: here it is said once.
#[derive(Debug)]
pub(crate) struct BusError(pub zbus::Error);

impl std::fmt::Display for BusError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BusError {}

impl BusError {
    /// The name of an error reply that D-Bus itself does not define.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.0 {
            zbus::Error::MethodError(name, _, _) => Some(name.as_str()),
            _ => None,
        }
    }
}

/// Why no Docker engine answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DockerAbsence {
    NoSocket,
    /// Nobody listens on the socket.
    Refused,
    /// The socket may not be opened by this user.
    Forbidden,
    /// The socket was opened, and the answer never came.
    Mute,
    Other,
}

impl std::fmt::Display for DockerAbsence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DockerAbsence::NoSocket => "there is no socket",
            DockerAbsence::Refused => "nothing listens there",
            DockerAbsence::Forbidden => "this user may not open it",
            DockerAbsence::Mute => "it does not answer",
            DockerAbsence::Other => "the connection failed",
        })
    }
}

fn listed(paths: &BTreeSet<PathBuf>) -> String {
    list(paths.iter().map(|path| path.display()))
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n    {line}")).collect()
}

fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests;
