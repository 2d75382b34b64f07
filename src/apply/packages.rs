//! Packages: what undoes a step is written down before apt is asked.

use std::collections::{BTreeMap, BTreeSet};

use super::{Run, StepError};
use crate::effect::InstallPackages;
use crate::host::HostError;
use crate::state::Undo;

impl Run<'_> {
    /// Has apt install packages. Where it cannot fetch one, its lists may be older than the archive: it loads them, once.
    pub(super) fn install_packages(&mut self, install: &InstallPackages) -> Result<(), StepError> {
        let asked = install.asked();
        // What another program installs meanwhile was not brought by this run.
        if self.host.await_packages() {
            self.progress
                .say("another program was installing packages, and has ended");
        }
        self.record_new(install, &asked)?;
        let error = match self.host.install_packages(&asked, false) {
            Err(error) if error.is_not_fetched() && !self.host.updated_lists() => error,
            result => return Ok(result?),
        };
        self.progress
            .say("apt could not fetch everything: its package lists are loaded, and it is asked once more");
        self.host.update_package_lists()?;
        if !self.record_new(install, &asked)? {
            return Err(error.into());
        }
        Ok(self.host.install_packages(&asked, false)?)
    }

    /// Writes down what apt would bring as things are now. Returns whether it would bring anything.
    fn record_new(
        &mut self,
        install: &InstallPackages,
        asked: &[String],
    ) -> Result<bool, StepError> {
        let Ok(plan) = self.host.simulate_install(asked)? else {
            return Ok(false);
        };
        let new: BTreeSet<String> = plan.installs.into_keys().collect();
        let replaced = install.upgrades.iter();
        let replaced = replaced.filter(|(name, _)| install.wanted.contains_key(*name));
        let versions: BTreeMap<String, String> = replaced
            .map(|(name, (old, _))| (name.clone(), old.clone()))
            .collect();
        if !versions.is_empty() {
            self.journal.record(Undo::InstallPackages(versions))?;
        }
        if !new.is_empty() {
            self.journal.record(Undo::RemovePackages(new))?;
        }
        Ok(true)
    }

    /// Removes packages that this program has installed.
    pub(super) fn remove_packages(
        &mut self,
        packages: &BTreeMap<String, String>,
    ) -> Result<(), StepError> {
        self.journal
            .record(Undo::InstallPackages(packages.clone()))?;
        Ok(self
            .host
            .remove_packages(&packages.keys().cloned().collect())?)
    }
}

/// Whether an error is that a unit is not there: it went with its package.
pub(super) fn is_of_gone_unit(error: &StepError) -> bool {
    matches!(error, StepError::Host(error) if error.is_not_found())
        || matches!(error, StepError::Host(HostError::NginxStopped))
}
