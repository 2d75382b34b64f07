//! Timers of systemd that roll back what was not confirmed, whatever becomes of the process that waits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::ReconcileError;
use crate::apply::Progress;
use crate::host::Host;
use crate::model::Waiting;
use crate::state::State;

/// The program that waits is first, where it still runs.
const GRACE: Duration = Duration::from_secs(1);
/// The longest time between two tries to roll back.
const LONGEST_PAUSE: u64 = 15;
/// The exit status of a rollback that was done.
const ROLLED_BACK: i32 = 3;

/// How their names begin.
const PREFIX: &str = "watchme-apply-confirm-";

/// Stops all of them: nothing waits any more. One that runs this program goes on with it.
pub(super) async fn stop_timers(host: &Host) -> Result<(), ReconcileError> {
    Ok(host.systemd().await?.stop_timers(PREFIX).await?)
}

/// Has systemd roll back when the time is over.
pub(super) async fn set_timer(host: &Host, waiting: &Waiting) -> Result<(), ReconcileError> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = Timestamp::now();
    let left = Duration::from_secs(waiting.seconds_left(now)) + GRACE;
    // Each has a name of its own: the one that this process may run in is not gone yet.
    let name = format!(
        "{PREFIX}{}-{}-{}",
        now.as_millisecond(),
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    start_timer(host, waiting, &name, left, 0).await
}

/// Has it tried again after it failed: in 1, 2, 4 … 15 minutes.
pub(super) async fn try_again(
    host: &Host,
    state: &State,
    failures: u32,
    progress: &mut dyn Progress,
) -> Result<(), ReconcileError> {
    let Some(waiting) = state.waiting()? else {
        return Ok(());
    };
    let pause = minutes(failures);
    let failures = failures.saturating_add(1);
    // Two that failed at the same time set one timer.
    let name = format!(
        "{PREFIX}{}-{}-try-{failures}",
        waiting.generation.unwrap_or_default(),
        waiting.back_to
    );
    let left = Duration::from_secs(pause * 60);
    start_timer(host, &waiting, &name, left, failures).await?;
    progress.say(&format!(
        "the rollback to generation {} is tried again in {pause} min",
        waiting.back_to
    ));
    Ok(())
}

pub(super) fn minutes(failures: u32) -> u64 {
    (1 << failures.min(4)).min(LONGEST_PAUSE)
}

async fn start_timer(
    host: &Host,
    waiting: &Waiting,
    name: &str,
    left: Duration,
    failures: u32,
) -> Result<(), ReconcileError> {
    let about = format!(
        "Roll back to generation {} unless confirmed",
        waiting.back_to
    );
    let failures = failures.to_string();
    let arguments = ["confirm", "--expire", "--failures", &failures];
    let (systemd, program) = (host.systemd().await?, host.program());
    let unit = (name, about.as_str());
    Ok(systemd
        .start_timer(unit, left, &program, &arguments, ROLLED_BACK)
        .await?)
}
