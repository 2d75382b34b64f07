//! What was told to whom, and what is still to be told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{State, StateError};
use crate::model::Message;

const NAME: &str = "notified.json";

/// For each notifier, what it knows or should, by what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Notified {
    /// By the name of the notifier, then by what it is about.
    pub told: BTreeMap<String, BTreeMap<String, Told>>,
    /// The commit that each notifier gave the status of success last.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub succeeded: BTreeMap<String, String>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub message: Message,
    pub delivered: bool,
    /// Whether one about it was delivered before, so that its end is worth a message.
    pub known: bool,
}

impl State {
    pub(crate) fn notified(&self) -> Result<Notified, StateError> {
        Ok(self.read_json(NAME)?.unwrap_or_default())
    }

    pub(crate) fn write_notified(&self, notified: &Notified) -> Result<(), StateError> {
        self.write_json(self.path(NAME), notified)
    }
}
