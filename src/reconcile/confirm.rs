//! An apply that waits for `confirm`, and goes back by itself without it: whoever locked themselves out cannot type the command
//! that would help.
//!
//! What waits is on record before the first step, and a timer of systemd is set: it rolls back whatever becomes of this process
//! and its session. The record decides; a timer that finds none, or one with a later time, does nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Planned, ReconcileError, Request, rollback};
use crate::apply::Progress;
use crate::effect::{Change, Effect};
use crate::host::Host;
use crate::model::{Kind, NOT_CONFIRMED, RunKind, RunRecord, Waiting};
use crate::plan::Gates;
use crate::state::State;

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
/// How long the roll-back waits for another run.
const PATIENCE: Duration = Duration::from_secs(60 * 60);
/// The program that waits is first, where it still runs.
const GRACE: Duration = Duration::from_secs(1);

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
    let applied = planned.recorded.applied.as_ref();
    let Some(back_to) = applied.and_then(|(record, _)| record.number) else {
        return match is_asked {
            true => Err(ReconcileError::NothingToGoBackTo),
            false => Ok(None),
        };
    };
    let waiting = Waiting {
        generation: None,
        back_to,
        until: Timestamp::now() + time,
        by: request.by.clone(),
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
    request: &Request,
    time: Option<SignedDuration>,
    result: Result<RunRecord, ReconcileError>,
) -> Result<RunRecord, ReconcileError> {
    let Some(time) = time else {
        return result;
    };
    let Ok(record) = result else {
        // It is as before, or a person is needed.
        if let Err(error) = state.end_waiting() {
            tracing::warn!(%error, "the record of what waits was not removed");
        }
        return result;
    };
    let known = state.waiting()?.map(|waiting| waiting.back_to);
    let Some(back_to) = known else {
        return Ok(record);
    };
    let waiting = Waiting {
        generation: record.number,
        back_to,
        until: Timestamp::now() + time,
        by: request.by.clone(),
    };
    state.write_waiting(&waiting)?;
    // The first timer finds the later time, and sets another one.
    if let Err(error) = set_timer(host, &waiting).await {
        tracing::warn!(%error, "no second timer");
    }
    Ok(record)
}

/// Has systemd roll back when the time is over.
async fn set_timer(host: &Host, waiting: &Waiting) -> Result<(), ReconcileError> {
    let now = Timestamp::now();
    let left = Duration::from_secs(waiting.seconds_left(now)) + GRACE;
    // Each has a name of its own: one that has elapsed may not be gone yet.
    let name = format!("watchme-apply-confirm-{}", waiting.until.as_millisecond());
    let about = format!(
        "Roll back to generation {} unless confirmed",
        waiting.back_to
    );
    let systemd = host.systemd().await?;
    let program = host.program();
    let arguments = ["confirm", "--expire"];
    Ok(systemd
        .start_timer((&name, &about), left, &program, &arguments)
        .await?)
}

/// Refuses another run while one waits. One that was cut off before it ended waits for nothing: it was undone.
pub(super) fn admit(state: &State) -> Result<(), ReconcileError> {
    match state.waiting()? {
        None => Ok(()),
        Some(Waiting {
            generation: None, ..
        }) => Ok(state.end_waiting()?),
        Some(Waiting {
            generation: Some(generation),
            back_to,
            until,
            ..
        }) => Err(ReconcileError::Waits {
            generation,
            back_to,
            seconds: until.duration_since(Timestamp::now()).as_secs().max(0),
        }),
    }
}

/// What waits for confirmation.
///
/// # Errors
/// When the record cannot be read.
pub(crate) fn waiting(host: &Host) -> Result<Option<Waiting>, ReconcileError> {
    Ok(State::new(host.root().clone()).waiting()?)
}

/// Keeps what waits.
///
/// # Errors
/// When nothing waits, or it is too late.
pub(crate) fn confirm(host: &Host, request: &Request) -> Result<Waiting, ReconcileError> {
    let state = State::new(host.root().clone());
    let _lock = request.lock(&state)?;
    let Some(waiting) = state.waiting()? else {
        return Err(match taken_back(&state)? {
            Some(back_to) => ReconcileError::TooLate { back_to },
            None => ReconcileError::NothingWaits,
        });
    };
    if waiting.is_over(Timestamp::now()) {
        let back_to = waiting.back_to;
        return Err(ReconcileError::TooLate { back_to });
    }
    state.end_waiting()?;
    Ok(waiting)
}

/// The generation to which the last run went back, if that was because nobody confirmed.
fn taken_back(state: &State) -> Result<Option<u64>, ReconcileError> {
    let last = state.history()?.pop();
    let last = last.filter(|run| run.kind == RunKind::Rollback && run.by == NOT_CONFIRMED);
    Ok(last.and_then(|run| run.back_to))
}

/// Rolls back what was not confirmed, if its time is over; `at_once` does not wait for that. Returns what was rolled back.
///
/// # Errors
/// As [`super::rollback`].
pub(crate) async fn expire(
    host: &Host,
    request: &Request,
    at_once: bool,
    progress: &mut dyn Progress,
) -> Result<Option<Waiting>, ReconcileError> {
    let state = State::new(host.root().clone());
    let request = &Request {
        by: NOT_CONFIRMED.to_owned(),
        lock_timeout: PATIENCE,
        // What does not answer is no reason to stay with what nobody confirmed.
        gates: Gates::None,
        asks: false,
        confirm: Confirm::Never,
        ..request.clone()
    };
    let waiting = {
        let _lock = request.lock(&state)?;
        let Some(waiting) = state.waiting()? else {
            return Ok(None);
        };
        if !at_once && !waiting.is_over(Timestamp::now()) {
            set_timer(host, &waiting).await?;
            return Ok(None);
        }
        // From here on it can be confirmed no more.
        let over = Waiting {
            until: waiting.until.min(Timestamp::now()),
            ..waiting
        };
        state.write_waiting(&over)?;
        over
    };
    progress.say(&format!(
        "not confirmed: rolling back to generation {}",
        waiting.back_to
    ));
    let rolled_back = rollback(host, request, Some(waiting.back_to), progress, &mut |_| {
        true
    })
    .await;
    match rolled_back {
        Ok(_) => Ok(Some(waiting)),
        // Its apply was cut off, and is undone; or another process was first.
        Err(ReconcileError::AlreadyThere { .. }) => {
            let _lock = request.lock(&state)?;
            state.end_waiting()?;
            Ok(Some(waiting))
        }
        Err(error) => Err(error),
    }
}

/// Whether what waited was confirmed; it is not as long as it waits.
///
/// # Errors
/// When it was taken back.
pub(crate) fn kept(host: &Host, waited: &Waiting) -> Result<bool, ReconcileError> {
    let state = State::new(host.root().clone());
    if state.waiting()?.is_some() {
        return Ok(false);
    }
    let recorded = state.recorded()?;
    let applied = recorded.applied.and_then(|(record, _)| record.number);
    match applied == waited.generation {
        true => Ok(true),
        false => Err(ReconcileError::taken_back(waited)),
    }
}

impl ReconcileError {
    /// What waited was rolled back.
    pub(crate) fn taken_back(waited: &Waiting) -> Self {
        Self::TakenBack {
            generation: waited.generation.unwrap_or_default(),
            back_to: waited.back_to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceId;
    use crate::plan::draft::change;

    #[test]
    fn what_may_lock_somebody_out_is_confirmed() {
        for (kind, name, expected) in [
            (Kind::Etc, "ssh/sshd_config.d/10-app.conf", true),
            (Kind::Etc, "sudoers.d/app", true),
            (Kind::Etc, "netplan/50-cloud-init.yaml", true),
            (Kind::Etc, "logrotate.d/ssh", false),
            (Kind::Firewall, "watchme_apply", true),
            (Kind::Unit, "ssh.service", true),
            (Kind::Unit, "web.service", false),
            (Kind::Site, "ssh/x", false),
        ] {
            let id = ResourceId::new(kind, name);
            let found = is_risky(&change(id, Effect::ReloadNginx, "x"));
            assert_eq!(found, expected, "{name}");
        }
    }
}
