//! Whether containers that were started stay up, from looks at them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::Container;

/// How often containers may be started again by their restart policies before a start counts as failed.
const FALLS: u32 = 3;

/// What has been seen of containers since they were started.
#[derive(Debug)]
pub(super) struct Settling {
    /// Since when all have run without a restart.
    steady: Instant,
    /// How often one was started again by its restart policy.
    falls: u32,
    /// The count of restarts of each container at the last look, by ID.
    seen: BTreeMap<String, i64>,
}

impl Settling {
    pub(super) fn begins(now: Instant) -> Self {
        Self {
            steady: now,
            falls: 0,
            seen: BTreeMap::new(),
        }
    }

    /// Takes in the restarts since the last look. The container that dies again and again, if there is one; looks that come
    /// late count all that they missed.
    pub(super) fn look<'a>(
        &mut self,
        now: Instant,
        containers: &'a [Container],
    ) -> Option<&'a Container> {
        let mut most = None;
        for container in containers {
            let before = self.seen.insert(container.id.clone(), container.restarts);
            let times = container.restarts - before.unwrap_or(container.restarts);
            if times > 0 && most.is_none_or(|(most, _)| most < times) {
                most = Some((times, container));
            }
        }
        let (times, container) = most?;
        self.steady = now;
        self.falls = self
            .falls
            .saturating_add(u32::try_from(times).unwrap_or(u32::MAX));
        (self.falls >= FALLS).then_some(container)
    }

    /// A container does not run. The engine waits longer and longer before it starts one again, and that time is not steady:
    /// docker-run(1), `--restart`.
    pub(super) fn is_down(&mut self, now: Instant) {
        self.steady = now;
    }

    /// Whether all have run for this time.
    pub(super) fn stays(&self, now: Instant, settle: Duration) -> bool {
        now.saturating_duration_since(self.steady) >= settle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restarted(restarts: i64) -> [Container; 1] {
        [Container {
            id: "1".to_owned(),
            restarts,
            ..Container::default()
        }]
    }

    const SETTLE: Duration = Duration::from_secs(3);

    #[test]
    fn what_runs_without_a_restart_has_settled() {
        let now = Instant::now();
        let mut settling = Settling::begins(now);
        assert!(settling.look(now, &restarted(5)).is_none());
        assert!(!settling.stays(now + Duration::from_secs(2), SETTLE));
        assert!(settling.stays(now + SETTLE, SETTLE));
    }

    #[test]
    fn a_restart_begins_the_time_anew() {
        let now = Instant::now();
        let mut settling = Settling::begins(now);
        settling.look(now, &restarted(0));
        let later = now + Duration::from_secs(2);
        assert!(settling.look(later, &restarted(1)).is_none());
        assert!(!settling.stays(now + SETTLE, SETTLE));
        assert!(settling.stays(later + SETTLE, SETTLE));
    }

    #[test]
    fn the_time_between_two_starts_is_not_steady() {
        let now = Instant::now();
        let mut settling = Settling::begins(now);
        settling.look(now, &restarted(6));
        let again = now + Duration::from_millis(3200);
        settling.is_down(again);
        assert!(!settling.stays(again, SETTLE));
    }

    #[test]
    fn looks_that_come_late_count_what_they_missed() {
        let now = Instant::now();
        let mut settling = Settling::begins(now);
        settling.look(now, &restarted(0));
        assert!(settling.look(now, &restarted(2)).is_none());
        assert!(settling.look(now, &restarted(3)).is_some());
        let mut settling = Settling::begins(now);
        settling.look(now, &restarted(0));
        assert!(settling.look(now, &restarted(4)).is_some());
    }
}
