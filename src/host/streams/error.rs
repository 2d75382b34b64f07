//! Why a backup could not be made, moved or restored.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::HostError;

/// Why a command, or what it reads or prints, failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    /// The engine, or systemd.
    #[error(transparent)]
    Host(#[from] Box<HostError>),
    /// A file.
    #[error(transparent)]
    Root(#[from] crate::root::RootError),
    /// A command that cannot be started.
    #[error("could not run {what}")]
    Start {
        /// The command.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A command that failed.
    #[error("{what} {how}{}", said.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Failed {
        /// The command.
        what: String,
        /// Its exit status, or the signal.
        how: String,
        /// The last lines of its standard error.
        said: Vec<String>,
    },
    /// A command that took too long.
    #[error("{what} took longer than {} s", after.as_secs())]
    Late {
        /// The command.
        what: String,
        /// The bound.
        after: Duration,
    },
    /// A pipe.
    #[error("could not move the data of a backup")]
    Pipe(#[source] io::Error),
    /// A file of a backup.
    #[error("could not {doing} {}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What comes ended before its end.
    #[error("the data of the backup was cut off")]
    CutOff,
    /// A signal asked to stop.
    #[error("interrupted by a signal")]
    Interrupted,
}

impl StreamError {
    /// The command that helps.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            StreamError::Host(error) => error.hint(),
            StreamError::Root(error) => error.hint(),
            StreamError::File { path, source, .. }
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                Some(format!("df -h {}", path.display()))
            }
            StreamError::Late { .. } => {
                Some("timeout in watchme.toml is the bound of the whole".to_owned())
            }
            _ => None,
        }
    }
}
