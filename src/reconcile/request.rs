//! What a pass is asked for, what it plans from, and how it ends well.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{Confirm, ReconcileError, Skip};
use crate::effect::Plan;
use crate::model::{
    Answer, Desired, Finding, Observed, Origin, RanImages, Recorded, ResourceId, RunRecord,
    Selector,
};
use crate::plan::Gates;
use crate::source::{HostName, Revision, Which};
use crate::state::{Lock, State, StateError};

/// What a run was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Folder of the desired state.
    pub folder: PathBuf,
    /// Which revision of it.
    pub which: Which,
    /// The host whose files are over those of all hosts.
    pub host: Option<HostName>,
    /// What `--only` selects; empty: everything.
    pub only: Vec<Selector>,
    /// Whether an empty desired state may take everything away.
    pub allow_empty: bool,
    /// Whether the host may be given to another repository.
    pub take_over: bool,
    /// How long another run is waited for.
    pub lock_timeout: Duration,
    /// Who asks.
    pub by: String,
    /// Whether no person does, so that what failed or was left before is skipped.
    pub unattended: bool,
    /// Whether the run is rolled back unless somebody confirms it.
    pub confirm: Confirm,
    /// Whether what failed before is tried again all the same.
    pub retry: bool,
    /// Whether a person is there who is asked before something goes.
    pub asks: bool,
    /// Which health gates are asked.
    pub gates: Gates,
    /// Whether a daemon that does not answer is left out, instead of ending the look: only for looking.
    pub lenient: bool,
    /// Whether nothing is decrypted: what is looked at may be of anybody.
    pub sealed: bool,
    /// Set by a signal.
    pub interrupted: Arc<AtomicBool>,
}

impl Request {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another run holds it, or the file system refuses: on a disk that is full, this is where a run ends.
    pub(super) fn lock(&self, state: &State) -> Result<Lock, ReconcileError> {
        state.lock(self.lock_timeout).map_err(|error| match error {
            StateError::Locked { .. } => error.into(),
            other => ReconcileError::before_any_change(other),
        })
    }

    /// The same for a plan. Whoever wrote another revision would learn from one whether what is in a secret is what they
    /// guessed.
    pub(super) fn sealed(&self) -> Self {
        Self {
            sealed: matches!(self.which, Which::Rev(_)),
            ..self.clone()
        }
    }
}

/// A plan with everything that it was made from.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Where the desired state came from.
    pub origin: Origin,
    /// The generation that it is, if it is not read from the checkout.
    pub generation: Option<u64>,
    /// What ran in it, if the host goes back to it.
    pub ran: Option<RanImages>,
    /// What the host is taken to be as, if nobody looked at it.
    pub from: Option<Origin>,
    /// What is wanted: with `--only`, what was applied with the selected resources changed.
    pub desired: Desired,
    /// The revision that it was read from, for what is validated on a host; none of a generation.
    pub revision: Option<Revision>,
    /// What is there.
    pub observed: Observed,
    /// What earlier runs recorded.
    pub recorded: Recorded,
    /// Folders that count as the checkout.
    pub checkouts: Vec<PathBuf>,
    /// What is selected: `--only`, with the files that selected units name.
    pub only: Vec<Selector>,
    /// Whether something was not compared because this user may not look at it.
    pub incomplete: bool,
    /// What `drift --fix` leaves as it is, because something blocks it.
    pub left_alone: BTreeSet<ResourceId>,
    /// Worth knowing about the input or the look at the host.
    pub warnings: Vec<String>,
    /// What nginx and systemd say about what would be applied.
    pub findings: Vec<Finding>,
    /// What is found about what this plan does not change.
    pub other_findings: Vec<Finding>,
}

impl Planned {
    /// Whether there is nothing to do and nothing to write down.
    pub(crate) fn is_in_sync(&self) -> bool {
        let applied = self.recorded.desired();
        self.plan.is_empty()
            && !self.takes_over()
            && applied.is_some_and(|applied| self.desired.asks_nothing_new(applied))
            && self.recorded.inventory == super::records::commit::inventory(self, &self.observed)
    }

    /// The commit that the whole host is as, if nothing of it is to be changed or reported.
    pub(crate) fn commit_in_sync(&self) -> Option<String> {
        let origin = &self.origin;
        let is_commit = !origin.worktree && origin.dirty.is_empty() && self.generation.is_none();
        let is_well = self.plan.notes.iter().all(|note| note.drift.is_none());
        let is_whole = self.only.is_empty() && !self.incomplete && self.from.is_none();
        let commit = origin.commit.clone();
        commit.filter(|_| is_commit && is_well && is_whole)
    }

    /// Whether the host is taken over from another repository.
    pub(crate) fn takes_over(&self) -> bool {
        let takes_over = |revision: &Revision| revision.takes_over_from.is_some();
        self.revision.as_ref().is_some_and(takes_over)
    }

    /// Whether nothing on the host is to change, and an apply has something to ask or to write
    /// down all the same: a health gate that is new, a path that is to stay absent.
    pub(crate) fn only_writes_down(&self) -> bool {
        let looked = self.from.is_none() && self.generation.is_none();
        looked && self.plan.is_empty() && !self.incomplete && !self.is_in_sync()
    }

    /// Whether an apply would change nothing, because something blocks it.
    pub(crate) fn is_stopped(&self) -> bool {
        !self.plan.refusals.is_empty() || self.findings.iter().any(Finding::is_error)
    }
}

/// How an apply ended well.
#[derive(Debug)]
pub(crate) enum Applied {
    /// The host was as desired already: nothing was written.
    InSync {
        /// What was compared.
        planned: Box<Planned>,
        /// Health gates that were asked all the same.
        gates: Vec<Answer>,
    },
    /// Applied and verified.
    Done(Box<RunRecord>),
    /// An unattended run that left the host alone, and why.
    Skipped(Box<Skip>),
}
