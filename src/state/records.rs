//! Records as JSON files: inventory, what is loaded, pauses, attempts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Journal, State, StateError, Undo};
use crate::model::{
    Attempts, Desired, Inventory, Loaded, Pause, RanImage, Recorded, RunRecord, layout,
};

/// Permission bits of records: what is applied, and what stood there before, is nobody's but root's.
const MODE: u32 = 0o600;

impl State {
    /// All records that a plan needs. What was never written counts as empty.
    ///
    /// # Errors
    /// When one cannot be read or is damaged; the error names it.
    pub(crate) fn recorded(&self) -> Result<Recorded, StateError> {
        let inventory = self.inventory()?;
        let applied = self.latest_generation()?;
        let latest = applied.as_ref().and_then(|(record, _)| record.number);
        let lost = inventory.generation.filter(|last| latest < Some(*last));
        let backups = match &applied {
            Some((_, applied)) => self.backups(&applied.backups)?,
            None => BTreeMap::new(),
        };
        Ok(Recorded {
            inventory,
            backups,
            loaded: self.read_json("loaded.json")?.unwrap_or_default(),
            pauses: self.read_json("pauses.json")?.unwrap_or_default(),
            applied: applied.filter(|_| lost.is_none()),
            lost,
        })
    }

    pub(crate) fn inventory(&self) -> Result<Inventory, StateError> {
        Ok(self.read_json("inventory.json")?.unwrap_or_default())
    }

    /// Ends a run that succeeded: its records, then an empty journal. Killed in between, it is
    /// undone as if it had failed.
    pub(crate) fn commit(
        &self,
        journal: &mut Journal,
        generation: Option<(u64, &RunRecord, &Desired, &[RanImage])>,
        inventory: &Inventory,
        loaded: &Loaded,
    ) -> Result<(), StateError> {
        if let Some((number, record, desired, images)) = generation {
            journal.record(Undo::ForgetGeneration(number))?;
            self.write_generation(number, record, desired, images)?;
        }
        for name in ["inventory.json", "loaded.json"] {
            journal.save(&self.path(name))?;
        }
        self.write_inventory(inventory)?;
        self.write_loaded(loaded)?;
        journal.clear()?;
        // That was the commit. The old tree is of no use any more, and no harm.
        for old in [
            PathBuf::from(layout::NEXT),
            layout::live(layout::store::LEAVING),
        ] {
            if let Err(error) = self.root.remove_folder(&old) {
                tracing::warn!(%error, "old records were not removed");
            }
        }
        if let Err(error) = self.drop_surplus() {
            tracing::warn!(%error, "old generations were not removed");
        }
        Ok(())
    }

    /// Writes down what the daemons have loaded.
    pub(crate) fn write_loaded(&self, loaded: &Loaded) -> Result<(), StateError> {
        self.write_json(self.path("loaded.json"), loaded)
    }

    /// Writes down what is managed.
    pub(crate) fn write_inventory(&self, inventory: &Inventory) -> Result<(), StateError> {
        self.write_json(self.path("inventory.json"), inventory)
    }

    /// Writes down which units are kept stopped.
    pub(crate) fn write_pauses(&self, pauses: &BTreeMap<String, Pause>) -> Result<(), StateError> {
        self.write_json(self.path("pauses.json"), pauses)
    }

    /// What unattended runs have to heed.
    pub(crate) fn attempts(&self) -> Result<Attempts, StateError> {
        Ok(self.read_json("attempts.json")?.unwrap_or_default())
    }

    /// Writes down what unattended runs have to heed.
    pub(crate) fn write_attempts(&self, attempts: &Attempts) -> Result<(), StateError> {
        self.write_json(self.path("attempts.json"), attempts)
    }

    pub(super) fn read_json<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, StateError> {
        self.read_json_at(self.path(name))
    }

    pub(super) fn read_json_at<T: DeserializeOwned>(
        &self,
        path: PathBuf,
    ) -> Result<Option<T>, StateError> {
        self.demand_readable()?;
        let Some(content) = self.root.read(&path)? else {
            return Ok(None);
        };
        // Every record is an object; a list would be taken for one without any field.
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&content)
            .and_then(|object| serde_json::from_value(object.into()))
            .map(Some)
            .map_err(|source| StateError::Damaged {
                path: self.root.join(&path),
                source,
            })
    }

    pub(super) fn write_json<T: Serialize>(
        &self,
        path: PathBuf,
        value: &T,
    ) -> Result<(), StateError> {
        let mut text =
            serde_json::to_vec_pretty(value).map_err(|source| StateError::Unwritable {
                path: path.clone(),
                source,
            })?;
        text.push(b'\n');
        if let Some(folder) = path.parent() {
            self.root.make_folder(folder)?;
        }
        Ok(self.root.write(&path, &text, MODE)?)
    }
}
