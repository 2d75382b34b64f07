//! What an apply would do: changes in the order in which they are done, each with its reason.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Effect;
use crate::model::{DriftKind, Gate, Inventory, ResourceId};

/// The difference between desired and observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// What to do, in order.
    pub changes: Vec<Change>,
    /// Health gates that the changes touch.
    pub gates: Vec<Gate>,
    /// What blocks an apply: while there is one, it changes nothing.
    pub refusals: Vec<Refusal>,
    /// What is worth knowing and needs no change by us.
    pub notes: Vec<Note>,
    /// What is managed once it is carried out.
    pub inventory: Inventory,
}

impl Plan {
    /// Whether the host is as desired.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.refusals.is_empty()
    }

    /// Whether it brings packages: the rest is planned again once they are there.
    pub(crate) fn brings_packages(&self) -> bool {
        self.changes
            .iter()
            .any(|change| change.effect.brings_packages())
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// The resource that it is about.
    pub id: ResourceId,
    pub effect: Effect,
    /// Why, without a full stop.
    pub why: String,
    /// How content changes, if it does.
    pub diff: Option<Diff>,
    /// Who else is interrupted: units that a restart takes along.
    pub interrupts: BTreeSet<String>,
    /// Which kind of drift it is when the host should already be so.
    pub drift: DriftKind,
    /// Whether it waits until the gates hold, because it takes away what served before.
    pub after_gates: bool,
}

/// Content before and after, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diff {
    /// Label of the old side: a path on the host.
    pub old_path: PathBuf,
    /// Label of the new side: a path in the checkout.
    pub new_path: PathBuf,
    /// Old text; `None`: there was nothing, or it is not text.
    pub old: Option<String>,
    /// New text; `None`: it goes away, or it is not text.
    pub new: Option<String>,
}

/// Something that an apply will not do, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub id: ResourceId,
    pub why: String,
    /// What helps, one step a line.
    pub help: Vec<String>,
    /// What would be lost: the host's content and the desired one.
    pub diff: Option<Diff>,
}

/// Something worth knowing about the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub id: ResourceId,
    /// `Some` when it counts as drift that has no change to fix it.
    pub drift: Option<DriftKind>,
    pub text: String,
}
