//! What is wanted of a Docker volume.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Kind, Resource};

/// A Docker volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Its key under `volumes:`.
    pub key: String,
    /// Compose project that owns it.
    pub project: String,
    /// Driver.
    pub driver: String,
    /// `driver_opts`.
    pub options: BTreeMap<String, String>,
    /// Labels beyond those of compose.
    pub labels: BTreeMap<String, String>,
}

impl Resource for Volume {
    type Key = String;
    const KIND: Kind = Kind::Volume;
}
