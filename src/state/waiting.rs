//! The record of an apply that waits for confirmation.
//!
//! Its end counts in the time since boot, which no change of the clock moves; the time of day counts only after another boot.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::{State, StateError};
use crate::model::Waiting;

const NAME: &str = "confirm.json";
/// The id of this boot, random(4).
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// What is written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    waiting: Waiting,
    /// One of an earlier version has none.
    #[serde(default)]
    clock: Option<Clock>,
}

/// The end of the wait, apart from the time of day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Clock {
    /// The boot in which it was written.
    boot: String,
    /// Milliseconds from that boot to the end, `CLOCK_BOOTTIME` of clock_gettime(2).
    deadline: i64,
    /// Milliseconds that were left as it was written.
    left: i64,
}

/// The time by both clocks.
struct Moment {
    wall: Timestamp,
    boot: String,
    since_boot: i64,
}

impl Moment {
    /// Now; `None` where the kernel does not say.
    fn now() -> Option<Self> {
        let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?;
        let since_boot = Duration::from(since_boot).as_millis();
        Some(Self {
            wall: Timestamp::now(),
            boot: std::fs::read_to_string(BOOT).ok()?.trim().to_owned(),
            since_boot: i64::try_from(since_boot).ok()?,
        })
    }
}

impl Written {
    fn new(waiting: &Waiting, now: Option<Moment>) -> Self {
        let clock = now.map(|now| {
            let left = waiting.until.duration_since(now.wall).as_millis();
            let left = i64::try_from(left).unwrap_or(i64::MAX);
            Clock {
                boot: now.boot,
                deadline: now.since_boot.saturating_add(left),
                left,
            }
        });
        Self {
            waiting: waiting.clone(),
            clock,
        }
    }

    /// What waits, with its end as the present time of day has it.
    fn at(self, now: Option<&Moment>) -> Waiting {
        let mut waiting = self.waiting;
        if let (Some(clock), Some(now)) = (self.clock, now) {
            let after = |left: i64| {
                let left = SignedDuration::from_millis(left);
                now.wall.saturating_add(left).unwrap_or(now.wall)
            };
            waiting.until = match clock.boot == now.boot {
                true => after(clock.deadline.saturating_sub(now.since_boot)),
                // A clock that was set back must not make the wait longer than it was to be.
                false => waiting.until.min(after(clock.left)),
            };
        }
        waiting
    }
}

impl State {
    /// What waits for confirmation. Its end is given in the present time of day.
    pub(crate) fn waiting(&self) -> Result<Option<Waiting>, StateError> {
        let written: Option<Written> = self.read_json(NAME)?;
        Ok(written.map(|written| written.at(Moment::now().as_ref())))
    }

    /// Writes down what waits. Only for who holds the lock.
    pub(crate) fn write_waiting(&self, waiting: &Waiting) -> Result<(), StateError> {
        self.write_json(self.path(NAME), &Written::new(waiting, Moment::now()))
    }

    /// Nothing waits any more. Returns whether something did. Only for who holds the lock.
    pub(crate) fn end_waiting(&self) -> Result<bool, StateError> {
        let path = self.path(NAME);
        let waits = self.root.is_there(&path);
        if waits {
            self.root.remove(&path)?;
        }
        Ok(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(wall: &str, boot: &str, seconds: i64) -> Moment {
        Moment {
            wall: wall.parse().unwrap(),
            boot: boot.to_owned(),
            since_boot: seconds * 1000,
        }
    }

    #[test]
    fn a_clock_that_is_set_does_not_move_the_end() {
        let waiting = Waiting {
            generation: Some(2),
            back_to: 1,
            until: "2026-01-01T00:02:00Z".parse().unwrap(),
            by: "ubuntu".to_owned(),
            inputs: None,
        };
        let begun = moment("2026-01-01T00:00:00Z", "a", 1000);
        let text = serde_json::to_string(&Written::new(&waiting, Some(begun))).unwrap();
        for (now, left) in [
            (moment("2026-01-01T00:01:00Z", "a", 1060), 60),
            // Set back by an hour, and forward.
            (moment("2025-12-31T23:01:00Z", "a", 1120), 0),
            (moment("2026-01-01T01:00:01Z", "a", 1001), 119),
            // Another boot: the time of day counts, as far as it can be right.
            (moment("2026-01-01T00:01:00Z", "b", 10), 60),
            (moment("2026-01-01T00:03:00Z", "b", 10), 0),
            (moment("1970-01-01T00:00:00Z", "b", 10), 120),
        ] {
            let read: Written = serde_json::from_str(&text).unwrap();
            let found = read.at(Some(&now));
            assert_eq!(found.seconds_left(now.wall), left, "{}", now.wall);
        }
        // Of an earlier version.
        let old = serde_json::to_string(&waiting).unwrap();
        let read: Written = serde_json::from_str(&old).unwrap();
        let now = moment("2026-01-01T00:01:00Z", "a", 1);
        assert_eq!(read.at(Some(&now)), waiting);
    }
}
