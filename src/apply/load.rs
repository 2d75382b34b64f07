//! Files of /etc that programs of systemd load.

use super::{Run, StepError};
use crate::effect::LoadFiles;
use crate::host::loaders;
use crate::state::Undo;

impl Run<'_> {
    /// Has the program load the files. Users, files and folders that it has created stay if the run is rolled back: other
    /// things may be theirs by then. Kernel parameters get their values back.
    pub(super) fn load(&mut self, load: &LoadFiles) -> Result<(), StepError> {
        let names = load.parameters.keys().cloned().collect();
        let before = loaders::parameters(&names);
        if !before.is_empty() {
            self.journal.record(Undo::SetParameters(before.clone()))?;
        }
        loaders::load(load.loader, &load.files, &names)?;
        let wanted = load.parameters.iter();
        // One that the kernel does not have yet is set when its module is loaded, systemd-sysctl.service(8).
        let wanted = wanted.filter(|(name, _)| before.contains_key(*name));
        Ok(loaders::verify(wanted)?)
    }
}
