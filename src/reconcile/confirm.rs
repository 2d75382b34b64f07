//! An apply that waits for `confirm`, and goes back by itself without it: whoever locked themselves out cannot type the command
//! that would help.
//!
//! What waits is on record before the first step, and a timer of systemd is set: it rolls back whatever becomes of this process
//! and its session. The record decides; a timer that finds none, or one with a later time, does nothing.

mod error;
mod expiry;
#[cfg(test)]
mod tests;
mod timer;

use jiff::{SignedDuration, Timestamp};

use super::error::with_hint;
use super::{Planned, ReconcileError, Request, unattended};
use crate::effect::{Change, Effect};
use crate::host::Host;
use crate::model::{
    Kind, ResourceId, RunKind, RunRecord, Waiting, is_not_confirmed, not_confirmed,
};
use crate::state::State;

pub(super) use error::ConfirmError;
pub(crate) use expiry::{Expiry, expire};
use timer::{set_timer, stop_timers};

/// Whether an apply waits for confirmation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Confirm {
    /// No.
    #[default]
    Never,
    /// Yes, for that long.
    Always(SignedDuration),
    /// If it changes who can log in: the firewall, sshd, sudo, the network.
    WhereRisky(SignedDuration),
}

/// What the records say of an apply that is to be confirmed.
enum Found {
    /// There is none.
    Nothing,
    /// It did not come to its end: there is nothing to keep.
    CutOff(Waiting),
    /// Its generation waits.
    Waits(Waiting),
}

/// Below /etc: what may lock out whoever is logged in.
const RISKY: [&str; 9] = [
    "ssh/",
    "sudoers",
    "pam.d/",
    "systemd/network/",
    "netplan/",
    "network/",
    "NetworkManager/",
    "nftables.conf",
    "ufw/",
];
/// The same of units.
const RISKY_UNITS: [&str; 7] = [
    "ssh.service",
    "ssh.socket",
    "sshd.service",
    "networking.service",
    "systemd-networkd.service",
    "NetworkManager.service",
    "nftables.service",
];
/// Whether a change may lock out whoever is logged in.
fn is_risky(change: &Change) -> bool {
    let name = change.id.name.as_str();
    match change.id.kind {
        Kind::Firewall => !matches!(change.effect, Effect::DaemonReload),
        Kind::Etc => RISKY.iter().any(|start| name.starts_with(start)),
        Kind::Unit => RISKY_UNITS.contains(&name),
        _ => false,
    }
}

/// What an apply is to wait for, before it changes anything: on record, and with a timer.
pub(super) async fn begin(
    host: &Host,
    state: &State,
    request: &Request,
    planned: &Planned,
) -> Result<Option<SignedDuration>, ReconcileError> {
    let (time, is_asked) = match request.confirm {
        Confirm::Never => return Ok(None),
        Confirm::Always(time) => (time, true),
        Confirm::WhereRisky(time) => (time, false),
    };
    if !is_asked && !planned.plan.changes.iter().any(is_risky) {
        return Ok(None);
    }
    let Some(back_to) = planned.recorded.generation() else {
        return match is_asked {
            true => Err(ConfirmError::NothingToGoBackTo.into()),
            false => Ok(None),
        };
    };
    let waiting = Waiting {
        generation: None,
        back_to,
        until: Timestamp::now() + time,
        by: request.by.clone(),
        inputs: Some(planned.origin.inputs.clone()),
    };
    state
        .write_waiting(&waiting)
        .map_err(ReconcileError::before_any_change)?;
    if let Err(error) = set_timer(host, &waiting).await {
        state.end_waiting()?;
        return Err(ReconcileError::before_any_change(error));
    }
    Ok(Some(time))
}

/// The run ended: the time to confirm begins, or nothing is to be confirmed.
pub(super) async fn end(
    host: &Host,
    state: &State,
    time: Option<SignedDuration>,
    result: Result<RunRecord, ReconcileError>,
) -> Result<RunRecord, ReconcileError> {
    let Some(time) = time else {
        return result;
    };
    let Ok(record) = result else {
        // It is as before, or a person is needed.
        if let Err(error) = over(host, state).await {
            tracing::warn!(%error, "the confirmation record could not be removed");
        }
        return result;
    };
    // Where that fails, the first record stays, and with it the time until which it may be confirmed.
    if let Err(error) = begin_to_wait(host, state, time, &record).await {
        tracing::warn!(%error, "the new deadline to confirm could not be recorded");
    }
    Ok(record)
}

/// Nothing waits any more, if something did. Only for who holds the lock.
pub(super) async fn over(host: &Host, state: &State) -> Result<(), ReconcileError> {
    if state.end_waiting()?
        && let Err(error) = stop_timers(host).await
    {
        // One that finds nothing to roll back does nothing.
        tracing::warn!(%error, "the rollback timers could not be stopped");
    }
    Ok(())
}

async fn begin_to_wait(
    host: &Host,
    state: &State,
    time: SignedDuration,
    record: &RunRecord,
) -> Result<(), ReconcileError> {
    let Some(first) = state.waiting()? else {
        return Ok(());
    };
    let waiting = Waiting {
        generation: record.number,
        until: Timestamp::now() + time,
        ..first
    };
    state.write_waiting(&waiting)?;
    // The first timer would find the later time, too, and set another one.
    set_timer(host, &waiting).await
}

/// What the records say of an apply that is to be confirmed. One that was killed behind its commit waits, too.
fn find(state: &State) -> Result<Found, ReconcileError> {
    let Some(waiting) = state.waiting()? else {
        return Ok(Found::Nothing);
    };
    if waiting.generation.is_some() {
        return Ok(Found::Waits(waiting));
    }
    let present = present(state)?.filter(|present| *present != waiting.back_to);
    Ok(match present {
        Some(generation) if state.journal()?.is_empty() => Found::Waits(Waiting {
            generation: Some(generation),
            ..waiting
        }),
        _ => Found::CutOff(waiting),
    })
}

/// The generation that was applied last.
fn present(state: &State) -> Result<Option<u64>, ReconcileError> {
    let recorded = state.recorded()?;
    Ok(recorded.generation().or(recorded.lost))
}

/// Refuses a run while an apply waits. One that was cut off before it ended waits for nothing: it was undone. Only for who holds
/// the lock.
pub(super) async fn admit(host: &Host, state: &State) -> Result<(), ReconcileError> {
    match find(state)? {
        Found::Nothing => Ok(()),
        Found::CutOff(waiting) => give_up(host, state, waiting).await,
        Found::Waits(waiting) => Err(refusal(&waiting).into()),
    }
}

/// The same before a person is asked. Writes nothing.
pub(super) fn demand_none(state: &State) -> Result<(), ReconcileError> {
    match find(state)? {
        Found::Nothing | Found::CutOff(_) => Ok(()),
        Found::Waits(waiting) => Err(refusal(&waiting).into()),
    }
}

fn refusal(waiting: &Waiting) -> ConfirmError {
    let generation = waiting.generation.unwrap_or_default();
    let back_to = waiting.back_to;
    match i64::try_from(waiting.seconds_left(Timestamp::now())).unwrap_or(i64::MAX) {
        0 => ConfirmError::Overdue {
            generation,
            back_to,
        },
        seconds => ConfirmError::Waits {
            generation,
            back_to,
            seconds,
        },
    }
}

/// Ends the wait of a run that was undone. Nobody confirmed it: no unattended run applies it.
async fn give_up(host: &Host, state: &State, waiting: Waiting) -> Result<(), ReconcileError> {
    if let Some(inputs) = waiting.inputs {
        let by = not_confirmed(&waiting.by);
        unattended::hold_back(state, inputs, waiting.back_to, by)?;
    }
    over(host, state).await
}

/// That something waits, for who looks or has nothing to apply; or that nobody can tell.
pub(super) fn reminder(state: &State) -> Option<String> {
    match find(state) {
        Ok(Found::Waits(waiting)) => {
            let waits = refusal(&waiting);
            Some(with_hint(&waits, Some(waits.hint())))
        }
        Ok(Found::Nothing | Found::CutOff(_)) => None,
        Err(cause) => Some(with_hint(&cause, cause.hint())),
    }
}

/// What of a plan makes an apply over SSH wait for confirmation; nothing where no generation could come back.
pub(crate) fn will_wait_for(planned: &Planned) -> Vec<&ResourceId> {
    match planned.recorded.generation() {
        Some(_) => {
            let risky = planned.plan.changes.iter().filter(|one| is_risky(one));
            risky.map(|change| &change.id).collect()
        }
        None => Vec::new(),
    }
}

/// What waits for confirmation.
///
/// # Errors
/// When the record cannot be read.
pub(crate) fn waiting(host: &Host) -> Result<Option<Waiting>, ReconcileError> {
    Ok(match find(&State::new(host.root().clone()))? {
        Found::Nothing => None,
        Found::CutOff(waiting) | Found::Waits(waiting) => Some(waiting),
    })
}

/// Keeps what waits.
///
/// # Errors
/// When nothing waits, its run was cut off, or it is too late.
pub(crate) async fn confirm(host: &Host, request: &Request) -> Result<Waiting, ReconcileError> {
    let state = State::new(host.root().clone());
    let _lock = request.lock(&state)?;
    let too_late = |generation, back_to| ConfirmError::TooLate {
        generation,
        back_to,
    };
    let refused = match find(&state)? {
        Found::Waits(waiting) if waiting.is_over(Timestamp::now()) => {
            too_late(waiting.generation, waiting.back_to)
        }
        Found::Waits(waiting) if state.journal()?.is_empty() => {
            over(host, &state).await?;
            return Ok(waiting);
        }
        Found::Waits(_) | Found::CutOff(_) => ConfirmError::CutOff,
        Found::Nothing => match taken_back(&state)? {
            Some((generation, back_to)) => too_late(generation, back_to),
            None => ConfirmError::NothingWaits,
        },
    };
    Err(refused.into())
}

/// The generation that the last run took back because nobody confirmed it, and the one that came back.
fn taken_back(state: &State) -> Result<Option<(Option<u64>, u64)>, ReconcileError> {
    let mut runs = state.history()?;
    let last = runs.pop();
    let last = last.filter(|run| run.kind == RunKind::Rollback && is_not_confirmed(&run.by));
    Ok(last.and_then(|last| {
        let earlier = runs.iter().filter_map(|run| run.number);
        let waited = earlier.filter(|number| Some(*number) < last.number).max();
        Some((waited, last.back_to?))
    }))
}

/// Whether what waited was confirmed; it is not as long as it waits.
///
/// # Errors
/// When it was taken back, or nobody can tell.
pub(crate) fn kept(host: &Host, waited: &Waiting) -> Result<bool, ReconcileError> {
    let state = State::new(host.root().clone());
    if state.waiting()?.is_some() {
        return Ok(false);
    }
    let present = present(&state)?;
    if present == waited.generation {
        return Ok(true);
    }
    // Only the run that followed it can have taken it back: a later one went back from something else.
    let runs = state.history()?;
    let later = runs.iter().filter(|run| run.number > waited.generation);
    let next = later.min_by_key(|run| run.number);
    let is_back = next
        .is_some_and(|run| run.kind == RunKind::Rollback && run.back_to == Some(waited.back_to));
    Err(match is_back {
        true => ReconcileError::taken_back(waited),
        false => ConfirmError::EndUnknown {
            generation: waited.generation.unwrap_or_default(),
            present,
        }
        .into(),
    })
}

impl ReconcileError {
    /// What waited was rolled back.
    pub(crate) fn taken_back(waited: &Waiting) -> Self {
        let generation = waited.generation.unwrap_or_default();
        ConfirmError::TakenBack {
            generation,
            back_to: waited.back_to,
        }
        .into()
    }
}
