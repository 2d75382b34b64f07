//! What `drift` and `status` tell.

use serde::Serialize;

use super::id::ResourceId;

/// The kinds of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// git moved: a newer revision is not applied yet.
    Pending,
    /// The host moved away from what was applied.
    Drifted,
    /// It is on disk, but the daemon has not loaded it.
    Unloaded,
    /// It is as configured, and does not work.
    Degraded,
}

impl DriftKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            DriftKind::Pending => "pending",
            DriftKind::Drifted => "drifted",
            DriftKind::Unloaded => "unloaded",
            DriftKind::Degraded => "degraded",
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
    /// Whether `drift --fix` mends it.
    pub fixable: bool,
}
