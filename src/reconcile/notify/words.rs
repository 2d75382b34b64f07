//! What is told of a run.

use jiff::Timestamp;

use crate::model::{Event, Message, Outcome, RunKind, RunRecord, is_not_confirmed};
use crate::reconcile::ReconcileError;
use crate::reconcile::confirm::ConfirmError;
use crate::reconcile::records::reason;

fn host_name() -> String {
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "this host".to_owned())
}

pub(super) fn message(event: Event, title: String, text: String) -> Message {
    let host = host_name();
    Message {
        event: Some(event),
        healed: false,
        title: format!("{host}: {title}"),
        host,
        text,
        commit: None,
        time: Timestamp::now(),
    }
}

/// How it is told that an apply went back by itself.
pub(super) const NOT_KEPT: &str = "an apply was not confirmed in time, and was rolled back";

pub(super) fn of_failure(failure: &ReconcileError, commit: Option<String>) -> Message {
    let (event, title) = match failure {
        ReconcileError::RolledBack { .. } => {
            (Event::RolledBack, "a run failed and was rolled back")
        }
        ReconcileError::Confirm(ConfirmError::TakenBack { .. }) => (Event::RolledBack, NOT_KEPT),
        ReconcileError::Incomplete { .. } | ReconcileError::Unrecovered { .. } => (
            Event::Failed,
            "a run failed, and its rollback is incomplete",
        ),
        _ => (Event::Failed, "a run failed"),
    };
    Message {
        commit,
        ..message(event, title.to_owned(), reason::reason(failure))
    }
}

pub(super) fn of_sync(commit: &str) -> Message {
    Message {
        commit: Some(commit.to_owned()),
        ..message(
            Event::Applied,
            "in sync: nothing to do".to_owned(),
            String::new(),
        )
    }
}

/// The run that made the generation from which a rollback came.
pub(super) fn before(runs: &[RunRecord], rollback: &RunRecord) -> Option<RunRecord> {
    let earlier = |run: &&RunRecord| run.number.is_some() && run.number < rollback.number;
    runs.iter()
        .filter(earlier)
        .max_by_key(|run| run.number)
        .cloned()
}

/// How a run that did what it was to do is told. `left` is what a rollback took back.
pub(super) fn of_success(run: &RunRecord, left: Option<RunRecord>) -> Message {
    if is_not_confirmed(&run.by) && run.kind == RunKind::Rollback {
        let origin = left.map(|left| left.origin).unwrap_or_default();
        return Message {
            commit: origin.commit,
            ..message(
                Event::RolledBack,
                NOT_KEPT.to_owned(),
                origin.subject.unwrap_or_default(),
            )
        };
    }
    let title = match (run.outcome, run.kind) {
        // A run that was killed was undone: that is no success of it.
        (Outcome::RolledBack, _) => {
            let title = "a run was interrupted, and is undone".to_owned();
            return message(
                Event::RolledBack,
                title,
                run.reason.clone().unwrap_or_default(),
            );
        }
        (Outcome::Degraded, kind) => format!("{}: applied, degraded", kind.as_str()),
        (_, kind) => format!("{}: done", kind.as_str()),
    };
    let mut lines = run.degraded.clone();
    lines.extend(run.origin.subject.clone());
    lines.push(format!("by {}, {} changes", run.by, run.changes.len()));
    Message {
        commit: run.origin.commit.clone(),
        ..message(Event::Applied, title, lines.join("\n"))
    }
}
