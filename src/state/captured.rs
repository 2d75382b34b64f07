//! What `capture` took from the host since the last apply, so that a second edit of the same lines is told from the first.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{State, StateError};

const NAME: &str = "captured.json";

/// Files as the host had them when they were captured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CapturedFiles {
    /// The generation that was applied then: with another one, nothing of this counts.
    pub generation: Option<u64>,
    /// What the host had, by the path in the checkout.
    pub files: BTreeMap<PathBuf, String>,
}

impl State {
    /// What was captured since the generation that is applied; nothing of another one.
    pub(crate) fn captured(&self, generation: Option<u64>) -> Result<CapturedFiles, StateError> {
        let captured: Option<CapturedFiles> = self.read_json(NAME)?;
        let captured = captured.filter(|captured| captured.generation == generation);
        Ok(captured.unwrap_or(CapturedFiles {
            generation,
            ..CapturedFiles::default()
        }))
    }

    pub(crate) fn write_captured(&self, captured: &CapturedFiles) -> Result<(), StateError> {
        self.write_json(self.path(NAME), captured)
    }
}
