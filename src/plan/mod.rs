//! What plans are made of, whatever the kind: the draft with its order, files and links, what left the desired state, what
//! daemons have loaded, health gates, and what is validated of a plan before it is carried out. Pure: nothing is asked or
//! touched. [`crate::kinds`] makes a plan of it.

mod candidate;
pub(crate) mod draft;
pub(crate) mod files;
mod gates;
pub(crate) mod loaded;
mod outside;
pub(crate) mod own_unit;
pub(crate) mod preflight;
pub(crate) mod prune;
pub(crate) mod recovery;
mod switch;

pub(crate) use candidate::candidate;
pub(crate) use loaded::{mounts_hash, nginx_hash, outside_hashes, systemd_hash, unit_hash};
pub(crate) use outside::outside_packages;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::{
    Desired, Observed, RanImages, Recorded, ResourceId, Secret, SecretState, Selector, Unit,
};

/// Which health gates a run asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Gates {
    /// None: the host is fixed, and nothing new is brought in.
    None,
    /// Those that the changes touch.
    #[default]
    Touched,
    All,
}

/// What a plan is made of.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    /// What earlier runs recorded.
    pub recorded: &'a Recorded,
    /// What `--only` selects; empty: everything.
    pub only: &'a [Selector],
    /// Resources that the run leaves as they are, whatever would be planned for them.
    pub left_alone: Option<&'a BTreeSet<ResourceId>>,
    /// Folders that count as the checkout: links into them are adopted.
    pub checkouts: &'a [PathBuf],
    /// Whether an empty desired state may take everything away.
    pub allow_empty: bool,
    /// Which health gates are asked.
    pub gates: Gates,
    /// What ran in the generation that the host goes back to, if it does.
    pub ran: Option<&'a RanImages>,
    /// The present time, for pauses.
    pub now: Timestamp,
}

impl<'a> Inputs<'a> {
    /// Units as they are wanted, and as they were applied last.
    pub(crate) fn units_of_both(&self) -> impl Iterator<Item = &'a Unit> {
        let applied = self.recorded.desired().into_iter();
        let applied = applied.flat_map(|applied| applied.units.values());
        self.desired.units.values().chain(applied)
    }

    /// Whether `--only` leaves a resource in.
    pub(crate) fn selects(&self, id: &ResourceId) -> bool {
        Selector::any(self.only, id)
    }

    /// Whether `target`, as a link has it, is in the checkout.
    pub(crate) fn in_checkout(&self, target: &Path) -> bool {
        self.checkouts.iter().any(|root| target.starts_with(root))
    }

    /// A secret as it was applied.
    pub(crate) fn applied_secret(&self, name: &str) -> Option<&Secret> {
        self.recorded.desired()?.secrets.get(name)
    }

    /// Whether a secret gets another content, as far as can be known: then those that use it start anew.
    pub(crate) fn changes_secret(&self, name: &str) -> bool {
        let Some(secret) = self.desired.secrets.get(name) else {
            return false;
        };
        let before = self.applied_secret(name);
        let same_file = before.is_some_and(|before| before.file.hash == secret.file.hash);
        match self.observed.secrets.get(name) {
            Some(SecretState::Differs) => true,
            // What is only gone comes back as it was.
            Some(SecretState::Missing | SecretState::NotCompared) | None => !same_file,
            Some(_) => false,
        }
    }

    /// Whether a unit is kept stopped.
    pub(crate) fn paused(&self, unit: &str) -> bool {
        self.recorded
            .pauses
            .get(unit)
            .is_some_and(|pause| pause.holds(self.now))
    }
}
