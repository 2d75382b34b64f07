//! Secrets: what is decrypted in memory. The record of what undoes it has nothing of them: it names the generation whose files
//! are decrypted again.

use std::collections::BTreeMap;

use super::{Run, StepError};
use crate::host::{Host, HostError};
use crate::model::Secret;
use crate::state::{State, StateError, Undo};

impl Run<'_> {
    pub(super) fn put_secret(&mut self, name: &str, secret: &Secret) -> Result<(), StepError> {
        if !self.host.is_live() {
            return Ok(());
        }
        self.record_secrets()?;
        let put = self.host.put_secret(name, secret);
        Ok(put.map_err(HostError::from)?)
    }

    pub(super) fn remove_secret(&mut self, name: &str) -> Result<(), StepError> {
        if !self.host.is_live() {
            return Ok(());
        }
        self.record_secrets()?;
        let removed = self.host.remove_secret(name);
        Ok(removed.map_err(HostError::from)?)
    }

    fn record_secrets(&mut self) -> Result<(), StepError> {
        let inventory = self.state.inventory()?;
        let generation = inventory.generation;
        Ok(self.journal.record(Undo::Secrets { generation })?)
    }
}

/// Makes what lies decrypted what a generation has.
pub(super) fn put_back(host: &Host, generation: Option<u64>) -> Result<(), StepError> {
    let state = State::new(host.root().clone());
    let secrets: BTreeMap<String, Secret> = match generation {
        Some(number) => {
            let folder = state.generations_folder().join(number.to_string());
            let lost = || StateError::Generation {
                number,
                path: folder.join("desired.json"),
                folder: folder.clone(),
            };
            let found = state.generation(number)?;
            found.map(|(_, desired)| desired.secrets).ok_or_else(lost)?
        }
        None => BTreeMap::new(),
    };
    let mut failed = None;
    for (name, error) in host.load_secrets(&secrets) {
        tracing::error!(%error, name, "a secret did not come back");
        failed.get_or_insert(error);
    }
    match failed {
        Some(error) => Err(HostError::from(error).into()),
        None => Ok(()),
    }
}
