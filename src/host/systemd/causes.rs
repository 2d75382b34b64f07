//! Why a unit is not up that has nothing wrong itself: what it needs has failed.

use std::collections::BTreeSet;
use std::time::SystemTime;

use zbus::OwnedObjectPath;

use super::jobs::{journal, status};
use super::properties::Dependencies;
use super::{Systemd, UNIT, asked};
use crate::host::error::HostError;
use crate::model::UnitState;

/// How many units may stand between the one that is asked about and the one that failed.
const DEEPEST: usize = 12;
/// How many units that failed are named.
const MOST: usize = 3;

/// What kept a unit down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Causes {
    /// The unit that failed; the first, where there are several.
    pub unit: String,
    /// What it is to the one that was asked about, and how it failed: `db.service, which failed: exit-code, status 1`.
    pub why: String,
    pub journal: Vec<String>,
}

/// A unit that failed, and through which it is needed.
struct Cause {
    unit: String,
    through: Vec<String>,
    how: String,
}

/// A condition or an assertion of a unit, org.freedesktop.systemd1(5): its name, whether it triggers, whether it is
/// negated, its parameter, and whether it holds (1), does not (-1), or was not tried (0).
type Condition = (String, bool, bool, String, i32);

impl Systemd {
    /// The units that `unit` needs, directly or through others, and that failed, with what they wrote since `since`.
    /// `None` where there are none, or where they cannot be found out.
    pub(crate) async fn causes(&self, unit: &str, since: SystemTime) -> Option<Causes> {
        let mut causes = self.down(unit).await.ok()?;
        causes.truncate(MOST);
        let first = causes.first()?.unit.clone();
        let mut lines = Vec::new();
        for cause in &causes {
            let mut own = journal(&cause.unit, Some(since)).await;
            if own.is_empty() {
                own = journal(&cause.unit, None).await;
            }
            lines.extend(own.into_iter().map(|line| match causes.len() {
                1 => line,
                _ => format!("{}: {line}", cause.unit),
            }));
        }
        let why: Vec<String> = causes.iter().map(Cause::said).collect();
        Some(Causes {
            unit: first,
            why: why.join("; and "),
            journal: lines,
        })
    }

    /// A unit that `unit` needs and that has not come up yet, if there is one.
    pub(super) async fn still_starting(&self, unit: &str) -> Option<String> {
        let needed = self.needed(&BTreeSet::from([unit.to_owned()])).await.ok()?;
        let names = needed.into_iter().map(|(_, name)| name).collect();
        let mut rows = self.list(&names).await.ok()?.into_iter();
        rows.find(|row| row.3 == "activating").map(|row| row.0)
    }

    /// Units that are down and that `unit` needs, those that failed before all others.
    async fn down(&self, unit: &str) -> Result<Vec<Cause>, HostError> {
        let mut seen = BTreeSet::from([unit.to_owned()]);
        let mut level = vec![(unit.to_owned(), Vec::new())];
        let mut vague = Vec::new();
        for _ in 0..DEEPEST {
            let names: BTreeSet<String> = level.iter().map(|(name, _)| name.clone()).collect();
            let needed = self.needed(&names).await?;
            let fresh: BTreeSet<String> = needed.iter().map(|(_, name)| name.clone()).collect();
            let fresh: BTreeSet<String> = fresh.difference(&seen).cloned().collect();
            if fresh.is_empty() {
                break;
            }
            let mut causes = Vec::new();
            let mut next = Vec::new();
            for row in self.list(&fresh).await? {
                let (name, path) = (row.0.clone(), row.6.clone());
                if row.3 == "active" || row.3 == "reloading" {
                    continue;
                }
                let by = needed.iter().find(|(_, other)| *other == name);
                let mut through = by.map_or_else(Vec::new, |(by, _)| {
                    let known = level.iter().find(|(name, _)| name == by);
                    known.map_or_else(Vec::new, |(_, through)| through.clone())
                });
                let (_, mut state) = self.unit_of_row(row).await?;
                self.fill_result(&path, &name, &mut state).await;
                let cause = |how| Cause {
                    unit: name.clone(),
                    through: through.clone(),
                    how,
                };
                match self.broken(&path, &name, &state).await {
                    Some(how) => causes.push(cause(how)),
                    None => {
                        vague.push(cause("did not start".to_owned()));
                        through.push(name.clone());
                        next.push((name, through));
                    }
                }
            }
            if !causes.is_empty() {
                return Ok(causes);
            }
            seen.extend(fresh);
            level = next;
        }
        Ok(vague)
    }

    /// What each of these units needs, with the unit that needs it.
    async fn needed(&self, names: &BTreeSet<String>) -> Result<Vec<(String, String)>, HostError> {
        let mut needed = Vec::new();
        if names.is_empty() {
            return Ok(needed);
        }
        for row in self.list(names).await? {
            let found: Dependencies = self.get_all(&row.6, UNIT, &row.0).await?;
            needed.extend(found.needed().map(|other| (row.0.clone(), other)));
        }
        Ok(needed)
    }

    /// How a unit failed itself; `None` for one that is only down.
    async fn broken(
        &self,
        path: &OwnedObjectPath,
        name: &str,
        state: &UnitState,
    ) -> Option<String> {
        let result = match state.result.as_str() {
            "" | "success" => String::new(),
            result => format!(": {result}{}", status(state)),
        };
        match (
            state.load.as_str(),
            state.active.as_str(),
            state.sub.as_str(),
        ) {
            ("not-found", ..) => Some("does not exist".to_owned()),
            ("masked", ..) => Some("is masked".to_owned()),
            ("error" | "bad-setting", ..) => Some("could not be loaded".to_owned()),
            (_, "failed", _) => Some(format!("failed{result}")),
            (_, _, "auto-restart") => Some(format!("keeps failing{result}")),
            (_, "inactive", _) => {
                let unmet = self.unmet(path, name, "Asserts").await;
                let unmet = match unmet {
                    Some(unmet) => Some(unmet),
                    None => self.unmet(path, name, "Conditions").await,
                };
                unmet.map(|unmet| format!("was not started: {unmet} is not met"))
            }
            _ => None,
        }
    }

    /// `Result` of units other than services.
    async fn fill_result(&self, path: &OwnedObjectPath, name: &str, state: &mut UnitState) {
        let interface = match name.rsplit_once('.').map(|(_, kind)| kind) {
            Some("mount") => "org.freedesktop.systemd1.Mount",
            Some("socket") => "org.freedesktop.systemd1.Socket",
            Some("swap") => "org.freedesktop.systemd1.Swap",
            Some("automount") => "org.freedesktop.systemd1.Automount",
            Some("path") => "org.freedesktop.systemd1.Path",
            Some("timer") => "org.freedesktop.systemd1.Timer",
            _ => return,
        };
        if let Ok(result) = self.get(path, interface, "Result", name).await {
            state.result = result;
        }
    }

    /// The first condition or assertion of a unit that was tried and did not hold.
    async fn unmet(&self, path: &OwnedObjectPath, name: &str, property: &str) -> Option<String> {
        let doing = || format!("read {property} of {name}");
        let read = self.structures::<Condition>(path, (UNIT, property));
        let found = asked(doing, read).await.ok()?;
        found.iter().find(|(.., holds)| *holds < 0).map(condition)
    }
}

/// `ConditionPathExists=!/etc/x`, as it is in the unit.
fn condition((name, triggers, negated, parameter, _): &Condition) -> String {
    let pipe = if *triggers { "|" } else { "" };
    let not = if *negated { "!" } else { "" };
    format!("{name}={pipe}{not}{parameter}")
}

impl Cause {
    fn said(&self) -> String {
        let through = self.through.iter();
        let through: String = through
            .map(|name| format!("{name}, which needs "))
            .collect();
        format!("{through}{}, which {}", self.unit, self.how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_unit_that_failed_is_told() {
        let cause = |through: &[&str]| Cause {
            unit: "db.service".into(),
            through: through.iter().map(|name| (*name).to_owned()).collect(),
            how: "failed: exit-code, status 3".into(),
        };
        assert_eq!(
            cause(&[]).said(),
            "db.service, which failed: exit-code, status 3"
        );
        assert_eq!(
            cause(&["mid.service"]).said(),
            "mid.service, which needs db.service, which failed: exit-code, status 3"
        );
    }

    #[test]
    fn conditions_are_written_as_in_the_unit() {
        let of = |triggers, negated| {
            condition(&(
                "AssertPathExists".into(),
                triggers,
                negated,
                "/x".into(),
                -1,
            ))
        };
        assert_eq!(of(false, false), "AssertPathExists=/x");
        assert_eq!(of(true, true), "AssertPathExists=|!/x");
    }
}
