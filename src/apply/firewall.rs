//! The firewall: what undoes a step of it is the table from before.

use std::time::Duration;

use super::{Run, StepError};
use crate::host::{Host, HostError};
use crate::model::{FIREWALL_TABLE, UfwPlaces, UfwRule};
use crate::state::Undo;

impl Run<'_> {
    /// Writes down which rules the kernel has.
    pub(super) fn record_firewall(&mut self) -> Result<(), StepError> {
        let table = self.host.firewall()?;
        Ok(self.journal.record(Undo::Firewall { table })?)
    }

    /// Writes down whether and where ufw has a rule of ours.
    pub(super) fn record_ufw(&mut self, rule: &UfwRule, add: bool) -> Result<(), StepError> {
        let places = self.host.places_in_ufw(rule)?;
        let rule = rule.clone();
        Ok(self.journal.record(Undo::Ufw { rule, add, places })?)
    }
}

/// How long the ufw of a run that was killed is waited for: it changes a rule within a second.
const LAST_UFW: Duration = Duration::from_secs(30);
/// The same for each rule, once that was waited for.
const NEXT_UFW: Duration = Duration::from_secs(1);

/// Waits for the ufw of a run that was killed: it goes on to its end, and may change a rule after that was put back.
pub(super) fn wait_for_ufw(host: &Host, undos: &[Undo]) {
    if undos.iter().any(|undo| matches!(undo, Undo::Ufw { .. }))
        && let Err(error) = host.await_ufw(LAST_UFW)
    {
        tracing::warn!(%error, "waited for in vain");
    }
}

/// Has ufw have a rule where it was, or not have it. Nothing is done while another ufw runs.
pub(super) fn put_back_in_ufw(
    host: &Host,
    rule: &UfwRule,
    add: bool,
    places: &UfwPlaces,
) -> Result<(), HostError> {
    host.await_ufw(NEXT_UFW)?;
    match add {
        true => host.restore_in_ufw(rule, places),
        false => host.delete_in_ufw(rule),
    }
}

/// Has the kernel have the rules from before. What nft lists it also reads.
pub(super) fn put_back(host: &Host, table: Option<&str>) -> Result<(), HostError> {
    let name = FIREWALL_TABLE;
    match table {
        None => host.remove_firewall(),
        Some(listed) => host.load_firewall(&format!(
            "table inet {name}\ndelete table inet {name}\n{listed}"
        )),
    }
}
