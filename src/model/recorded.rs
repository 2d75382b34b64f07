//! What earlier runs left on record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::desired::{Desired, Origin};
use super::id::{Hash, ResourceId};

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
}

/// What this program put on the host: nothing else is ever pruned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inventory {
    /// Links and files outside the store, with the resource that they belong to.
    #[serde(with = "path_map")]
    pub paths: BTreeMap<PathBuf, ResourceId>,
    /// Units that have, or had, a file in the store.
    pub units: BTreeSet<String>,
    /// Networks.
    pub networks: BTreeSet<String>,
    /// Volumes.
    pub volumes: BTreeSet<String>,
}

impl Inventory {
    /// Whether nothing is managed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Maps with structured values, keyed by a path: resource ids are written `kind/name`.
mod path_map {
    use super::{BTreeMap, PathBuf, ResourceId};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(
        map: &BTreeMap<PathBuf, ResourceId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<PathBuf, ResourceId>, D::Error> {
        BTreeMap::deserialize(deserializer)
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
    /// Number of its generation, from 1.
    pub number: u64,
    /// What was applied.
    pub origin: Origin,
    /// When it ended.
    #[cfg_attr(test, schemars(with = "String"))]
    pub time: Timestamp,
    /// Who ran it.
    pub by: String,
    /// What it was asked to leave out, as given to `--only`.
    pub only: Vec<String>,
    /// One line for each change.
    pub changes: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Applied and verified.
    Applied,
    /// Failed, and the host was observed to be as before.
    RolledBack,
    /// Failed, and something is left for a person.
    Incomplete,
}
