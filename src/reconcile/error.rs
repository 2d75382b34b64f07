//! What can go wrong with a pass, and what that means for the host.

mod hint;
mod step;
#[cfg(test)]
mod tests;
mod words;

use std::path::PathBuf;

use super::confirm::ConfirmError;
use super::prune::PruneError;
use super::uninstall::UninstallError;
use crate::apply::{BackupError, StepError};
use crate::effect::Refusal;
use crate::host::HostError;
use crate::model::{Finding, RunKind};
use crate::source::SourceError;
use crate::state::StateError;
pub(super) use words::{chain, listed, warn, warn_of, with_hint};
use words::{count, errors, lines, listed_secrets, refused, same, secrets};

/// Why a pass failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    /// The checkout.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What a plan is to begin from.
    #[error("the revision {rev} to plan from cannot be read")]
    Base {
        /// As it was asked for.
        rev: String,
        /// Why.
        #[source]
        source: Box<SourceError>,
    },
    /// A record.
    #[error(transparent)]
    State(#[from] StateError),
    /// The host could not be looked at.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The host cannot be left as it is.
    #[error(transparent)]
    Uninstall(#[from] UninstallError),
    /// A network or a volume stays.
    #[error(transparent)]
    Prune(#[from] PruneError),
    /// About the confirmation of an apply.
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    /// Inputs differ from the commit.
    #[error("{} differ{} from the commit", count(.paths), if .paths.len() == 1 { "s" } else { "" })]
    Dirty {
        /// Which, relative to the checkout.
        paths: Vec<PathBuf>,
    },
    /// The host is another repository's.
    #[error("this host has the desired state of {applied}, and {asked} is another repository")]
    AnotherRepository {
        /// Whose desired state the host has.
        applied: String,
        /// Whose was to be applied.
        asked: String,
        /// Whether not all of its history is here, which would tell for certain.
        shallow: bool,
    },
    /// A person was asked, and said no.
    #[error("not confirmed")]
    Declined,
    /// Refusals of the plan.
    #[error("{}", refused(.0))]
    Refused(Vec<Refusal>),
    /// nginx or systemd does not take what would be applied.
    #[error("{} in what would be applied", errors(.0))]
    Invalid(Vec<Finding>),
    /// A step failed.
    #[error("{what} failed")]
    Step {
        /// The step.
        what: String,
        /// Why.
        #[source]
        source: Box<StepError>,
    },
    /// An image could not be pulled.
    #[error("{0}")]
    NotPulled(Box<StepError>),
    /// A backup that has to be made before something is interrupted was not.
    #[error("a backup was not made")]
    NotBackedUp(#[source] Box<StepError>),
    /// A backup, a restore or a rehearsal failed.
    #[error("{what} failed")]
    Backup {
        /// Which.
        what: String,
        /// Why.
        #[source]
        source: Box<BackupError>,
    },
    /// A backup that is not in what was applied.
    #[error("no backup {name} in what was applied{}", if .known.is_empty() { String::new() } else { format!("; there are: {}", .known.join(", ")) })]
    NoSuchBackup {
        /// As it was named.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A signal asked to stop.
    #[error("interrupted by a signal during: {0}")]
    Interrupted(String),
    /// After all steps, the host is not as desired.
    #[error("after all steps, the host does not match the desired state: {}", .left.join("; "))]
    NotConverged {
        /// What is left.
        left: Vec<String>,
    },
    /// Nothing was to be done, and health gates do not hold.
    #[error("in sync, but {} of {asked} health gates {}{}", .failed.len(), if .failed.len() == 1 { "fails" } else { "fail" }, lines(.failed))]
    GatesFail {
        /// How many were asked.
        asked: usize,
        /// Those that do not hold.
        failed: Vec<StepError>,
    },
    /// A run failed before it changed anything.
    #[error(transparent)]
    Unchanged(Box<ReconcileError>),
    /// Failed, and undone.
    #[error("the {} {} rolled back: the host is as before", .kind.as_str(), if .cause.is_interruption() { "was interrupted and" } else { "failed and was" })]
    RolledBack {
        /// What failed.
        kind: RunKind,
        /// Why it failed.
        #[source]
        cause: Box<ReconcileError>,
    },
    /// Failed, and not all was undone.
    #[error("the {} failed, and the rollback is incomplete: {}", .kind.as_str(), .left.join("; "))]
    Incomplete {
        /// What failed.
        kind: RunKind,
        /// Why it failed.
        #[source]
        cause: Box<ReconcileError>,
        /// What is not as before.
        left: Vec<String>,
        /// What helps.
        way_on: WayOn,
    },
    /// A killed run could not be undone.
    #[error("an interrupted run could not be undone: {}", .left.join("; "))]
    Unrecovered {
        /// What is not as before.
        left: Vec<String>,
    },
    /// There is nothing to compare with.
    #[error("nothing was applied yet")]
    NothingApplied,
    /// What was applied last is gone from the store, and nobody but a person knows why.
    #[error("generation {number}, which was applied last, is gone from {}", folder.display())]
    GenerationLost {
        /// Its number.
        number: u64,
        /// The folder of generations.
        folder: PathBuf,
        /// Those that are there.
        kept: Vec<u64>,
    },
    /// Secrets that are not there after a boot.
    #[error("{} not decrypted{}", secrets(.failed), listed_secrets(.failed))]
    SecretsNotLoaded {
        /// Which, and why.
        failed: Vec<(String, HostError)>,
    },
    /// A generation that is not kept, or never was.
    #[error("there is no generation {number}{}", listed("; there are:", .known))]
    NoSuchGeneration {
        /// Its number.
        number: u64,
        /// Those that there are.
        known: Vec<u64>,
    },
    /// A generation of which only the run is on record.
    #[error("generation {number} is not kept any more{}", listed("; kept are:", .kept))]
    NotKept {
        /// Its number.
        number: u64,
        /// Those that are kept.
        kept: Vec<u64>,
    },
    /// There is nothing to go back to.
    #[error("there is no other generation before {number}{}", listed("; kept are:", .kept))]
    NothingBefore {
        /// The present one, or the one that a rollback went back to.
        number: u64,
        /// Those that are kept.
        kept: Vec<u64>,
    },
    /// Going back to what is applied.
    #[error("{} is already applied", same(*.number, *.present))]
    AlreadyThere {
        /// The one that was asked for.
        number: u64,
        /// The present one.
        present: u64,
    },
    /// A unit that is not in the desired state.
    #[error("no unit {name} in what was applied")]
    NoSuchUnit {
        /// As it was named.
        name: String,
        /// The nearest known one.
        nearest: Option<String>,
    },
    /// A name that several units have.
    #[error("{name} may be {}", units.join(" or "))]
    SeveralUnits {
        /// As it was named.
        name: String,
        /// Those units.
        units: Vec<String>,
    },
    /// A unit that runs as it should.
    #[error("{name} is not paused")]
    NotPaused {
        /// Its name.
        name: String,
    },
    /// `--only` names something that is nowhere.
    #[error("no {asked} in the desired state or in what was applied")]
    NoSuchResource {
        /// As it was named.
        asked: String,
        /// The nearest known one.
        nearest: Option<String>,
    },
    /// A unit could not be paused or resumed.
    #[error("could not {verb} {unit}")]
    Unit {
        /// What was tried.
        verb: &'static str,
        /// The unit.
        unit: String,
        /// Why it failed.
        #[source]
        source: Box<StepError>,
    },
    /// The store's folder leads elsewhere.
    #[error("{} is a link, and the store has to be a folder on the device of /etc", path.display())]
    StoreIsLink {
        /// The folder.
        path: PathBuf,
    },
    /// The store is on another file system than /etc.
    #[error(
        "{} is on another file system than {}: units linked from a later mount are not found at boot",
        path.display(),
        etc.display()
    )]
    StoreElsewhere {
        /// The store.
        path: PathBuf,
        /// Where units are linked.
        etc: PathBuf,
    },
    /// There is nobody of that name to tell, or nobody at all.
    #[error("{}", match name {
        Some(name) => format!("no [notify.{name}] in what was applied"),
        None => "the applied revision has no [notify] section".to_owned(),
    })]
    NoNotifier {
        /// As it was named.
        name: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// nginx is needed and not there.
    #[error("the desired state has nginx sites, and nginx is not installed")]
    NginxAbsent,
}

/// How a person goes on from a rollback that is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayOn {
    /// Steps are left in the journal, which `recover` undoes.
    Recover,
    /// All was undone that could be, and the host is not as what was applied last.
    Fix,
    /// The same, and nothing was applied before.
    Apply,
}

impl ReconcileError {
    /// What failed, where it was undone or had changed nothing; else itself.
    pub(crate) fn undone(&self) -> &Self {
        match self {
            Self::RolledBack { cause, .. }
            | Self::Incomplete { cause, .. }
            | Self::Unchanged(cause) => cause,
            other => other,
        }
    }

    /// Whether a run that ends with it has to say that nothing was changed. What others say already, such as that the host is
    /// as before, they say themselves.
    pub(crate) fn changed_nothing(&self) -> bool {
        matches!(
            self,
            Self::Unchanged(_)
                | Self::AnotherRepository { .. }
                | Self::Declined
                | Self::Refused(_)
                | Self::Invalid(_)
                | Self::GatesFail { .. }
                | Self::Uninstall(_)
                | Self::Prune(_)
        )
    }

    /// The error as the end of a run tells it: with what it means for the host, behind its first line.
    pub(crate) fn told(&self) -> String {
        let mut text = self.to_string();
        if self.changed_nothing() {
            let end = text.find('\n').unwrap_or(text.len());
            text.insert_str(end, "; nothing was changed");
        }
        text
    }

    /// The exit status that says what the error means for the host: 1 unchanged, 3 rolled back,
    /// 4 a person is needed.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            ReconcileError::RolledBack { .. } => 3,
            ReconcileError::Incomplete { .. } | ReconcileError::Unrecovered { .. } => 4,
            ReconcileError::Confirm(error) => error.exit_status(),
            _ => 1,
        }
    }

    /// Whether a signal ended the run.
    pub(crate) fn is_interruption(&self) -> bool {
        matches!(self, ReconcileError::Interrupted(_))
    }

    /// It happened before a run changed anything.
    pub(super) fn before_any_change(error: impl Into<Self>) -> Self {
        ReconcileError::Unchanged(Box::new(error.into()))
    }
}
