//! The firewall: one table of nftables of our own, which says who may reach which port of the host, those included that
//! containers publish; and the unit that loads it at boot. Nothing of other tables is read or changed.

pub(crate) mod data;
mod plan;
mod read;
mod refuse;
#[cfg(test)]
mod tests;
mod ufw;

use std::path::PathBuf;

use super::{Asked, ResourceKind, Unwanted};
use crate::model::{Desired, Kind, ResourceId, UfwMode, Watch, WatchedFirewall, layout};
use crate::plan::draft::Draft;

/// The unit of firewalld, firewalld(1).
const FIREWALLD: &str = "firewalld.service";

/// Where nft(8) is, where nobody has looked: on an offline root, and on a simulated host.
pub(super) const NFT: &str = "/usr/sbin/nft";

/// The kind `firewall`.
pub(crate) struct Firewalls;

/// The file with the rules, the unit that loads them at boot, and the link that enables it.
fn own_paths() -> [PathBuf; 3] {
    let wants = format!("sysinit.target.wants/{}", layout::FIREWALL_UNIT);
    [
        layout::FIREWALL_RULES.into(),
        layout::unit(layout::FIREWALL_UNIT),
        layout::unit(&wants),
    ]
}

/// Whether an earlier run has put anything of ours on the host.
fn is_there(asked: &Asked<'_>) -> bool {
    let applied = asked.recorded.desired();
    let mut recorded = asked.recorded.inventory.paths.values();
    applied.is_some_and(|applied| !applied.firewalls.is_empty())
        || recorded.any(|id| id.kind == Kind::Firewall)
}

impl ResourceKind for Firewalls {
    fn paths(&self, desired: &Desired, watch: &mut Watch) {
        if !desired.firewalls.is_empty() {
            watch.paths.extend(own_paths());
            watch
                .paths
                .extend([layout::UFW, layout::UFW_DEFAULT].map(PathBuf::from));
            watch.paths.extend(layout::UFW_RULES.map(PathBuf::from));
        }
    }

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        let wanted = asked.desired.firewalls.values().next();
        if !asked.selects(Kind::Firewall) || wanted.is_none() && !is_there(asked) {
            return;
        }
        let units = [layout::FIREWALL_UNIT, FIREWALLD];
        watch.units.extend(units.map(str::to_owned));
        watch.firewall = Some(WatchedFirewall {
            rules: wanted.map(|firewall| firewall.rules()),
            drives_ufw: wanted.is_some_and(|firewall| firewall.ufw == UfwMode::Drive),
            trusted: wanted.map_or_else(Vec::new, |firewall| firewall.trusted.clone()),
        });
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        let desired = draft.desired;
        for (name, firewall) in &desired.firewalls {
            let id = ResourceId::new(Kind::Firewall, name);
            refuse::others(draft, &id, firewall);
            plan::files(draft, &id, firewall);
            plan::table(draft, &id, firewall);
            ufw::plan(draft, &id, firewall);
        }
    }

    fn retire(&self, draft: &mut Draft<'_>, unwanted: &mut Unwanted) {
        plan::retire(draft, unwanted);
    }
}
