//! Backups: what is made when, where it goes, and what is made before a plan interrupts what it is made of. Timers and
//! services are generated units, which the kind `unit` takes care of.

mod before;
pub(crate) mod data;
pub(crate) mod read;
#[cfg(test)]
mod tests;

use super::{Asked, ResourceKind};
use crate::model::{Desired, Kind, ResourceId, Watch};
use crate::plan::draft::Draft;

/// The kind `backup`.
pub(crate) struct Backups;

impl ResourceKind for Backups {
    fn paths(&self, _: &Desired, _: &mut Watch) {}

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        let mut backups = asked.desired.backups.values();
        watch.docker |= backups.any(|backup| backup.before_change.is_some());
    }

    /// Their units start this program as root.
    fn compare(&self, draft: &mut Draft<'_>) {
        let Some(path) = &draft.observed.program_of_others else {
            return;
        };
        let program = draft.observed.program.as_deref().unwrap_or(path).display();
        let path = path.display();
        let why = format!(
            "its timer would start {program} as root, and others than root may write to {path}"
        );
        let help = format!("chown root:root {path}; chmod go-w {path}");
        for (name, backup) in &draft.desired.backups {
            let id = ResourceId::new(Kind::Backup, name);
            if backup.is_scheduled() && draft.selects(&id) {
                draft.refuse(id, why.clone(), vec![help.clone()]);
            }
        }
    }

    fn follow(&self, draft: &mut Draft<'_>) {
        before::plan(draft);
    }
}
