//! Why a backup could not be made, moved or restored.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::HostError;

/// Why a command, or what it reads or prints, failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error(transparent)]
    Host(#[from] Box<HostError>),
    #[error(transparent)]
    Root(#[from] crate::root::RootError),
    #[error("could not run {what}")]
    Start {
        what: String,
        #[source]
        source: io::Error,
    },
    #[error("{what} {how}{}", said.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Failed {
        what: String,
        /// Its exit status, or the signal.
        how: String,
        /// The last lines of its standard error.
        said: Vec<String>,
    },
    #[error("{what} took longer than {} s", after.as_secs())]
    Late { what: String, after: Duration },
    #[error("could not move the data of a backup")]
    Pipe(#[source] io::Error),
    #[error("could not {doing} {}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the data of the backup was cut off")]
    CutOff,
    #[error("interrupted by a signal")]
    Interrupted,
}

impl StreamError {
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
