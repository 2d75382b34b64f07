//! What failed runs and rollbacks leave for unattended runs to heed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::Hash;

/// What makes an unattended run skip or wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Attempts {
    /// The revision whose content failed.
    pub quarantine: Option<Quarantine>,
    /// The revision that a rollback left and that nobody has applied again.
    pub hold: Option<Hold>,
    /// When circumstances made the last runs fail.
    pub back_off: Option<BackOff>,
}

/// A revision whose content failed: the same inputs would fail again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quarantine {
    /// Hash of its inputs.
    pub inputs: Hash,
    /// The commit that had them.
    pub commit: Option<String>,
    /// When it failed.
    #[cfg_attr(test, schemars(with = "String"))]
    pub since: Timestamp,
    /// Why, in one line.
    pub reason: String,
}

/// What a rollback left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hold {
    /// Hashes of the inputs that are not brought back: of the generation that was left, and of
    /// the checkout at that time.
    pub inputs: BTreeSet<Hash>,
    /// Number of the generation that it went back to.
    pub back_to: u64,
    /// When.
    #[cfg_attr(test, schemars(with = "String"))]
    pub since: Timestamp,
    /// Who did.
    pub by: String,
}

/// Failures in a row that the revision was not to blame for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BackOff {
    /// How many.
    pub failures: u32,
    /// When the last one was.
    #[cfg_attr(test, schemars(with = "String"))]
    pub last: Timestamp,
    /// Until when unattended runs wait.
    #[cfg_attr(test, schemars(with = "String"))]
    pub next: Timestamp,
    /// Why the last one failed, in one line.
    pub reason: String,
}

/// What a failure says about the revision that was to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The revision: it would fail again.
    Permanent,
    /// Something that may be over soon, or that is not known to be the revision.
    Transient,
}
