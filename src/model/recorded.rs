//! What earlier runs left on record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::desired::Origin;
use super::gate::Answer;
use super::id::{Hash, ResourceId};
use super::kinds::{Desired, Unit};

/// All records that a plan needs.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// What is managed.
    pub inventory: Inventory,
    /// What the daemons were last proved to have loaded.
    pub loaded: Loaded,
    /// Units that are kept stopped.
    pub pauses: BTreeMap<String, Pause>,
    /// The last applied revision, with what it wanted.
    pub applied: Option<(RunRecord, Desired)>,
    /// What is known of backups; only read where there are some.
    pub backups: BTreeMap<String, BackupRecord>,
    /// Number of the generation that was applied last, where its folder is gone: `applied` is
    /// `None` then, since an older one is not what the host is compared with.
    pub lost: Option<u64>,
}

impl Recorded {
    /// What the last applied revision wanted.
    pub fn desired(&self) -> Option<&Desired> {
        self.applied.as_ref().map(|(_, desired)| desired)
    }

    /// How the last applied revision was applied.
    pub fn run(&self) -> Option<&RunRecord> {
        self.applied.as_ref().map(|(run, _)| run)
    }

    /// The generation that was applied last, if it is there.
    pub fn generation(&self) -> Option<u64> {
        self.run()?.number
    }

    /// A unit as it was applied last.
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.desired()?.units.get(name)
    }
}

/// What is known of a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BackupRecord {
    /// The last good one.
    pub good: Option<BackupMade>,
    /// Good ones that are kept, the newest last.
    pub kept: Vec<BackupMade>,
    /// The last attempt, if it failed.
    pub failed: Option<BackupFailed>,
    /// Which of them are not in their folder any more as they were written; looked for when the record is read.
    #[serde(skip)]
    pub gone: BTreeSet<String>,
    /// The file of the record, if that is damaged: nothing is known then.
    #[serde(skip)]
    pub damaged: Option<PathBuf>,
}

impl BackupRecord {
    /// The last good one that is still there.
    pub fn last(&self) -> Option<&BackupMade> {
        let all = self.kept.iter().chain(&self.good);
        all.filter(|made| !self.gone.contains(&made.name))
            .max_by_key(|made| made.time)
    }

    /// Adds one that was made. One of its name is not there any more then.
    pub fn add(&mut self, made: BackupMade) {
        self.kept.retain(|known| known.name != made.name);
        self.gone.remove(&made.name);
        self.kept.push(made.clone());
        self.good = Some(made);
    }
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BackupMade {
    /// Its name.
    pub name: String,
    /// When it was begun.
    #[cfg_attr(test, schemars(with = "String"))]
    pub time: Timestamp,
    /// How large it is.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub sha256: String,
    /// Seconds that it took.
    pub seconds: u64,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BackupFailed {
    /// When.
    #[cfg_attr(test, schemars(with = "String"))]
    pub time: Timestamp,
    /// Why, in one line.
    pub why: String,
}

/// What is known of the rehearsals of a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RehearsalRecord {
    /// When the last good one was.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub good: Option<Timestamp>,
    /// Which backup it restored.
    pub of: Option<String>,
    /// Seconds that it took.
    pub seconds: u64,
    /// The last attempt, if it failed.
    pub failed: Option<BackupFailed>,
}

/// What this program put on the host: nothing else is ever pruned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inventory {
    /// Links and files outside the store, with the resource that they belong to.
    pub paths: BTreeMap<PathBuf, ResourceId>,
    /// Units that have, or had, a file in the store.
    pub units: BTreeSet<String>,
    /// Networks.
    pub networks: BTreeSet<String>,
    /// Volumes.
    pub volumes: BTreeSet<String>,
    /// Secrets.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<String>,
    /// Packages that this program has installed; none that was there before.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub packages: BTreeSet<String>,
    /// Number of the generation whose resources these are.
    pub generation: Option<u64>,
}

impl Inventory {
    /// Whether nothing is managed.
    pub fn is_empty(&self) -> bool {
        let Self {
            paths,
            units,
            networks,
            volumes,
            secrets,
            packages,
            generation: _,
        } = self;
        paths.is_empty()
            && units.is_empty()
            && networks.is_empty()
            && volumes.is_empty()
            && secrets.is_empty()
            && packages.is_empty()
    }
}

/// What was proved to be loaded. A daemon that started anew has another identity, and what it
/// loaded then follows from when it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Loaded {
    /// The system manager: identity and hash of units, drop-ins and their links.
    pub systemd: Option<LoadedDaemon>,
    /// nginx's master: identity and hash of sites and their links.
    pub nginx: Option<LoadedDaemon>,
    /// Units that were started with their present files.
    pub units: BTreeMap<String, LoadedUnit>,
    /// When the store was switched last.
    pub switched: Option<Timestamp>,
    /// Units that a run left running with nobody knows which files, since it could not be undone:
    /// each with the invocation that it had then; empty where nobody could be asked.
    pub doubtful: BTreeMap<String, String>,
}

/// A daemon's identity, and what it has loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedDaemon {
    /// See [`super::SystemdState::identity`] and [`super::NginxState::master`].
    pub identity: String,
    /// Hash of what it loaded.
    pub hash: Hash,
}

/// What a unit was started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedUnit {
    /// Hash of its file, drop-ins and the files that it names.
    pub hash: Hash,
    /// Which run of it that was; one that was started since by others runs with what lay there.
    #[serde(default)]
    pub invocation: String,
    /// Hashes of the files outside the checkout that it names, see [`super::Unit::outside`]; those that were there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outside: BTreeMap<PathBuf, Hash>,
    /// Hash of what its containers mount of the checkout, of a unit that a person wrote. `None`: it mounts nothing, or an
    /// earlier version wrote this down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mounts: Option<Hash>,
    /// Whether that start failed, and the run went on.
    #[serde(default)]
    pub failed: bool,
}

/// A unit that is kept stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pause {
    /// Until when; `None`: until `resume`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// Since when.
    #[cfg_attr(test, schemars(with = "String"))]
    pub since: Timestamp,
    /// Who said so.
    pub by: String,
}

impl Pause {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A run that changed the host, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunRecord {
    /// What it was to do.
    #[serde(default)]
    pub kind: RunKind,
    /// Number of the generation that it made, from 1; `None`: it made none.
    pub number: Option<u64>,
    /// Number of the generation that a rollback went back to.
    #[serde(default)]
    pub back_to: Option<u64>,
    /// What was applied, or was to be.
    pub origin: Origin,
    /// When it began.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub began: Option<Timestamp>,
    /// When it ended.
    #[cfg_attr(test, schemars(with = "String"))]
    pub time: Timestamp,
    /// Who ran it.
    pub by: String,
    /// Whether no person asked for it.
    #[serde(default)]
    pub unattended: bool,
    /// What it was asked to leave out, as given to `--only`.
    pub only: Vec<String>,
    /// One line for each step that was begun.
    pub changes: Vec<String>,
    /// Health gates that were checked, each with its answer.
    #[serde(default)]
    pub gates: Vec<Answer>,
    /// Units that did not start and without which the run continued, each with the reason.
    #[serde(default)]
    pub degraded: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed, in one line.
    #[serde(default)]
    pub reason: Option<String>,
}

impl RunRecord {
    /// A run that has done nothing yet, by nobody.
    pub fn new(kind: RunKind, origin: Origin, time: Timestamp) -> Self {
        Self {
            kind,
            number: None,
            back_to: None,
            origin,
            began: None,
            time,
            by: String::new(),
            unattended: false,
            only: Vec::new(),
            changes: Vec::new(),
            gates: Vec::new(),
            degraded: Vec::new(),
            outcome: Outcome::Applied,
            reason: None,
        }
    }
}

/// What a run was to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// Apply a revision of the checkout.
    #[default]
    Apply,
    /// Go back to an older generation.
    Rollback,
    /// Return the host to what was applied.
    Fix,
    /// Undo a run that was killed.
    Recover,
    /// Remove what was applied, and end the management of the host.
    Uninstall,
    /// Remove a network or a volume that the desired state does not have.
    Prune,
}

impl RunKind {
    /// The command or the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            RunKind::Apply => "apply",
            RunKind::Rollback => "rollback",
            RunKind::Fix => "drift --fix",
            RunKind::Recover => "recover",
            RunKind::Uninstall => "uninstall --remove",
            RunKind::Prune => "prune",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Applied and verified; of a recovery: undone.
    Applied,
    /// Applied, and units that may fail did.
    Degraded,
    /// Failed before anything was changed.
    Failed,
    /// Failed, and the host was observed to be as before.
    RolledBack,
    /// Failed, and the rollback is incomplete.
    Incomplete,
}

impl Outcome {
    /// The words for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Degraded => "applied, degraded",
            Outcome::Failed => "failed",
            Outcome::RolledBack => "rolled back",
            Outcome::Incomplete => "incomplete",
        }
    }
}
