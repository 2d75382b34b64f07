//! What has to be there for a checkout to have a desired state.

use super::{Loader, STACKS, Wrong, input_names, unread};
use crate::source::error::{Result, SourceError};
use crate::source::policy;

impl Loader<'_, '_> {
    /// What `[folders]` names has to be there: without it, all that was in it would leave the host.
    pub(super) fn require_folders(&mut self) -> Result<()> {
        let folders = self.policy().folders.clone();
        for (name, what) in [
            (folders.sites, "folder"),
            (folders.units, "folder"),
            (folders.etc, "folder"),
            (folders.infra, "file"),
        ] {
            if !name.is_written() || self.inputs.node(&self.input(&name)?)?.is_some() {
                continue;
            }
            let message = format!("there is no {what} {}", name.as_str());
            let expected = format!("expected a {what} below the folder of watchme.toml");
            let wrong = (self.policy().file).complain(name.span(), message, expected, None);
            self.pass(Err::<(), _>(SourceError::from(wrong)))?;
        }
        Ok(())
    }

    /// Fails where there is nothing of a desired state. What a survey finds elsewhere is worth a report.
    pub(super) fn require_something(&self, policy: bool) -> Result<()> {
        let folders = &self.policy().folders;
        let mut names = input_names(folders);
        names.push(STACKS);
        let mut any = policy;
        for name in &names {
            // Once something is there, the others need no look.
            any = any || self.inputs.node(&self.input(name)?)?.is_some();
        }
        if self.wrong == Wrong::IsCollected {
            let parsed = &self.out.parsed;
            any = any || !parsed.unread.is_empty() || !parsed.loose.is_empty();
            any = any || self.has_compose_files();
        }
        if any {
            return Ok(());
        }
        let mut looked_for = vec![policy::FILE_NAME.to_owned()];
        looked_for.extend(names.into_iter().map(str::to_owned));
        Err(SourceError::NoDesiredState {
            folder: self.places.desired_state(),
            looked_for,
            instead: unread::unread(self.inputs, &self.places.folder, folders),
        })
    }
}
