//! Runs that no person watches: what failed because of its content is not tried again, what
//! failed because of circumstances is tried again later, and what a person left stays left.

pub(in crate::reconcile) mod blame;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::records::reason;
use super::{Applied, Planned, ReconcileError, Request, error, read};
use crate::apply::Progress;
use crate::host::Host;
use crate::host::docker::Docker;
use crate::model::{Attempts, BackOff, Blame, Desired, Hash, Hold, Origin, Quarantine};
use crate::source::Which;
use crate::state::{State, StateError};

/// The longest wait between two tries. Failures that are further apart do not add up.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// Why an unattended run does not change the host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Skip {
    /// A person rolled back from this revision.
    Hold(Hold),
    /// This revision failed because of its content.
    Quarantine(Quarantine),
    /// The last runs failed because of circumstances, and it is not yet time to try again.
    BackOff(BackOff),
}

impl Skip {
    /// What holds back a run with these inputs. `retry` overrules failures, and not what a
    /// person decided.
    pub(super) fn of(
        attempts: &Attempts,
        inputs: Option<&Hash>,
        retry: bool,
        now: Timestamp,
    ) -> Option<Self> {
        let held = |hold: &&Hold| inputs.is_some_and(|inputs| hold.inputs.contains(inputs));
        if let Some(hold) = attempts.hold.as_ref().filter(held) {
            return Some(Skip::Hold(hold.clone()));
        }
        if retry {
            return None;
        }
        let failed = |quarantine: &&Quarantine| inputs == Some(&quarantine.inputs);
        if let Some(quarantine) = attempts.quarantine.as_ref().filter(failed) {
            return Some(Skip::Quarantine(quarantine.clone()));
        }
        // A clock that was set back must not make the wait longer than it was to be.
        let waits = |back_off: &&BackOff| (back_off.last..back_off.next).contains(&now);
        let back_off = attempts.back_off.as_ref().filter(waits);
        back_off.map(|back_off| Skip::BackOff(back_off.clone()))
    }
}

/// A try to apply a revision.
pub(super) struct Attempt<'a> {
    pub request: &'a Request,
    origin: Option<Origin>,
    needs_docker: bool,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        Self {
            request,
            origin: None,
            needs_docker: false,
        }
    }

    /// Which revision is tried.
    pub(super) fn tries(&mut self, origin: &Origin, desired: &Desired) {
        self.origin = Some(origin.clone());
        let stacks = |unit: &crate::model::Unit| !unit.stacks.is_empty();
        self.needs_docker = desired.needs_docker() || desired.units.values().any(stacks);
    }

    /// Why the run has to leave the host alone, if it has to. Where the plan failed and a person
    /// has to do something about that, the error says more.
    pub(super) fn skips(
        &self,
        state: &State,
        failure: Option<&ReconcileError>,
    ) -> Result<Option<Skip>, ReconcileError> {
        if !self.request.unattended || failure.is_some_and(|error| error.blame().is_none()) {
            return Ok(None);
        }
        let inputs = self.origin.as_ref().map(|origin| &origin.inputs);
        let attempts = state.attempts()?;
        Ok(Skip::of(
            &attempts,
            inputs,
            self.request.retry,
            Timestamp::now(),
        ))
    }

    /// Writes down what later unattended runs have to heed.
    pub(super) async fn remember(
        &self,
        host: &Host,
        state: &State,
        result: &Result<Applied, ReconcileError>,
        progress: &mut dyn Progress,
    ) {
        match result {
            Ok(Applied::Done(_)) => {
                let full = self.request.only.is_empty();
                update(state, progress, |attempts| match full {
                    true => *attempts = Attempts::default(),
                    false => attempts.back_off = None,
                });
            }
            Ok(Applied::InSync { .. } | Applied::Skipped(_)) => {}
            Err(failure) => self.failed(host, state, failure, progress).await,
        }
    }

    async fn failed(
        &self,
        host: &Host,
        state: &State,
        failure: &ReconcileError,
        progress: &mut dyn Progress,
    ) {
        let Some(mut blame) = failure.blame() else {
            return;
        };
        // A unit whose engine is gone fails as if it were to blame.
        let needs_docker = self.needs_docker && host.is_live();
        if blame == Blame::Permanent
            && needs_docker
            && Docker::connect(&host.engine_socket()).await.is_err()
        {
            blame = Blame::Transient;
        }
        let (now, reason) = (Timestamp::now(), reason::reason(failure));
        let origin = self.origin.as_ref();
        match (blame, origin.filter(|_| self.request.only.is_empty())) {
            (Blame::Permanent, Some(origin)) => {
                let quarantine = Quarantine {
                    inputs: origin.inputs.clone(),
                    commit: origin.commit.clone(),
                    since: now,
                    reason,
                };
                update(state, progress, |attempts| {
                    attempts.quarantine = Some(quarantine);
                    attempts.back_off = None;
                });
                progress.say(
                    "unattended runs skip this revision until its inputs change; \
                     `watchme-apply apply` tries it again",
                );
            }
            // A person who was told that nothing was changed decides when to try again.
            _ if !self.request.unattended && failure.exit_status() == 1 => {}
            _ => update(state, progress, |attempts| {
                attempts.back_off = Some(longer(attempts.back_off.as_ref(), now, reason));
            }),
        }
    }
}

/// A run was killed: whatever killed it may do so again.
pub(super) fn interrupted(state: &State, progress: &mut dyn Progress) {
    update(state, progress, |attempts| {
        let reason = "a run was interrupted".to_owned();
        let back_off = longer(attempts.back_off.as_ref(), Timestamp::now(), reason);
        attempts.back_off = Some(back_off);
    });
}

/// What a rollback left is not brought back by an unattended run: the generation that was
/// applied, and what the checkout has, unless that is where the rollback went.
pub(super) fn hold(
    host: &Host,
    state: &State,
    request: &Request,
    planned: &Planned,
    progress: &mut dyn Progress,
) {
    let Some(back_to) = planned.generation else {
        return;
    };
    let left = planned.recorded.run().map(|run| run.origin.inputs.clone());
    let mut inputs: BTreeSet<Hash> = left.into_iter().collect();
    if let Ok((head, _)) = read(host, request, &Which::Head, &planned.recorded)
        && !head.desired.asks_nothing_new(&planned.desired)
    {
        inputs.insert(head.origin.inputs);
    }
    // A rollback after another one: what that left is left still.
    if let Ok(attempts) = state.attempts()
        && let Some(before) = attempts.hold
    {
        inputs.extend(before.inputs);
    }
    inputs.remove(&planned.origin.inputs);
    let hold = Hold {
        inputs,
        back_to,
        since: Timestamp::now(),
        by: request.by.clone(),
    };
    update(state, progress, |attempts| {
        attempts.hold = Some(hold);
        attempts.back_off = None;
    });
    progress.say(
        "unattended runs do not apply the revision you rolled back from until its inputs change; `watchme-apply apply` applies it",
    );
}

/// What was cut off before anybody could confirm it is not applied by an unattended run either.
pub(super) fn hold_back(
    state: &State,
    inputs: Hash,
    back_to: u64,
    by: String,
) -> Result<(), StateError> {
    let mut attempts = state.attempts()?;
    let before = attempts.hold.take().map(|hold| hold.inputs);
    let mut all = before.unwrap_or_default();
    all.insert(inputs);
    attempts.hold = Some(Hold {
        inputs: all,
        back_to,
        since: Timestamp::now(),
        by,
    });
    state.write_attempts(&attempts)
}

/// The next wait: 1, 2, 4 … 60 minutes.
fn longer(before: Option<&BackOff>, now: Timestamp, reason: String) -> BackOff {
    let recent = before.filter(|before| now.duration_since(before.next) < LONGEST_WAIT);
    let failures = recent.map_or(0, |before| before.failures).saturating_add(1);
    let minutes = 1_i64 << (failures - 1).min(6);
    let wait = SignedDuration::from_mins(minutes).min(LONGEST_WAIT);
    BackOff {
        failures,
        last: now,
        next: now.saturating_add(wait).unwrap_or(now),
        reason,
    }
}

/// Changes the record. It is no part of the run: when it cannot be written, that is said.
fn update(state: &State, progress: &mut dyn Progress, change: impl FnOnce(&mut Attempts)) {
    let result = state.attempts().and_then(|before| {
        let mut attempts = before.clone();
        change(&mut attempts);
        match attempts == before {
            true => Ok(()),
            false => state.write_attempts(&attempts),
        }
    });
    if let Err(cause) = result {
        error::warn(
            "the record for unattended runs could not be written",
            &cause,
            progress,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    #[test]
    fn waits_grow_to_an_hour_and_begin_anew() {
        let mut back_off: Option<BackOff> = None;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let now = back_off.as_ref().map_or(at(0), |before| before.next);
            let next = longer(back_off.as_ref(), now, "no engine".into());
            waits.push(next.next.duration_since(now).as_mins());
            back_off = Some(next);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let last = back_off.unwrap();
        let later = last.next + SignedDuration::from_mins(61);
        assert_eq!(longer(Some(&last), later, String::new()).failures, 1);
    }

    fn quarantine(inputs: &Hash) -> Quarantine {
        Quarantine {
            inputs: inputs.clone(),
            commit: None,
            since: at(0),
            reason: "nginx rejects the configuration".into(),
        }
    }

    #[test]
    fn each_hold_back_has_its_end() {
        let (bad, other) = (Hash::of(b"bad"), Hash::of(b"other"));
        let hold = Hold {
            inputs: [bad.clone()].into(),
            back_to: 1,
            since: at(0),
            by: "ubuntu".into(),
        };
        let back_off = longer(None, at(0), "no engine".into());
        let none = Attempts::default();
        let held = Attempts {
            hold: Some(hold.clone()),
            ..none.clone()
        };
        let quarantined = Attempts {
            quarantine: Some(quarantine(&bad)),
            ..none.clone()
        };
        let waiting = Attempts {
            back_off: Some(back_off.clone()),
            ..none.clone()
        };
        let (held_back, failed, waits) = (
            Some(Skip::Hold(hold)),
            Some(Skip::Quarantine(quarantine(&bad))),
            Some(Skip::BackOff(back_off)),
        );
        for (attempts, inputs, retry, minute, skip) in [
            (&none, Some(&bad), false, 0, &None),
            (&held, Some(&bad), false, 0, &held_back),
            (&held, Some(&bad), true, 0, &held_back),
            (&held, Some(&other), false, 0, &None),
            (&held, None, false, 0, &None),
            (&quarantined, Some(&bad), false, 9999, &failed),
            (&quarantined, Some(&bad), true, 0, &None),
            (&quarantined, Some(&other), false, 0, &None),
            (&waiting, Some(&bad), false, 0, &waits),
            (&waiting, None, false, 0, &waits),
            (&waiting, Some(&bad), true, 0, &None),
            (&waiting, Some(&bad), false, 1, &None),
            (&waiting, Some(&bad), false, -1, &None),
        ] {
            let found = Skip::of(attempts, inputs, retry, at(minute));
            assert_eq!(found, *skip, "{attempts:?} {inputs:?} {retry} {minute}");
        }
    }
}
