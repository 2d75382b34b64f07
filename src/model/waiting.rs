//! An apply that is rolled back by itself unless somebody confirms it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Hash;

/// How history begins to name who rolled back what nobody confirmed.
const NOT_CONFIRMED: &str = "watchme-apply, not confirmed";

/// Who rolls back what nobody confirmed, as history has it: with the person who applied it.
pub fn not_confirmed(applied_by: &str) -> String {
    match applied_by {
        "" => NOT_CONFIRMED.to_owned(),
        person => format!("{NOT_CONFIRMED}: applied by {person}"),
    }
}

/// Whether that is who it was.
pub fn is_not_confirmed(by: &str) -> bool {
    by.starts_with(NOT_CONFIRMED)
}

/// What waits for `confirm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Waiting {
    /// The generation that waits; `None`: its apply has not ended yet.
    pub generation: Option<u64>,
    /// The generation that comes back.
    pub back_to: u64,
    /// Until when it may be confirmed.
    #[cfg_attr(test, schemars(with = "String"))]
    pub until: Timestamp,
    /// Who applied it.
    pub by: String,
    /// The inputs of the revision that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Hash>,
}

impl Waiting {
    /// Seconds that are left; none where the time is over.
    pub fn seconds_left(&self, now: Timestamp) -> u64 {
        let left = self.until.duration_since(now).as_millis();
        u64::try_from(left).unwrap_or_default().div_ceil(1000)
    }

    /// Whether it can be confirmed no more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_names_the_person_who_applied() {
        let by = not_confirmed("ubuntu");
        assert_eq!(by, "watchme-apply, not confirmed: applied by ubuntu");
        // Earlier versions named nobody.
        for (by, expected) in [
            (by.as_str(), true),
            (NOT_CONFIRMED, true),
            ("ubuntu", false),
        ] {
            assert_eq!(is_not_confirmed(by), expected, "{by}");
        }
        assert_eq!(not_confirmed(""), NOT_CONFIRMED);
    }

    #[test]
    fn what_is_left_is_said_in_whole_seconds() {
        let until: Timestamp = "2026-01-01T00:02:00Z".parse().unwrap();
        let waiting = Waiting {
            generation: Some(2),
            back_to: 1,
            until,
            by: "ubuntu".to_owned(),
            inputs: None,
        };
        for (now, left, over) in [
            ("2026-01-01T00:00:00Z", 120, false),
            ("2026-01-01T00:01:59.5Z", 1, false),
            ("2026-01-01T00:02:00Z", 0, true),
            ("2026-01-01T00:03:00Z", 0, true),
        ] {
            let now = now.parse().unwrap();
            assert_eq!(
                (waiting.seconds_left(now), waiting.is_over(now)),
                (left, over)
            );
        }
    }
}
