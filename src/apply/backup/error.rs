//! Why a backup, a restore or a rehearsal failed.

use std::path::PathBuf;

use crate::host::HostError;
use crate::host::streams::StreamError;
use crate::root::RootError;
use crate::state::StateError;

/// Why a backup, a restore or a rehearsal failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// A command, or the data of the backup.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The engine or systemd.
    #[error(transparent)]
    Host(#[from] Box<HostError>),
    /// A record.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The service has no container that runs.
    #[error("no container of {member} runs")]
    NotRunning {
        /// The service.
        member: String,
    },
    /// Nothing has the volume.
    #[error(
        "no container has the volume {volume}, so that there is no service to start on a copy of it"
    )]
    NoHolder {
        /// The volume.
        volume: String,
    },
    /// Somebody has the volume who is not stopped.
    #[error(
        "the volume {volume} is in use by the container {container}, which no unit of the desired state runs"
    )]
    HeldByOthers {
        /// The volume.
        volume: String,
        /// Its container.
        container: String,
    },
    /// The command printed nothing.
    #[error("{what} printed nothing, which is no backup")]
    Empty {
        /// What was to be backed up.
        what: String,
    },
    /// A secret that the commands need is not there.
    #[error("the variables of the secret {name} are not at {}", path.display())]
    NoSecret {
        /// The secret.
        name: String,
        /// Where it lies decrypted.
        path: PathBuf,
    },
    /// The backup is in the folder, and was not put away.
    #[error("it is in {}, but was not put away elsewhere", path.display())]
    NotStored {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: StreamError,
    },
    /// There is no backup to restore.
    #[error("there is no backup {name}{}", .place.as_ref().map(|path| format!(" in {}", path.display())).unwrap_or_default())]
    None {
        /// The name of the backup, or of all.
        name: String,
        /// The folder.
        place: Option<PathBuf>,
        /// Whether one can be named.
        fetch: bool,
    },
    /// What is there is not what was written.
    #[error("{name} is damaged: its content is not what was written")]
    Damaged {
        /// The backup.
        name: String,
    },
    /// Nothing restores it.
    #[error("nothing restores it: watchme.toml has no restore for it")]
    NoRestore,
    /// It is not rehearsed.
    #[error("watchme.toml has no rehearsal for it")]
    NoRehearsal,
    /// The scratch container did not come up.
    #[error("the scratch container {why}{}", said.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    ScratchNotUp {
        /// What was seen.
        why: String,
        /// Its last lines.
        said: Vec<String>,
    },
    /// The gate does not pass.
    #[error("the gate {gate} printed {printed:?}, and {expected:?} was expected")]
    Gate {
        /// The command.
        gate: String,
        /// What it printed.
        printed: String,
        /// What it had to print.
        expected: String,
    },
    /// Units that were stopped for it did not start again.
    #[error("{unit} did not start again")]
    NotStartedAgain {
        /// The unit.
        unit: String,
        /// Why.
        #[source]
        source: Box<HostError>,
    },
}

impl From<HostError> for BackupError {
    fn from(error: HostError) -> Self {
        Self::Host(Box::new(error))
    }
}

impl BackupError {
    /// The command that helps.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Stream(error) | Self::NotStored { source: error, .. } => error.hint(),
            Self::Host(error) => error.hint(),
            Self::NotStartedAgain { unit, .. } => Some(format!("journalctl -u {unit} -n 50")),
            Self::State(error) => error.hint(),
            Self::Root(error) => error.hint(),
            Self::NotRunning { .. } => Some("watchme-apply status".to_owned()),
            Self::HeldByOthers { container, .. } => Some(format!("docker stop {container}")),
            Self::NoSecret { .. } => Some("watchme-apply secret load".to_owned()),
            Self::None { fetch: true, .. } => {
                Some("name one that was put away: --backup NAME-TIME".to_owned())
            }
            Self::None { .. } => Some("watchme-apply backup list".to_owned()),
            Self::Damaged { .. } => Some(
                "restore an older one: watchme-apply backup list; --backup NAME-TIME".to_owned(),
            ),
            Self::NoRehearsal => Some("add [backup.NAME.rehearsal] with a gate".to_owned()),
            Self::NoHolder { .. }
            | Self::Empty { .. }
            | Self::NoRestore
            | Self::ScratchNotUp { .. }
            | Self::Gate { .. } => None,
        }
    }

    /// Whether a signal ended it.
    pub(crate) fn is_interruption(&self) -> bool {
        matches!(self, Self::Stream(StreamError::Interrupted))
    }
}
