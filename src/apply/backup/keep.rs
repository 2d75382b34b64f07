//! Names of backups, and which are kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::Keep;

const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// The name of a backup that is begun at a time: `db-20260102T031500Z`.
pub(super) fn name_at(backup: &str, time: Timestamp) -> String {
    format!("{backup}-{}", time.strftime(STAMP))
}

/// When a backup was begun, if the name is one that this program gives to this backup.
pub(super) fn time_of(backup: &str, name: &str) -> Option<Timestamp> {
    let stamp = name.strip_prefix(backup)?.strip_prefix('-')?;
    let time = DateTime::strptime(STAMP, stamp).ok()?;
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (name_at(backup, time) == name).then_some(time)
}

/// The names that are to go, of those that this program gave.
pub(super) fn surplus(backup: &str, names: &BTreeSet<String>, keep: Keep) -> BTreeSet<String> {
    let timed = names
        .iter()
        .filter_map(|name| Some((time_of(backup, name)?, name)));
    let all: BTreeMap<Timestamp, &String> = timed.collect();
    let mut kept: BTreeSet<&String> = BTreeSet::new();
    kept.extend(all.values().rev().take(keep.last.max(1)));
    for (count, period) in [
        (keep.daily, "%F"),
        (keep.weekly, "%G-%V"),
        (keep.monthly, "%Y-%m"),
    ] {
        let mut periods = BTreeSet::new();
        for (time, name) in all.iter().rev() {
            let period = time.strftime(period).to_string();
            if periods.len() < count && periods.insert(period) {
                kept.insert(name);
            }
        }
    }
    let gone = all.values().filter(|name| !kept.contains(*name));
    gone.map(|name| (*name).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(stamps: &[&str]) -> BTreeSet<String> {
        stamps.iter().map(|stamp| format!("db-{stamp}")).collect()
    }

    fn left(stamps: &[&str], keep: Keep) -> Vec<String> {
        let all = names(stamps);
        let gone = surplus("db", &all, keep);
        all.difference(&gone).cloned().collect()
    }

    #[test]
    fn the_last_ones_and_the_last_of_each_period_stay() {
        let all = [
            "20260101T000000Z",
            "20260131T000000Z",
            "20260201T010000Z",
            "20260201T020000Z",
            "20260202T010000Z",
        ];
        let keep = |last, daily, weekly, monthly| Keep {
            last,
            daily,
            weekly,
            monthly,
        };
        for (keep, stay) in [
            (keep(1, 0, 0, 0), &all[4..]),
            (keep(0, 0, 0, 0), &all[4..]),
            (keep(1, 2, 0, 0), &all[3..]),
            (keep(1, 0, 0, 2), &["20260131T000000Z", "20260202T010000Z"]),
            (keep(1, 0, 2, 0), &["20260201T020000Z", "20260202T010000Z"]),
            (keep(9, 0, 0, 0), &all[..]),
        ] {
            let stay: Vec<String> = names(stay).into_iter().collect();
            assert_eq!(left(&all, keep), stay, "{keep:?}");
        }
    }

    #[test]
    fn only_names_that_were_given_go() {
        let mut all = names(&["20260101T000000Z", "20260102T000000Z"]);
        let others = [
            "db",
            "db-20260101",
            "db-20261301T000000Z",
            "db-old-20260101T000000Z",
            "dump-20260101T000000Z",
            "db-20260101T000000Z.copy",
        ];
        all.extend(others.map(str::to_owned));
        let gone = surplus("db", &all, Keep::default());
        assert_eq!(
            gone.into_iter().collect::<Vec<_>>(),
            ["db-20260101T000000Z"]
        );
    }
}
