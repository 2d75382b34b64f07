//! What is wanted of a backup: of what it is made, where it goes, and how it is proved.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Kind, MemberName, Resource, Unit, list, seconds};

/// Units that are generated for backups begin with it.
pub const BACKUP_UNIT: &str = "watchme-apply-backup-";
/// The same for rehearsals.
pub const REHEARSAL_UNIT: &str = "watchme-apply-rehearsal-";

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Of what it is made.
    pub of: BackupOf,
    /// The folder that has them.
    pub to: Option<PathBuf>,
    /// A command that gets each on its standard input; `{}` is its name.
    pub store: Option<Vec<String>>,
    /// The command that prints one that `store` has put away.
    pub fetch: Option<Vec<String>>,
    /// The command that removes one there.
    pub remove: Option<Vec<String>>,
    /// The command that gets a backup on its standard input to restore it.
    pub restore: Option<Vec<String>>,
    /// Secrets with variables for the commands.
    pub environment: Vec<String>,
    /// Which are kept.
    pub keep: Keep,
    /// When it runs, `OnCalendar=`.
    pub schedule: Option<String>,
    /// How old the last one may be when a plan interrupts what it is made of.
    #[serde(with = "optional")]
    pub before_change: Option<Duration>,
    /// How old the last good one may be; `None`: nobody is told.
    #[serde(with = "optional", default)]
    pub max_age: Option<Duration>,
    /// How long it may take.
    #[serde(with = "seconds")]
    pub timeout: Duration,
    /// How a restore is rehearsed.
    pub rehearsal: Option<Rehearsal>,
}

/// Of what a backup is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupOf {
    /// What a command prints in the container of a service.
    Service {
        /// Its container.
        member: MemberName,
        /// The command.
        command: Vec<String>,
    },
    /// A volume of the engine.
    Volume {
        /// Its name.
        volume: String,
        /// The service whose container is started on a copy in a rehearsal; `None`: the first that has the volume.
        member: Option<MemberName>,
        /// A command of the host that prints it while it is in use. `None`: what holds it stops for that time.
        command: Option<Vec<String>>,
    },
    /// Files and folders of the host.
    Files(Vec<PathBuf>),
    /// What a command of the host prints.
    Host(Vec<String>),
}

/// Which backups are kept. The last good one always is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// So many of the last ones.
    pub last: usize,
    /// The last one of each of so many days.
    pub daily: usize,
    /// The same for weeks.
    pub weekly: usize,
    /// The same for months.
    pub monthly: usize,
}

/// How a restore is rehearsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// When, `OnCalendar=`.
    pub schedule: Option<String>,
    /// The command that exits with 0 once the restore can begin.
    pub ready: Option<Vec<String>>,
    /// How long that may take.
    #[serde(with = "seconds")]
    pub ready_timeout: Duration,
    /// The command of the restore, if it is another one than the backup's own.
    pub restore: Option<Vec<String>>,
    /// The command that proves what was restored.
    pub gate: Vec<String>,
    /// What it has to print; `None`: anything.
    pub expect: Option<String>,
    /// How old the last good one may be; `None`: nobody is told.
    #[serde(with = "optional", default)]
    pub max_age: Option<Duration>,
    /// The limit of memory of the container, in bytes.
    pub memory: u64,
}

/// A duration that may be left out, in seconds.
mod optional {
    use super::Duration;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs_f64()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(deserializer)?;
        Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
    }
}

impl Backup {
    /// Whether a unit runs what it is made of.
    pub fn is_of(&self, unit: &Unit) -> bool {
        match &self.of {
            BackupOf::Service { member, .. } => runs(unit, member),
            BackupOf::Volume { volume, .. } => unit.mounted_volumes().contains(volume.as_str()),
            BackupOf::Files(_) | BackupOf::Host(_) => false,
        }
    }

    /// Whether what holds it stops while it is made.
    pub fn is_cold(&self) -> bool {
        matches!(&self.of, BackupOf::Volume { command: None, .. })
    }

    /// Whether a timer makes it, or rehearses its restore.
    pub fn is_scheduled(&self) -> bool {
        let rehearsal = self.rehearsal.as_ref();
        self.schedule.is_some() || rehearsal.is_some_and(|rehearsal| rehearsal.schedule.is_some())
    }

    /// What it is made of, in words.
    pub fn words(&self) -> String {
        match &self.of {
            BackupOf::Service { member, .. } => format!("the service {member}"),
            BackupOf::Volume { volume, .. } => format!("the volume {volume}"),
            BackupOf::Files(paths) => list(paths.iter().map(|path| path.display())),
            BackupOf::Host(command) => format!("what {} prints", command.join(" ")),
        }
    }
}

fn runs(unit: &Unit, member: &MemberName) -> bool {
    match member {
        MemberName::Container(name) => {
            // Those of a `.kube` are among them.
            unit.container_names().contains(name.as_str())
        }
        MemberName::Service { .. } => unit.stacks.iter().any(|stack| stack.has(member)),
    }
}

impl Resource for Backup {
    type Key = String;
    const KIND: Kind = Kind::Backup;
}
