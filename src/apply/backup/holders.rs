//! Who has a volume, stopped for the time of a copy.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{BackupError, OneBackup};
use crate::model::Unit;
use crate::state::{Journal, Undo};

/// Bound of each stop and start.
const UNIT: Duration = Duration::from_secs(180);

impl OneBackup<'_> {
    /// Stops the units whose containers have a volume, with those that stop along. A run that is killed starts them again.
    /// Returns them in the order in which they start.
    pub(super) async fn stop_holders(
        &self,
        volume: &str,
        journal: &mut Journal,
    ) -> Result<Vec<String>, BackupError> {
        let units = self.desired.units.iter();
        let holders = units.filter(|(_, unit)| self.backup.is_of(unit));
        let holders: Vec<(&String, &Unit)> = holders.collect();
        let state = self.containers().await?;
        for container in state.containers.iter().filter(|one| one.is_running()) {
            let has = container.volumes.iter().any(|mount| mount.volume == volume);
            let owns = |(_, unit): &(&String, &Unit)| unit.owns_in(state.engine, container);
            if has && !holders.iter().any(owns) {
                return Err(BackupError::HeldByOthers {
                    volume: volume.to_owned(),
                    container: container.name.clone(),
                });
            }
        }
        let systemd = self.host.systemd().await?;
        let mut stopped: Vec<String> = Vec::new();
        let mut along = BTreeSet::new();
        for (name, _) in holders {
            if systemd.unit(name).await?.is_active() {
                stopped.push(name.clone());
                along.extend(systemd.dependents(name).await?);
            }
        }
        for name in along {
            if !stopped.contains(&name) && systemd.unit(&name).await?.is_active() {
                stopped.push(name);
            }
        }
        for name in &stopped {
            journal.record(Undo::Start(name.clone()))?;
        }
        for name in stopped.iter().rev() {
            if let Err(error) = systemd.stop(name, UNIT).await {
                self.start_holders(&stopped).await?;
                return Err(error.into());
            }
        }
        Ok(stopped)
    }

    /// Starts them again.
    pub(super) async fn start_holders(&self, units: &[String]) -> Result<(), BackupError> {
        let mut failed = None;
        for unit in units {
            let systemd = self.host.systemd().await?;
            if let Err(source) = systemd.start(unit, UNIT).await {
                let unit = unit.clone();
                let source = Box::new(source);
                failed.get_or_insert(BackupError::NotStartedAgain { unit, source });
            }
        }
        failed.map_or(Ok(()), Err)
    }
}
