//! Why an edit of the host did not become a change of the checkout.

use std::path::PathBuf;

use crate::host::HostError;
use crate::reconcile::ReconcileError;
use crate::root::RootError;

/// Why a capture failed. Nothing on the host was changed, and the checkout is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    /// The host or the checkout cannot be compared.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    /// A file of the checkout cannot be read or written.
    #[error(transparent)]
    Root(#[from] RootError),
    /// A link among the folders of the checkout.
    #[error(transparent)]
    Linked(#[from] crate::root::work_tree::LinkedFolder),
    /// A part of the host cannot be read.
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("nothing that differs from what was applied is named {name}")]
    Unknown { name: String },
    #[error("there is no regular file at {}", path.display())]
    NoFile { path: PathBuf },
    #[error("{} changed while this ran: nothing was written", path.display())]
    Changed { path: PathBuf },
    #[error("with this change the checkout could not be read: nothing was written")]
    Broken {
        #[source]
        source: Box<ReconcileError>,
    },
}

impl CaptureError {
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Reconcile(error) => return error.hint(),
            Self::Root(error) => return error.hint(),
            Self::Linked(error) => error.hint(),
            Self::Host(error) => return error.hint(),
            Self::Unknown { .. } => {
                "sudo watchme-apply drift lists what differs; a new file is named by its path below /etc".to_owned()
            }
            Self::NoFile { path } => format!("ls -la {}", path.display()),
            Self::Changed { .. } => "watchme-apply capture shows the difference again".to_owned(),
            Self::Broken { source } => return source.hint(),
        })
    }

    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::Reconcile(error) => error.exit_status(),
            _ => 1,
        }
    }
}
