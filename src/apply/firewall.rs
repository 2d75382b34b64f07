//! The firewall: what undoes a step of it is the table from before.

use super::{Run, StepError};
use crate::host::{Host, HostError};
use crate::model::{FIREWALL_TABLE, UfwRule};
use crate::state::Undo;

impl Run<'_> {
    /// Writes down which rules the kernel has.
    pub(super) fn record_firewall(&mut self) -> Result<(), StepError> {
        let table = self.host.firewall()?;
        Ok(self.journal.record(Undo::Firewall { table })?)
    }

    /// Writes down whether ufw has a rule of ours.
    pub(super) fn record_ufw(&mut self, rule: &UfwRule, add: bool) -> Result<(), StepError> {
        let rule = rule.clone();
        Ok(self.journal.record(Undo::Ufw { rule, add })?)
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
