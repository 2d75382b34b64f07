//! The kinds of resources, a folder for each: its data, how it is read, what is looked at, and what is planned. `table.rs` has a
//! line for each, of which the registry [`of`] is made.
//!
//! What a kind does to a host is the effects of its changes: carrying them out, undoing and showing them is the same for
//! all kinds.

pub(crate) mod backup;
pub(crate) mod etc;
pub(crate) mod file;
pub(crate) mod firewall;
pub(crate) mod member;
pub(crate) mod network;
pub(crate) mod package;
pub(crate) mod quadlet;
pub(crate) mod secret;
mod simulated;
pub(crate) mod site;
pub(crate) mod table;
pub(crate) mod unit;
pub(crate) mod volume;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) use member::plan::{find as find_members, not_running};
pub(crate) use network::plan::unlabelled as unlabelled_networks;
pub(crate) use simulated::{simulate_host, simulated};
pub(crate) use site::unserved::new_upstreams;
pub(crate) use unit::binds::binds_of;
pub(crate) use unit::images::{images_of, images_of_unit};
pub(crate) use unit::podman::podman_images_of;
pub(crate) use watch::{Asked, watch};

use crate::effect::Plan;
use crate::model::{Desired, Kind, ResourceId, Watch};
use crate::plan::draft::Draft;
use crate::plan::{Inputs, prune, recovery};

/// Paths of ours that nothing wants any more, with the resources that they belonged to.
pub(crate) type Unwanted = BTreeMap<PathBuf, ResourceId>;

/// What each kind answers.
pub(crate) trait ResourceKind {
    /// Adds the paths of the host at which a desired state of this kind has something.
    fn paths(&self, desired: &Desired, watch: &mut Watch);

    /// Adds what else of the host has to be looked at: units, containers, processes.
    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch);

    /// Plans what makes each resource as desired, by itself.
    fn compare(&self, draft: &mut Draft<'_>);

    /// Plans how what left the desired state ends, and takes its paths out of those that are simply removed.
    fn retire(&self, _draft: &mut Draft<'_>, _unwanted: &mut Unwanted) {}

    /// Plans what starts, restarts and reloads for the changed files.
    fn activate(&self, _draft: &mut Draft<'_>) {}

    /// Plans what follows from all that, for this kind.
    fn follow(&self, _draft: &mut Draft<'_>) {}
}

macro_rules! registry {
    ($($(#[doc = $doc:literal])+ $kind:ident $word:literal $module:ident::$of:ident $(=> $field:ident: $resource:ident)?,)+) => {
        fn of(kind: Kind) -> &'static dyn ResourceKind {
            match kind {
                $(Kind::$kind => &$module::$of,)+
            }
        }
    };
}

table::with_kinds!(registry);

fn all() -> impl Iterator<Item = &'static dyn ResourceKind> {
    Kind::ALL.iter().map(|kind| of(*kind))
}

/// The changes that make the host as desired, in the order in which they are made: make before
/// break, so that what is replaced is only stopped when its replacement serves.
pub(crate) fn plan(inputs: Inputs<'_>) -> Plan {
    let mut draft = Draft::new(inputs);
    let prunes = prune::allows_removal(&mut draft);
    all().for_each(|kind| kind.compare(&mut draft));
    recovery::plan(&mut draft);
    note_user_engines(&mut draft);
    if prunes {
        let mut unwanted = prune::unwanted(&draft);
        all().for_each(|kind| kind.retire(&mut draft, &mut unwanted));
        prune::plan(&mut draft, &unwanted);
    }
    all().for_each(|kind| kind.activate(&mut draft));
    all().for_each(|kind| kind.follow(&mut draft));
    draft.finish()
}

/// What runs on engines of users is invisible to everything here.
fn note_user_engines(draft: &mut Draft<'_>) {
    for engine in &draft.observed.user_engines {
        let id = ResourceId::new(Kind::Unit, engine.unit());
        draft.note(id, None, engine.note());
    }
}

#[cfg(test)]
mod tests;
