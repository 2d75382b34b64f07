//! Tells whom the applied desired state names what happened: each thing once, and once that it is over.

mod news;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::confirm::ConfirmError;
use super::drift::Drift;
use super::status::certificates::certificates;
use super::{ReconcileError, error};
use crate::apply::Progress;
use crate::host::Host;
use crate::model::{Channel, DriftKind, Event, Notifier, is_not_confirmed};
use crate::state::{State, StateError};
use news::{News, note, note_in_sync};
use words::{before, message, of_failure, of_success, of_sync};

/// What it is about, of a run.
const RUN: &str = "run";
/// What it is about, of the revision that unattended runs skip.
const REVISION: &str = "revision";
/// What it is about, of a run that did what it was to do. Nothing ends that.
const APPLIED: &str = "applied";
/// Days before its end when a certificate is reported.
const DAYS: i64 = 14;

/// Makes text fit to be sent: masks what looks like a secret.
pub(crate) type Prepare<'a> = &'a dyn Fn(&str) -> String;

/// How a run ended, as far as somebody is to be told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended<'a> {
    /// It did what it was to do, or there was nothing to do.
    Well {
        /// When it began.
        began: Timestamp,
        /// The commit with which the host is in sync, if there was nothing to do.
        in_sync: Option<&'a str>,
    },
    /// It failed.
    Badly {
        /// When it began.
        began: Timestamp,
        /// Why.
        failure: &'a ReconcileError,
    },
    /// It left the host alone.
    Skipped,
}

/// Tells how a run ended. What goes wrong with that is a warning.
pub(crate) async fn tell_of_run(
    host: &Host,
    ended: Ended<'_>,
    prepare: Prepare<'_>,
    progress: &mut dyn Progress,
) {
    let Some((state, notifiers)) = listeners(host) else {
        return;
    };
    let mut messages = BTreeMap::new();
    let mut prefixes = vec![REVISION];
    let mut by_person = false;
    let mut skips = true;
    let mut same = None;
    let last = || state.history().ok().and_then(|mut runs| runs.pop());
    match ended {
        Ended::Well { began, in_sync } => {
            prefixes.push(RUN);
            // What may still go back is not there for good.
            let stays = in_sync.filter(|_| matches!(state.waiting(), Ok(None)));
            same = stays.map(of_sync);
            let run = last().filter(|run| run.time >= began);
            // What is applied in part leaves the rest as it was.
            skips = run.as_ref().is_some_and(|run| !run.only.is_empty());
            if let Some(run) = run {
                by_person = !run.unattended;
                let left = is_not_confirmed(&run.by)
                    .then(|| state.history().ok().and_then(|runs| before(&runs, &run)));
                messages.insert(APPLIED.to_owned(), of_success(&run, left.flatten()));
            }
        }
        Ended::Skipped => {}
        // Nobody wanted it then, or another run says how it ended.
        Ended::Badly { failure, .. } if is_no_news(failure) => return,
        Ended::Badly { began, failure } => {
            prefixes.push(RUN);
            // One that failed before its first record says nothing of the commit of the run before.
            let run = last().filter(|run| run.time >= began);
            let run = match failure {
                // That went back to another commit than the one that was not confirmed.
                ReconcileError::Confirm(ConfirmError::TakenBack { generation, .. }) => {
                    state.generation_record(*generation).ok().flatten()
                }
                _ => run,
            };
            let commit = run.and_then(|run| run.origin.commit);
            messages.insert(RUN.to_owned(), of_failure(failure, commit));
        }
    }
    match state.attempts() {
        Ok(attempts) => {
            if let Some(quarantine) = attempts.quarantine.filter(|_| skips) {
                let title = "this revision failed, and unattended runs skip it".to_owned();
                let mut message = message(Event::Quarantined, title, quarantine.reason);
                message.commit = quarantine.commit;
                messages.insert(REVISION.to_owned(), message);
            }
        }
        Err(_) => prefixes.retain(|prefix| *prefix != REVISION),
    }
    let news = News {
        prefixes,
        messages,
        by_person,
        in_sync: same,
    };
    tell(host, &state, &notifiers, news, prepare, progress).await;
}

/// Tells what a comparison of the host found.
pub(crate) async fn tell_of_drift(
    host: &Host,
    drift: &Drift,
    prepare: Prepare<'_>,
    progress: &mut dyn Progress,
) {
    let Some((state, notifiers)) = listeners(host) else {
        return;
    };
    let mut messages = BTreeMap::new();
    let mut prefixes = vec![];
    if !drift.incomplete {
        prefixes.push("drift");
        // What is not applied yet is what somebody is about to apply.
        let items = drift
            .items
            .iter()
            .filter(|item| item.kind != DriftKind::Pending);
        let lines: Vec<String> = items
            .map(|item| format!("{}: {}: {}", item.kind, item.resource, item.what))
            .collect();
        if !lines.is_empty() {
            let title = match lines.len() {
                1 => "1 deviation from what was applied".to_owned(),
                number => format!("{number} deviations from what was applied"),
            };
            let text = lines.join("\n");
            messages.insert("drift".to_owned(), message(Event::Drift, title, text));
        }
    }
    if let Some(seen) = &drift.seen {
        prefixes.push("certificate ");
        for one in certificates(&seen.desired, &seen.observed, Timestamp::now()) {
            if one.days_left.is_some_and(|days| days < DAYS)
                && let Some(end) = one.not_after
            {
                let path = one.path.display();
                let title = format!(
                    "the certificate {path} expires on {}",
                    end.strftime("%Y-%m-%d")
                );
                let sites: Vec<String> = one.sites.into_iter().collect();
                let text = format!("Sites that use it: {}", sites.join(", "));
                let message = message(Event::Certificate, title, text);
                messages.insert(format!("certificate {path}"), message);
            }
        }
        let backups = &seen.desired.backups;
        if let Ok(found) = super::backup::status(&state, backups, &seen.recorded.backups) {
            prefixes.push("backup ");
            for backup in found.into_iter().filter(|backup| !backup.wrong.is_empty()) {
                let title = format!("the backup {} has a problem", backup.name);
                let message = message(Event::Backup, title, backup.wrong.join("\n"));
                messages.insert(format!("backup {}", backup.name), message);
            }
        }
    }
    let news = News {
        prefixes,
        messages,
        by_person: false,
        in_sync: None,
    };
    tell(host, &state, &notifiers, news, prepare, progress).await;
}

/// Sends a test message to one of those that the applied desired state names, or to all. Returns what each answered.
///
/// # Errors
/// When there is none, or none of that name.
pub(crate) async fn test_notifiers(
    host: &Host,
    name: Option<&str>,
) -> Result<Vec<(String, Result<String, String>)>, ReconcileError> {
    let state = State::new(host.root().clone());
    let applied = super::planning::look::recorded(&state)?.applied;
    let (commit, notifiers) = applied
        .map(|(run, desired)| (run.origin.commit, desired.notify))
        .unwrap_or_default();
    let known = || notifiers.keys().cloned().collect::<Vec<_>>();
    if notifiers.is_empty() || name.is_some_and(|name| !notifiers.contains_key(name)) {
        return Err(ReconcileError::NoNotifier {
            name: name.map(str::to_owned),
            known: known(),
        });
    }
    let mut message = message(Event::Applied, "this is a test".to_owned(), String::new());
    message.event = None;
    message.commit = commit;
    message.text = "A test message from watchme-apply: notifications will arrive here.".to_owned();
    let mut answers = Vec::new();
    let asked = |known: &String| name.is_none_or(|name| name == known);
    for (name, notifier) in notifiers.iter().filter(|(known, _)| asked(known)) {
        let answer = host.deliver(notifier, &message).await;
        answers.push((name.clone(), answer.map_err(|error| error::chain(&error))));
    }
    Ok(answers)
}

/// The records, and who is to be told; `None` where nobody is.
fn listeners(host: &Host) -> Option<(State, BTreeMap<String, Notifier>)> {
    if !host.is_live() {
        return None;
    }
    let state = State::new(host.root().clone());
    let (_, applied) = state.recorded().ok()?.applied?;
    (!applied.notify.is_empty()).then_some((state, applied.notify))
}

/// Whether nothing ended: nobody agreed to it, or another run is in progress.
fn is_no_news(failure: &ReconcileError) -> bool {
    matches!(
        failure.undone(),
        ReconcileError::Declined
            | ReconcileError::State(StateError::Locked { .. } | StateError::Forbidden { .. })
    )
}

async fn tell(
    host: &Host,
    state: &State,
    notifiers: &BTreeMap<String, Notifier>,
    news: News,
    prepare: Prepare<'_>,
    progress: &mut dyn Progress,
) {
    let before = match state.notified() {
        Ok(before) => before,
        Err(cause) => return error::warn("no notification was sent", &cause, progress),
    };
    let mut notified = before.clone();
    notified.told.retain(|name, _| notifiers.contains_key(name));
    notified
        .succeeded
        .retain(|name, _| notifiers.contains_key(name));
    for (name, notifier) in notifiers {
        let told = notified.told.entry(name.clone()).or_default();
        note(told, notifier, &news, prepare);
        note_in_sync(told, notifier, &news, notified.succeeded.get(name), prepare);
        let pending: Vec<String> = told
            .iter()
            .filter(|(_, told)| !told.delivered)
            .map(|(about, _)| about.clone())
            .collect();
        for about in pending {
            let Some(one) = told.get_mut(&about) else {
                continue;
            };
            match host.deliver(notifier, &one.message).await {
                Ok(answer) => {
                    tracing::info!(notifier = name, about, answer, "told");
                    one.delivered = true;
                    one.known = true;
                    if let (Channel::CommitStatus(_), Some(commit)) =
                        (&notifier.channel, &one.message.commit)
                    {
                        match one.message.event {
                            Some(Event::Applied) => {
                                notified.succeeded.insert(name.clone(), commit.clone());
                            }
                            _ => notified
                                .succeeded
                                .retain(|of, last| of != name || last != commit),
                        }
                    }
                    if one.message.healed || about == APPLIED {
                        told.remove(&about);
                    }
                }
                Err(cause) => {
                    // The others would wait for the same server.
                    let what = format!("{name} could not be notified; the next run tries again");
                    error::warn_of(&what, &cause, progress);
                    break;
                }
            }
        }
    }
    notified.told.retain(|_, told| !told.is_empty());
    if notified != before
        && let Err(cause) = state.write_notified(&notified)
    {
        error::warn(
            "the record of notifications could not be written",
            &cause,
            progress,
        );
    }
}
