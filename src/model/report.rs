//! What `drift` and `status` tell.

use std::collections::BTreeSet;

use serde::Serialize;

use super::id::ResourceId;

/// The kinds of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// git moved: a newer revision is not applied yet.
    Pending,
    /// The host differs from what was applied.
    Drifted,
    /// It is on disk, but the daemon has not loaded it.
    Unloaded,
    /// It is as configured, but does not work.
    Degraded,
    /// The tag of an image leads to another one in its registry; only found where that is asked.
    Moved,
}

impl DriftKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            DriftKind::Pending => "pending",
            DriftKind::Drifted => "drifted",
            DriftKind::Unloaded => "unloaded",
            DriftKind::Degraded => "degraded",
            DriftKind::Moved => "moved",
        }
    }
}

impl std::fmt::Display for DriftKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

fn as_text<S: serde::Serializer>(id: &ResourceId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// One deviation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DriftItem {
    /// Which kind.
    pub kind: DriftKind,
    /// The resource, as `kind/name`.
    #[serde(serialize_with = "as_text")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub resource: ResourceId,
    /// What deviates.
    pub what: String,
    /// Whether `drift --fix` fixes it.
    pub fixable: bool,
}

/// An image of units whose registry was to be asked what its tag leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AskedImage {
    /// Its name, with the tag.
    pub name: String,
    /// The units that run it.
    pub units: BTreeSet<String>,
    /// The digest by which the registry knows the image that the tag leads to on this host; that of an index where it came
    /// from one.
    pub local: Option<String>,
    /// The digest that the tag has in the registry.
    pub registry: Option<String>,
    /// Whether the tag moved in the registry.
    pub moved: bool,
    /// Why that is not known.
    pub unknown: Option<String>,
}
