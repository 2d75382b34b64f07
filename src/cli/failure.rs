//! Why a command failed, with which exit status, and what helps.

use std::path::PathBuf;

use super::commands::{DocsFailure, NewFailure, SecretFailure, TextfileError};
use super::{USAGE, find, privilege};
use crate::capture::CaptureError;
use crate::effect::Refusal;
use crate::import::ImportError;
use crate::model::Finding;
use crate::reconcile::ReconcileError;
use crate::source::SourceError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    #[error(transparent)]
    Secret(#[from] SecretFailure),
    #[error(transparent)]
    Docs(#[from] DocsFailure),
    #[error(transparent)]
    New(#[from] NewFailure),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error(transparent)]
    Textfile(#[from] TextfileError),
    #[error(transparent)]
    Find(#[from] find::NotFound),
    #[error(transparent)]
    Privilege(#[from] privilege::NoPrivilege),
    #[error("could not open the log file {}", path.display())]
    LogFile {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not start")]
    Runtime(#[source] std::io::Error),
    #[error("could not write the result to standard output")]
    Output(#[source] std::io::Error),
    #[error("{0} is not a directory")]
    Root(String),
    #[error("there is no rule {name:?}")]
    NoRule { name: String, near: Option<String> },
    #[error("{0}")]
    Question(String),
    #[error("nothing that was applied here, and no container, is named {name}")]
    NothingNamed { name: String },
    #[error(
        "nothing that was applied here, no container, no enabled site and no unit is named {name}"
    )]
    NoLogs { name: String },
    #[error("cannot check {}", path.display())]
    Path {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        ReconcileError::from(error).into()
    }
}

impl Failure {
    /// Whether there is nothing that could be read.
    pub(super) fn is_no_desired_state(&self) -> bool {
        matches!(
            self,
            Failure::Reconcile(ReconcileError::Source(SourceError::NoDesiredState { .. }))
        )
    }

    /// Whether a backup failed, of which commands may have said something.
    pub(super) fn is_of_backup(&self) -> bool {
        match self {
            Failure::Reconcile(error) => matches!(
                error.undone(),
                ReconcileError::Backup { .. } | ReconcileError::NotBackedUp(_)
            ),
            _ => false,
        }
    }

    /// What failed, and what that means for the host.
    pub(super) fn told(&self) -> String {
        match self {
            Failure::Reconcile(error) => error.told(),
            other => other.to_string(),
        }
    }

    pub(super) fn exit_status(&self) -> u8 {
        match self {
            Failure::Reconcile(error) => error.exit_status(),
            Failure::Capture(error) => error.exit_status(),
            Failure::NoRule { .. }
            | Failure::Question(_)
            | Failure::NothingNamed { .. }
            | Failure::NoLogs { .. }
            | Failure::Path { .. } => USAGE,
            _ => 1,
        }
    }

    pub(super) fn findings(&self) -> &[Finding] {
        match self {
            Failure::Reconcile(error) => match error.undone() {
                ReconcileError::Invalid(findings) => findings,
                _ => &[],
            },
            _ => &[],
        }
    }

    /// Why a plan was not carried out, or not to its end.
    pub(super) fn refusals(&self) -> &[Refusal] {
        match self {
            Failure::Reconcile(error) => match error.undone() {
                ReconcileError::Refused(refusals) => refusals,
                _ => &[],
            },
            _ => &[],
        }
    }

    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Failure::Reconcile(error) => error.hint(),
            Failure::Secret(error) => error.hint(),
            Failure::Docs(error) => error.hint(),
            Failure::New(error) => error.hint(),
            Failure::Import(error) => error.hint(),
            Failure::Capture(error) => error.hint(),
            Failure::Textfile(error) => error.hint(),
            Failure::Find(error) => Some(error.hint()),
            Failure::Privilege(error) => Some(error.hint()),
            Failure::Root(path) if !std::path::Path::new(path).exists() => {
                Some(format!("mkdir -p '{path}'"))
            }
            Failure::NoRule { near, .. } => Some(match near {
                Some(near) => format!("watchme-apply check --explain {near}"),
                None => "watchme-apply check --explain lists all rules".to_owned(),
            }),
            Failure::Question(_) => Some("watchme-apply doctor --help".to_owned()),
            Failure::NothingNamed { .. } => Some(
                "sudo watchme-apply status lists units, containers and networks; a URL begins with https:// or http://; an error is a number such as 502, or what a log says"
                    .to_owned(),
            ),
            Failure::NoLogs { .. } => Some(
                "sudo watchme-apply status lists units and containers; ls /etc/nginx/sites-enabled lists sites"
                    .to_owned(),
            ),
            Failure::Root(_) | Failure::Path { .. } => None,
            Failure::LogFile { .. } | Failure::Runtime(_) | Failure::Output(_) => None,
        }
    }
}
