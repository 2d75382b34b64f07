//! Why a step failed, whose fault that is, and what helps.

use super::backup::BackupError;
use crate::host::probe::ProbeError;
use crate::host::{HostError, blame_by_lines};
use crate::model::{Blame, Gate, list};
use crate::root::RootError;
use crate::state::StateError;

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Root(#[from] RootError),
    #[error("the backup {name} failed")]
    Backup {
        name: String,
        #[source]
        source: Box<BackupError>,
    },
    #[error("{path} has to be owned by {owner}, but there is no such user or group")]
    NoOwner {
        path: String,
        /// `user:group`.
        owner: String,
    },
    #[error("{unit} did not stay up: {why}{}", journal.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    NotUp {
        unit: String,
        /// What was seen.
        why: String,
        /// The last lines of its journal during the run, or of the unit that is the cause.
        journal: Vec<String>,
        /// The unit that it needs and that failed, where that is why.
        cause: Option<String>,
    },
    #[error("{}: {error} after {tries} tr{}", .gate.probe, if *.tries == 1 { "y" } else { "ies" })]
    Gate {
        gate: Box<Gate>,
        tries: u32,
        /// What came back the last time.
        error: ProbeError,
    },
    #[error(
        "{} accepted connections before and accepts none now: {} passed requests to it",
        list(addresses),
        list(by)
    )]
    NoLongerServed {
        addresses: Vec<String>,
        /// Sites and files of nginx that name them.
        by: Vec<String>,
    },
    #[error("interrupted by a signal")]
    Interrupted,
}

impl StepError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            StepError::Host(error) => error.hint(),
            StepError::State(error) => error.hint(),
            StepError::Backup { source, .. } => source.hint(),
            StepError::NotUp { unit, cause, .. } => {
                let unit = cause.as_ref().unwrap_or(unit);
                // systemd does not know one any more that the run has brought.
                Some(format!("journalctl -u {unit} -n 50"))
            }
            StepError::NoOwner { owner, .. } => Some(format!(
                "getent passwd {}",
                owner.replace(':', "; getent group ")
            )),
            StepError::Gate { gate, error, .. } => error.hint(&gate.probe),
            StepError::NoLongerServed { addresses, .. } => {
                let port = addresses
                    .first()
                    .and_then(|address| address.rsplit(':').next());
                Some(format!(
                    "ss -ltnp 'sport = :{}'; if the port is to be closed, change the sites in the same commit",
                    port.unwrap_or_default()
                ))
            }
            StepError::Root(error) => error.hint(),
            StepError::Interrupted => None,
        }
    }
}

impl StepError {
    /// Whether the engine gave no answer.
    pub(super) fn is_engine_mute(&self) -> bool {
        matches!(self, StepError::Host(error) if error.is_engine_mute())
    }

    /// Whether the revision is to blame.
    pub(crate) fn blame(&self) -> Blame {
        match self {
            StepError::Host(error) => error.blame(),
            StepError::NotUp { journal, .. } => blame_by_lines(journal),
            StepError::Gate { error, .. } => error.blame(),
            StepError::NoOwner { .. } | StepError::NoLongerServed { .. } => Blame::Permanent,
            StepError::State(_)
            | StepError::Root(_)
            | StepError::Backup { .. }
            | StepError::Interrupted => Blame::Transient,
        }
    }
}
