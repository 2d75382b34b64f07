//! Whether containers that were started stay up, from looks at them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::Container;

/// How often a container may be started again by its restart policy before a start counts as failed.
const FALLS: u32 = 3;

/// What has been seen of containers since they were started.
#[derive(Debug)]
pub(super) struct Settling {
    /// Since when all have run without a restart.
    steady: Instant,
    /// Each container by ID.
    seen: BTreeMap<String, Seen>,
}

/// What has been seen of a container.
#[derive(Debug)]
struct Seen {
    /// Its count of restarts at the last look.
    restarts: i64,
    /// How often its restart policy has started it again since the first look.
    falls: u32,
}

impl Settling {
    pub(super) fn begins(now: Instant) -> Self {
        Self {
            steady: now,
            seen: BTreeMap::new(),
        }
    }

    /// Takes in the restarts since the last look. The container that dies again and again, if there is one; a look that comes
    /// late counts all that it missed.
    pub(super) fn look<'a>(
        &mut self,
        now: Instant,
        containers: &'a [Container],
    ) -> Option<&'a Container> {
        let mut dies = None;
        for container in containers {
            let restarts = container.restarts;
            let seen = self.seen.entry(container.id.clone());
            let seen = seen.or_insert(Seen { restarts, falls: 0 });
            let again = u32::try_from(restarts - seen.restarts).unwrap_or(0);
            seen.restarts = restarts;
            if again > 0 {
                self.steady = now;
                seen.falls = seen.falls.saturating_add(again);
                if seen.falls >= FALLS {
                    dies = Some(container);
                }
            }
        }
        dies
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

    #[test]
    fn each_container_may_fall_for_itself() {
        let now = Instant::now();
        let mut settling = Settling::begins(now);
        let three = |restarts: [i64; 3]| {
            let containers = restarts.iter().enumerate().map(|(id, restarts)| Container {
                id: id.to_string(),
                restarts: *restarts,
                ..Container::default()
            });
            containers.collect::<Vec<_>>()
        };
        settling.look(now, &three([0, 0, 0]));
        for restarts in [[1, 0, 0], [1, 1, 0], [1, 1, 1]] {
            assert!(
                settling.look(now, &three(restarts)).is_none(),
                "{restarts:?}"
            );
        }
        assert_eq!(
            settling
                .look(now, &three([1, 3, 1]))
                .map(|it| it.id.clone()),
            Some("1".to_owned())
        );
    }
}
