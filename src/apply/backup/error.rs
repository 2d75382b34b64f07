//! Why a backup, a restore or a rehearsal failed.

use std::path::PathBuf;

use crate::host::HostError;
use crate::host::streams::StreamError;
use crate::model::list;
use crate::root::RootError;
use crate::state::StateError;

/// Why a backup, a restore or a rehearsal failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Host(#[from] Box<HostError>),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Root(#[from] RootError),
    #[error("no container of {member} runs")]
    NotRunning { member: String },
    #[error(
        "no container has the volume {volume}, so that there is no service to start on a copy of it"
    )]
    NoHolder { volume: String },
    #[error(
        "the volume {volume} is in use by the container {container}, which no unit of the desired state runs"
    )]
    HeldByOthers { volume: String, container: String },
    #[error("{what} printed nothing, which is not a backup")]
    Empty {
        /// What was to be backed up.
        what: String,
    },
    #[error("the variables of the secret {name} are not at {}", path.display())]
    NoSecret {
        name: String,
        /// Where it is decrypted.
        path: PathBuf,
    },
    #[error("it is in {}, but was not stored elsewhere", path.display())]
    NotStored {
        path: PathBuf,
        #[source]
        source: StreamError,
    },
    #[error("there is no backup {name}{}", .place.as_ref().map(|path| format!(" in {}", path.display())).unwrap_or_default())]
    None {
        /// The name of the backup, or of all.
        name: String,
        place: Option<PathBuf>,
        /// Whether one can be named.
        fetch: bool,
    },
    #[error("{name} is damaged: its content is not what was written")]
    Damaged { name: String },
    #[error("{name} has {}, which is not one of the files that watchme.toml names; nothing was restored", path.display())]
    Unasked {
        name: String,
        /// What it has.
        path: PathBuf,
    },
    #[error("{name} has none of the files that watchme.toml names; nothing was restored")]
    HasNone { name: String },
    #[error("could not replace {}; {}", path.display(), what_is_left(left))]
    NotReplaced {
        /// What was to be replaced.
        path: PathBuf,
        /// What was replaced before, and could not be put back.
        left: Vec<PathBuf>,
        #[source]
        source: StreamError,
    },
    #[error("nothing restores it: watchme.toml has no restore for it")]
    NoRestore,
    #[error("watchme.toml has no rehearsal for it")]
    NoRehearsal,
    #[error("the scratch container {why}{}", said.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    ScratchNotUp {
        /// What was seen.
        why: String,
        said: Vec<String>,
    },
    #[error("the gate {gate} printed {printed:?}, and {expected:?} was expected")]
    Gate {
        /// The command.
        gate: String,
        printed: String,
        expected: String,
    },
    #[error("{unit} did not start again")]
    NotStartedAgain {
        unit: String,
        #[source]
        source: Box<HostError>,
    },
}

/// What a restore that failed has left.
fn what_is_left(left: &[PathBuf]) -> String {
    if left.is_empty() {
        return "everything is as it was before".to_owned();
    }
    let left = list(left.iter().map(|path| path.display()));
    format!("restored, and not put back: {left}")
}

impl From<HostError> for BackupError {
    fn from(error: HostError) -> Self {
        Self::Host(Box::new(error))
    }
}

impl BackupError {
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
                Some("name one that was stored: --backup NAME-TIME".to_owned())
            }
            Self::None { .. } => Some("watchme-apply backup list".to_owned()),
            Self::Damaged { .. } => Some(
                "restore an older one: watchme-apply backup list; --backup NAME-TIME".to_owned(),
            ),
            Self::Unasked { .. } | Self::HasNone { .. } => Some(
                "look at what it has: tar --list --file FILE; files in watchme.toml names what is restored"
                    .to_owned(),
            ),
            Self::NotReplaced { path, .. } => Some(format!("findmnt --target {}", path.display())),
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn failed(said: &[&str]) -> StreamError {
        StreamError::Failed {
            what: "pg_dump app".to_owned(),
            how: "exited with 1".to_owned(),
            said: said.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn each_error_says_what_failed_and_what_helps() {
        let name = || "db-20260102T031500Z".to_owned();
        for (error, text, hint) in [
            (
                failed(&["no such database", "giving up"]).into(),
                "pg_dump app exited with 1\n  no such database\n  giving up",
                None,
            ),
            (
                StreamError::File {
                    doing: "write",
                    path: "/srv/backups/.db.partial".into(),
                    source: io::ErrorKind::StorageFull.into(),
                }
                .into(),
                "could not write /srv/backups/.db.partial",
                Some("df -h /srv/backups/.db.partial"),
            ),
            (
                BackupError::NotRunning {
                    member: "db:postgres".to_owned(),
                },
                "no container of db:postgres runs",
                Some("watchme-apply status"),
            ),
            (
                BackupError::HeldByOthers {
                    volume: "db_rows".to_owned(),
                    container: "other".to_owned(),
                },
                "the volume db_rows is in use by the container other, which no unit of the desired state runs",
                Some("docker stop other"),
            ),
            (
                BackupError::None {
                    name: "db".to_owned(),
                    place: Some("/srv/backups".into()),
                    fetch: false,
                },
                "there is no backup db in /srv/backups",
                Some("watchme-apply backup list"),
            ),
            (
                BackupError::None {
                    name: "db".to_owned(),
                    place: None,
                    fetch: true,
                },
                "there is no backup db",
                Some("name one that was stored: --backup NAME-TIME"),
            ),
            (
                BackupError::Damaged { name: name() },
                "db-20260102T031500Z is damaged: its content is not what was written",
                Some("restore an older one: watchme-apply backup list; --backup NAME-TIME"),
            ),
            (
                BackupError::Unasked {
                    name: name(),
                    path: "/root/keys".into(),
                },
                "db-20260102T031500Z has /root/keys, which is not one of the files that watchme.toml names; nothing was restored",
                Some(
                    "look at what it has: tar --list --file FILE; files in watchme.toml names what is restored",
                ),
            ),
            (
                BackupError::NotReplaced {
                    path: "/srv/b".into(),
                    left: vec!["/srv/a".into()],
                    source: failed(&[]),
                },
                "could not replace /srv/b; restored, and not put back: /srv/a",
                Some("findmnt --target /srv/b"),
            ),
            (
                BackupError::NotStored {
                    path: "/srv/backups/db".into(),
                    source: failed(&[]),
                },
                "it is in /srv/backups/db, but was not stored elsewhere",
                None,
            ),
            (
                BackupError::NoSecret {
                    name: "restic.env".to_owned(),
                    path: "/run/watchme-apply/secrets/restic.env".into(),
                },
                "the variables of the secret restic.env are not at /run/watchme-apply/secrets/restic.env",
                Some("watchme-apply secret load"),
            ),
            (
                BackupError::ScratchNotUp {
                    why: "ended with 1".to_owned(),
                    said: vec!["no space".to_owned()],
                },
                "the scratch container ended with 1\n  no space",
                None,
            ),
        ] {
            assert_eq!(error.to_string(), text);
            assert_eq!(error.hint().as_deref(), hint, "{text}");
        }
    }
}
