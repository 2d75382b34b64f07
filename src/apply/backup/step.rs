//! A backup as a step of an apply.

use super::OneBackup;
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
        let one = OneBackup {
            name,
            backup,
            host: self.host,
            state: self.state,
            desired,
            interrupted: &self.interrupted,
        };
        match one.make(&mut self.journal, self.progress).await {
            Ok(_) => Ok(()),
            Err(source) => Err(StepError::Backup {
                name: name.to_owned(),
                source: Box::new(source),
            }),
        }
    }
}
