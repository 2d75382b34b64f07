//! Why there is no new checkout.

use std::path::PathBuf;

use crate::host::HostError;
use crate::reconcile::ReconcileError;
use crate::root::RootError;
use crate::source::SourceError;

/// Why `init` or `import` failed. Nothing on the host was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("{} already exists: nothing was written", path.display())]
    Exists { path: PathBuf },
    #[error("{} is not empty: nothing was written", folder.display())]
    NotEmpty { folder: PathBuf },
    #[error("{} is in a git repository: an import creates its own repository", folder.display())]
    InGit { folder: PathBuf },
    #[error("{} belongs to another user, who could put a link there while the checkout is written", path.display())]
    Others {
        /// A folder above the checkout.
        path: PathBuf,
    },
    #[error("cannot look at the folder {}", folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("an import looks at a host that runs, and --root names one that does not")]
    Offline,
    #[error("only root can read what is to be imported")]
    NotRoot,
    #[error("this host has the desired state of {repository}")]
    Belongs {
        /// The repository, as people know it.
        repository: String,
    },
    #[error("a run of watchme-apply was interrupted on this host")]
    Unfinished,
    #[error("the plan of what was taken would change the host: {}", what.join("; "))]
    Remains {
        /// Changes and refusals, in words.
        what: Vec<String>,
    },
    /// Something on the host cannot be read.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Something cannot be written.
    #[error(transparent)]
    Root(#[from] RootError),
    /// git, or what was written.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What was written cannot be planned.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
}

impl ImportError {
    /// What helps.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Exists { .. } => {
                "watchme-apply check looks at what is there; init writes only where there is no desired state".to_owned()
            }
            Self::NotEmpty { folder } | Self::InGit { folder } => format!(
                "name a folder that is not there yet, such as {}-new; one that an interrupted import left can be removed",
                folder.display()
            ),
            Self::Others { .. } => "name a folder in your own home, or in one of root's such as /srv".to_owned(),
            Self::NotRoot => "sudo watchme-apply import DIR".to_owned(),
            Self::Belongs { .. } => {
                "sudo watchme-apply drift shows how the host differs from it; to start over: watchme-apply uninstall --keep".to_owned()
            }
            Self::Unfinished => "sudo watchme-apply recover".to_owned(),
            Self::Remains { .. } => {
                "--only KIND leaves the other kinds out; nothing was written to the host".to_owned()
            }
            Self::Host(error) => return error.hint(),
            Self::Root(error) => return error.hint(),
            Self::Source(error) => return error.hint(),
            Self::Reconcile(error) => return error.hint(),
            Self::Folder { .. } | Self::Offline => return None,
        })
    }
}
