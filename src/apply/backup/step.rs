//! A backup as a step of an apply.

use super::Backups;
use crate::apply::{Run, StepError};
use crate::model::{Backup, Desired};

impl Run<'_> {
    /// Makes a backup of what the run is about to interrupt.
    pub(in crate::apply) async fn back_up(
        &mut self,
        name: &str,
        backup: &Backup,
    ) -> Result<(), StepError> {
        let recorded = self.state.recorded()?;
        let nothing = Desired::default();
        let desired = recorded
            .applied
            .as_ref()
            .map_or(&nothing, |(_, applied)| applied);
        let backups = Backups {
            host: self.host,
            state: self.state,
            desired,
            interrupted: &self.interrupted,
        };
        let made = backups
            .make(name, backup, &mut self.journal, self.progress)
            .await;
        match made {
            Ok(_) => Ok(()),
            Err(source) => Err(StepError::Backup {
                name: name.to_owned(),
                source: Box::new(source),
            }),
        }
    }
}
