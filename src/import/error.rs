//! Why there is no new checkout.

use std::path::PathBuf;

use crate::root::RootError;
use crate::source::SourceError;

/// Why `init` failed. Nothing on the host was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// There is a desired state already.
    #[error("{} is there already: nothing was written", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The path of the folder cannot be known.
    #[error("cannot look at the folder {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Something cannot be written.
    #[error(transparent)]
    Root(#[from] RootError),
    /// git, or what was written.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl ImportError {
    /// What helps.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Exists { .. } => {
                "watchme-apply check looks at what is there; init writes only where there is no desired state".to_owned()
            }
            Self::Root(error) => return error.hint(),
            Self::Source(error) => return error.hint(),
            Self::Folder { .. } => return None,
        })
    }
}
