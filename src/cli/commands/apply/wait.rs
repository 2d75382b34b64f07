//! An apply that waits for confirmation in another session.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::cli::Failure;
use crate::cli::output::{Output, styled};
use crate::cli::render::{GOOD, STRONG, WARN};
use crate::cli::session::Session;
use crate::reconcile::{self, Confirm, Expiry, Request};

/// The time where nothing else is asked for.
const DEFAULT: SignedDuration = SignedDuration::from_mins(2);
/// The longest one.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// How often it is looked whether somebody has confirmed.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Seconds left at which that is said.
const SAID_AT: [u64; 4] = [600, 60, 30, 10];

/// `2m`, or `0`, which waits for nobody.
pub(super) fn time(text: &str) -> Result<SignedDuration, String> {
    let parsed: Option<SignedDuration> = match text {
        "0" => Some(SignedDuration::ZERO),
        text => text.parse().ok(),
    };
    parsed
        .filter(|time| !time.is_negative() && *time <= LONGEST)
        .ok_or_else(|| "expected a time such as 2m or 90s, up to 24h; 0 does not wait".to_owned())
}

/// Whether an apply waits. Only where a person applies over SSH, on a terminal, it does unasked: nobody else could confirm.
pub(super) fn wanted(asked: Option<SignedDuration>, is_person: bool) -> Confirm {
    match asked {
        Some(time) if time.is_zero() => Confirm::Never,
        Some(time) => Confirm::Always(time),
        None if is_person && reconcile::is_over_ssh() => Confirm::WhereRisky(DEFAULT),
        None => Confirm::Never,
    }
}

/// Waits until somebody confirms, or the time is over; then rolls back. The timer of systemd does the same where this process
/// is gone.
pub(super) async fn wait(
    session: &Session<'_>,
    request: &Request,
    output: &mut Output,
) -> Result<(), Failure> {
    let host = session.host()?;
    let Some(waiting) = reconcile::waiting(host)? else {
        return Ok(());
    };
    let mut left = waiting.seconds_left(Timestamp::now());
    // A clock that is set meanwhile changes nothing.
    let end = Instant::now() + Duration::from_secs(left);
    output.line(&styled(
        STRONG,
        "waiting for confirmation: log in again in another session, and run",
    ));
    output.line("    sudo watchme-apply confirm");
    output.line(&format!(
        "otherwise everything is rolled back to generation {} in {left} s, even if this session ends",
        waiting.back_to
    ));
    let interrupted = session.interrupted();
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if reconcile::kept(host, &waiting)? {
            output.line(&format!("{}: it stays", styled(GOOD, "confirmed")));
            return Ok(());
        }
        let now = end.saturating_duration_since(Instant::now());
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let now = now.div_ceil(1000);
        let stops = interrupted.load(Ordering::Relaxed);
        if now == 0 || stops {
            // A rollback is not interrupted by what asked for it.
            interrupted.store(false, Ordering::Relaxed);
            let mut lines = session.lines(false);
            let expiry = match stops {
                true => Expiry::AtOnce,
                false => Expiry::Timer { failures: 0 },
            };
            let expired = reconcile::expire(host, request, expiry, &mut lines).await;
            lines.end();
            expired?;
            reconcile::kept(host, &waiting)?;
        } else if SAID_AT.iter().any(|at| now <= *at && *at < left) {
            output.aside(&styled(WARN, &format!("{now} s left to confirm")));
        }
        left = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_usual_ones_and_nought_waits_for_nobody() {
        assert_eq!(time("2m"), Ok(SignedDuration::from_mins(2)));
        assert_eq!(time("90s"), Ok(SignedDuration::from_secs(90)));
        for wrong in ["", "-2m", "soon", "25h"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        let zero = time("0").unwrap();
        assert_eq!(wanted(Some(zero), true), Confirm::Never);
        assert_eq!(wanted(None, false), Confirm::Never);
        let minute = SignedDuration::from_mins(1);
        assert_eq!(wanted(Some(minute), false), Confirm::Always(minute));
    }
}
