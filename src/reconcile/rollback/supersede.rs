//! What could not be undone, and how a run goes forward from there: the host must not be locked by
//! a rollback that cannot succeed.

use jiff::Timestamp;

use crate::apply::{Left, Progress};
use crate::host::Host;
use crate::model::{Hash, Inventory, Loaded, ResourceId};
use crate::reconcile::{ReconcileError, error};
use crate::state::{Saved, State, StateError, Undo};

/// What is left of a run that could not be undone.
#[derive(Debug, Default)]
pub(in crate::reconcile) struct Leftover {
    /// One line for each step, with why it could not be undone.
    pub left: Vec<String>,
    /// The steps alone.
    pub steps: Vec<String>,
}

impl Leftover {
    pub(in crate::reconcile) fn of(left: &[Left]) -> Self {
        Self {
            left: lines(left),
            steps: left.iter().map(|left| left.what.clone()).collect(),
        }
    }

    /// For what goes back only: an error where something is left.
    ///
    /// # Errors
    /// [`ReconcileError::Unrecovered`], which names the commands that go forward.
    pub(in crate::reconcile) fn demand(self) -> Result<(), ReconcileError> {
        match self.left.is_empty() {
            true => Ok(()),
            false => Err(ReconcileError::Unrecovered { left: self.left }),
        }
    }

    /// Goes forward: the journal moves to where it can be read, and undoes nothing any more.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(in crate::reconcile) fn supersede(
        self,
        state: &State,
        progress: &mut dyn Progress,
    ) -> Result<(), ReconcileError> {
        if self.left.is_empty() {
            return Ok(());
        }
        let kept = state.journal()?.supersede(Timestamp::now())?;
        progress.warn(&format!(
            "this run continues from what could not be undone: {}; its journal is kept in {}",
            self.steps.join("; "),
            kept.display()
        ));
        Ok(())
    }
}

/// Tells the records what could not be undone, so that plans know: what daemons run with is not
/// what was on record, and what the run put there is managed until it goes.
///
/// # Errors
/// When a record cannot be written.
pub(in crate::reconcile) async fn admit(
    host: &Host,
    state: &State,
    left: &[Left],
) -> Result<(), StateError> {
    if left.is_empty() {
        return Ok(());
    }
    let mut recorded = state.recorded()?;
    let before = (recorded.loaded.clone(), recorded.inventory.clone());
    for left in left {
        doubt(host, &mut recorded.loaded, &left.undo).await;
        keep(&mut recorded.inventory, &left.undo);
    }
    if recorded.loaded != before.0 {
        state.write_loaded(&recorded.loaded)?;
    }
    if recorded.inventory != before.1 {
        state.write_inventory(&recorded.inventory)?;
    }
    Ok(())
}

/// What was loaded is not known any more.
async fn doubt(host: &Host, loaded: &mut Loaded, undo: &Undo) {
    let nothing = || Hash::of(b"not known");
    match undo {
        Undo::DaemonReload => {
            if let Some(systemd) = &mut loaded.systemd {
                systemd.hash = nothing();
            }
        }
        Undo::ReloadNginx | Undo::RestartNginx => {
            if let Some(nginx) = &mut loaded.nginx {
                nginx.hash = nothing();
            }
        }
        Undo::Start(unit) | Undo::Restart(unit) | Undo::ReloadUnit(unit) => {
            let state = match host.systemd().await {
                Ok(systemd) => systemd.unit(unit).await.ok(),
                Err(_) => None,
            };
            let run = state.map(|state| state.invocation).unwrap_or_default();
            loaded.doubtful.insert(unit.clone(), run);
        }
        _ => {}
    }
}

/// What the run has put there and could not take away is ours to take away.
fn keep(inventory: &mut Inventory, undo: &Undo) {
    match undo {
        Undo::Restore {
            path,
            saved: Saved::Missing,
        } => {
            if let Some(id) = ResourceId::at(path) {
                inventory.paths.entry(path.clone()).or_insert(id);
            }
        }
        Undo::RemoveNetwork(name) => {
            inventory.networks.insert(name.clone());
        }
        Undo::Stop(unit) => {
            inventory.units.insert(unit.clone());
        }
        _ => {}
    }
}

/// What to say of steps that could not be undone.
pub(in crate::reconcile) fn lines(left: &[Left]) -> Vec<String> {
    let line = |left: &Left| format!("{}: {}", left.what, error::chain(&left.error));
    left.iter().map(line).collect()
}
