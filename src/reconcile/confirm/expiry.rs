//! The rollback of what nobody confirmed.

use std::time::Duration;

use jiff::Timestamp;

use super::timer::{set_timer, try_again};
use super::{Confirm, Found, find, give_up};
use crate::apply::Progress;
use crate::host::Host;
use crate::model::{Waiting, not_confirmed};
use crate::plan::Gates;
use crate::reconcile::rollback::generation::rollback_locked;
use crate::reconcile::{ReconcileError, Request, error};
use crate::state::{State, StateError};

/// How long the rollback waits for another run.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Why what waits is rolled back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expiry {
    /// Somebody wants it now.
    AtOnce,
    /// Its time may be over.
    Timer {
        /// How often the rollback has failed.
        failures: u32,
    },
}

impl Default for Expiry {
    fn default() -> Self {
        Self::Timer { failures: 0 }
    }
}

/// Rolls back what was not confirmed, if its time is over. Returns what was rolled back. What fails is tried again by a timer.
///
/// # Errors
/// As [`crate::reconcile::rollback::generation`].
pub(crate) async fn expire(
    host: &Host,
    request: &Request,
    expiry: Expiry,
    progress: &mut dyn Progress,
) -> Result<Option<Waiting>, ReconcileError> {
    let state = State::new(host.root().clone());
    let request = &Request {
        lock_timeout: PATIENCE,
        // What does not answer is no reason to stay with what nobody confirmed.
        gates: Gates::None,
        asks: false,
        confirm: Confirm::Never,
        ..request.clone()
    };
    let (at_once, failures) = match expiry {
        Expiry::AtOnce => (true, 0),
        Expiry::Timer { failures } => (false, failures),
    };
    let result = roll_back(host, &state, request, at_once, progress).await;
    if let Err(error) = &result
        && !matches!(
            error.undone(),
            ReconcileError::State(StateError::Forbidden { .. })
        )
        && let Err(cause) = try_again(host, &state, failures, progress).await
    {
        let cause = error::chain(&cause);
        progress.warn(&format!("the rollback is not tried again: {cause}"));
    }
    result
}

/// The lock is held from the look at the record to the end of the rollback: what is rolled back is what waited.
async fn roll_back(
    host: &Host,
    state: &State,
    request: &Request,
    at_once: bool,
    progress: &mut dyn Progress,
) -> Result<Option<Waiting>, ReconcileError> {
    let _lock = request.lock(state)?;
    let (waiting, is_undone) = match find(state)? {
        Found::Nothing => return Ok(None),
        Found::CutOff(waiting) => (waiting, state.journal()?.is_empty()),
        Found::Waits(waiting) => (waiting, false),
    };
    let now = Timestamp::now();
    if !waiting.is_over(now) {
        // Its apply was killed and is undone: there is nothing left to confirm or to roll back.
        if is_undone {
            give_up(host, state, waiting).await?;
            return Ok(None);
        }
        if !at_once {
            set_timer(host, &waiting).await?;
            return Ok(None);
        }
        // From here on it can be confirmed no more, whatever becomes of the rollback.
        let over = Waiting {
            until: now,
            ..waiting.clone()
        };
        state.write_waiting(&over)?;
    }
    progress.say(&format!(
        "not confirmed: rolling back to generation {}",
        waiting.back_to
    ));
    let back_to = Some(waiting.back_to);
    let request = &Request {
        by: not_confirmed(&waiting.by),
        ..request.clone()
    };
    match rollback_locked(host, state, request, back_to, progress, &mut |_| true).await {
        Ok(_) => Ok(Some(waiting)),
        // Its apply was cut off, and is undone.
        Err(ReconcileError::AlreadyThere { .. }) => {
            give_up(host, state, waiting.clone()).await?;
            Ok(Some(waiting))
        }
        Err(error) => Err(error),
    }
}
