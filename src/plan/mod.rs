//! (`Desired`, `Observed`, `Recorded`) → `Plan`. Pure: all decisions are made here, and nothing
//! is asked or touched.

mod activity;
mod binds;
mod candidate;
mod certificates;
mod draft;
mod drain;
mod etc;
mod files;
mod gates;
mod holders;
mod images;
mod loaded;
mod members;
mod networks;
mod nginx;
mod outside;
pub mod preflight;
mod prune;
mod recovery;
mod replacement;
mod simulated;
mod sites;
mod stacks;
mod units;
mod unserved;
mod upstreams;
mod volumes;
mod watch;

pub use binds::binds_of;
pub use candidate::candidate;
pub use etc::absent_id;
pub use images::images_of;
pub use loaded::{nginx_hash, outside_hashes, systemd_hash, unit_hash};
pub use members::{find as find_members, not_running};
pub use outside::outside_packages;
pub use prune::inventory;
pub use simulated::{assumed, simulated};
pub use unserved::new_upstreams;
pub use watch::watch;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::effect::Plan;
use crate::model::{Desired, Observed, Recorded, ResourceId, Selector, Unit};
use draft::Draft;

/// Which health gates a run asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gates {
    /// None: what is there is mended, and nothing new is brought in.
    None,
    /// Those that the changes touch.
    #[default]
    Touched,
    /// All.
    All,
}

/// What a plan is made of.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// What is wanted.
    pub desired: &'a Desired,
    /// What is there.
    pub observed: &'a Observed,
    /// What earlier runs recorded.
    pub recorded: &'a Recorded,
    /// What `--only` selects; empty: everything.
    pub only: &'a [Selector],
    /// Folders that count as the checkout: links into them are adopted.
    pub checkouts: &'a [PathBuf],
    /// Whether an empty desired state may take everything away.
    pub allow_empty: bool,
    /// Which health gates are asked.
    pub gates: Gates,
    /// The present time, for pauses.
    pub now: Timestamp,
}

impl Inputs<'_> {
    fn selects(&self, id: &ResourceId) -> bool {
        Selector::any(self.only, id)
    }

    /// Whether `target`, as a link has it, lies in the checkout.
    fn in_checkout(&self, target: &Path) -> bool {
        self.checkouts.iter().any(|root| target.starts_with(root))
    }

    fn paused(&self, unit: &str) -> bool {
        self.recorded
            .pauses
            .get(unit)
            .is_some_and(|pause| pause.holds(self.now))
    }
}

/// The changes that make the host as desired, in the order in which they are made: make before
/// break, so that what is replaced is only stopped when its replacement serves.
pub fn plan(inputs: Inputs<'_>) -> Plan {
    let mut draft = Draft::new(inputs);
    prune::refuse_empty(&mut draft);
    networks::plan(&mut draft);
    etc::plan(&mut draft);
    sites::plan(&mut draft);
    units::plan(&mut draft);
    recovery::plan(&mut draft);
    prune::plan(&mut draft);
    units::reload_if_needed(&mut draft);
    activity::plan(&mut draft);
    holders::plan(&mut draft);
    images::plan(&mut draft);
    binds::plan(&mut draft);
    volumes::plan(&mut draft);
    networks::prune(&mut draft);
    members::plan(&mut draft);
    stacks::plan(&mut draft);
    certificates::plan(&mut draft);
    nginx::plan(&mut draft);
    drain::plan(&mut draft);
    upstreams::plan(&mut draft);
    unserved::plan(&mut draft);
    draft.finish()
}

/// The units that a plan starts or restarts.
fn started<'a>(plan: &'a Plan, desired: &'a Desired) -> impl Iterator<Item = &'a Unit> {
    plan.changes
        .iter()
        .filter_map(|change| desired.units.get(&change.effect.starts()?.unit))
}

#[cfg(test)]
mod tests;
