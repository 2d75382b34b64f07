//! What can go wrong with a pass, and what that means for the host.

use std::path::PathBuf;

use crate::apply::StepError;
use crate::host::HostError;
use crate::model::{Change, Plan, Refusal};
use crate::source::SourceError;
use crate::state::StateError;

/// Why a pass failed.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The checkout.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A record.
    #[error(transparent)]
    State(#[from] StateError),
    /// The host could not be looked at.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Inputs differ from the commit.
    #[error("{} differ{} from the commit", count(.paths), if .paths.len() == 1 { "s" } else { "" })]
    Dirty {
        /// Which, relative to the checkout.
        paths: Vec<PathBuf>,
    },
    /// Something stands in the way.
    #[error("{} in the way; nothing was changed", things(.0))]
    Refused(Vec<Refusal>),
    /// A step failed.
    #[error("{what} failed")]
    Step {
        /// The step.
        what: String,
        /// Why.
        #[source]
        source: Box<StepError>,
    },
    /// After all steps, the host is not as desired.
    #[error("the host is not as desired after all steps: {}", .left.join("; "))]
    NotConverged {
        /// What is left.
        left: Vec<String>,
    },
    /// Failed, and undone.
    #[error("the apply failed and was rolled back: the host is as before")]
    RolledBack {
        /// Why it failed.
        #[source]
        cause: Box<ReconcileError>,
    },
    /// Failed, and not all was undone.
    #[error("the apply failed, and the roll-back is incomplete: {}", .left.join("; "))]
    Incomplete {
        /// Why it failed.
        #[source]
        cause: Box<ReconcileError>,
        /// What is not as before.
        left: Vec<String>,
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
    /// A unit that is not in the desired state.
    #[error("no unit {name} in what was applied")]
    NoSuchUnit {
        /// As it was named.
        name: String,
        /// The nearest known one.
        nearest: Option<String>,
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
    /// nginx is needed and not there.
    #[error("the desired state has nginx sites, and nginx is not installed")]
    NginxAbsent,
}

impl ReconcileError {
    /// The exit status that says what the error means for the host: 1 unchanged, 3 rolled back,
    /// 4 a person is needed.
    pub fn exit_status(&self) -> u8 {
        match self {
            ReconcileError::RolledBack { .. } => 3,
            ReconcileError::Incomplete { .. } | ReconcileError::Unrecovered { .. } => 4,
            _ => 1,
        }
    }

    /// The command that helps.
    pub fn hint(&self) -> Option<String> {
        match self {
            ReconcileError::Source(error) => error.hint(),
            ReconcileError::State(error) => error.hint(),
            ReconcileError::Host(error) => error.hint(),
            ReconcileError::Step { source, .. } | ReconcileError::Unit { source, .. } => {
                source.hint()
            }
            ReconcileError::RolledBack { cause } | ReconcileError::Incomplete { cause, .. } => {
                cause.hint()
            }
            ReconcileError::Dirty { .. } => Some(
                "commit them, or apply the files as they lie: watchme-apply apply --worktree"
                    .to_owned(),
            ),
            ReconcileError::NothingApplied => Some("watchme-apply apply".to_owned()),
            ReconcileError::NoSuchUnit { nearest, .. }
            | ReconcileError::NoSuchResource { nearest, .. } => {
                nearest.as_ref().map(|name| format!("did you mean {name}?"))
            }
            ReconcileError::NginxAbsent => {
                Some("apt-get install nginx, or leave sites out with --only".to_owned())
            }
            ReconcileError::Unrecovered { .. } => Some(format!(
                "mend it and run the same command again; when the host is right as it is: rm {}/journal",
                crate::model::layout::STATE
            )),
            ReconcileError::Refused(_) => Some(
                "`watchme-apply plan` shows everything; --only KIND/NAME applies other resources"
                    .to_owned(),
            ),
            ReconcileError::StoreIsLink { path } => Some(format!(
                "look where it leads, and remove it: ls -l {}",
                path.display()
            )),
            ReconcileError::NotConverged { .. } => None,
        }
    }

    pub(super) fn step((change, source): (Change, StepError)) -> Self {
        ReconcileError::Step {
            what: format!("{} ({})", change.id, change.why),
            source: Box::new(source),
        }
    }

    pub(super) fn not_converged(plan: Plan) -> Self {
        let changes = plan
            .changes
            .into_iter()
            .map(|change| format!("{}: {}", change.id, change.why));
        let refusals = plan
            .refusals
            .into_iter()
            .map(|refusal| format!("{}: {}", refusal.id, refusal.why));
        ReconcileError::NotConverged {
            left: changes.chain(refusals).collect(),
        }
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn count(paths: &[PathBuf]) -> String {
    match paths {
        [path] => path.display().to_string(),
        paths => format!("{} inputs", paths.len()),
    }
}

fn things(refusals: &[Refusal]) -> String {
    match refusals.len() {
        1 => "something stands".to_owned(),
        many => format!("{many} things stand"),
    }
}
