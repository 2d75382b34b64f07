//! Jobs: what the manager is told to do, and how it ended.

use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use tokio::process::Command;
use zbus::{MatchRule, MessageStream, OwnedObjectPath};

use super::{CALL, MANAGER, PATH, SERVICE, Systemd, bounded, failed};
use crate::host::error::HostError;
use crate::model::{UnitState, exit};

/// How long a failed unit's journal is waited for.
const JOURNAL: Duration = Duration::from_secs(3);
/// Room for the signals that come before the reply to the call: a full queue holds up the reply.
const QUEUE: Option<NonZeroUsize> = NonZeroUsize::new(4096);

impl Systemd {
    /// The last lines of a unit's journal since `since`; none where they cannot be read.
    pub async fn journal(&self, unit: &str, since: SystemTime) -> Vec<String> {
        journal(unit, Some(since)).await
    }

    /// Starts a unit and waits until its job is done, which for `Type=simple` only means forked.
    pub async fn start(&self, unit: &str, timeout: Duration) -> Result<(), HostError> {
        self.job("start", "StartUnit", unit, timeout).await
    }

    /// Stops a unit and waits until it is stopped. One that is not loaded is stopped already.
    pub async fn stop(&self, unit: &str, timeout: Duration) -> Result<(), HostError> {
        unless_unknown(self.job("stop", "StopUnit", unit, timeout).await)
    }

    /// Stops and starts a unit; starts one that is stopped.
    pub async fn restart(&self, unit: &str, timeout: Duration) -> Result<(), HostError> {
        self.job("restart", "RestartUnit", unit, timeout).await
    }

    /// Runs a unit's `ExecReload=`. That it exits with 0 proves little.
    pub async fn reload_unit(&self, unit: &str, timeout: Duration) -> Result<(), HostError> {
        self.job("reload", "ReloadUnit", unit, timeout).await
    }

    /// Forgets that a unit failed, and its count of starts. One that is not loaded has none. A
    /// socket that could not start its service again and again fails with it, and the service cannot
    /// start without it.
    pub async fn reset_failed(&self, unit: &str) -> Result<(), HostError> {
        if let Some(stem) = unit.strip_suffix(".service") {
            self.reset_one(&format!("{stem}.socket")).await?;
        }
        self.reset_one(unit).await
    }

    async fn reset_one(&self, unit: &str) -> Result<(), HostError> {
        let doing = || format!("reset the failed state of {unit}");
        let call = self.call::<_, ()>(PATH, MANAGER, "ResetFailedUnit", (unit,));
        let result = bounded(CALL, doing, call).await?;
        unless_unknown(result.map_err(|source| failed(doing(), source)))
    }

    async fn job(
        &self,
        verb: &'static str,
        method: &str,
        unit: &str,
        timeout: Duration,
    ) -> Result<(), HostError> {
        let doing = || format!("{verb} {unit}");
        let since = SystemTime::now();
        let mut removed = self.removed_jobs().await?;
        let call = self.call(PATH, MANAGER, method, (unit, "replace"));
        let job: OwnedObjectPath = bounded(CALL, doing, call)
            .await?
            .map_err(|source| failed(doing(), source))?;
        let result = match bounded(timeout, doing, result_of(&job, &mut removed)).await {
            Ok(Some(result)) => result,
            Ok(None) => "lost: the system bus went away".to_owned(),
            Err(error) => {
                let waits_for = self.still_starting(unit).await;
                self.cancel(&job).await;
                return Err(match (error, waits_for) {
                    (HostError::Timeout { what, after }, Some(other)) => HostError::Timeout {
                        what: format!("{what}, which waits for {other} to start,"),
                        after,
                    },
                    (error, _) => error,
                });
            }
        };
        if result == "done" {
            return Ok(());
        }
        Err(self.explained(verb, unit, &result, since).await)
    }

    /// `JobRemoved` signals from now on: the match stands before the job exists, else a short
    /// job's end is missed. Not of one unit only, since the signal has no aliases.
    async fn removed_jobs(&self) -> Result<MessageStream, HostError> {
        let doing = || "watch the manager's jobs".to_owned();
        let subscribe = async {
            let rule = MatchRule::builder()
                .msg_type(zbus::message::Type::Signal)
                .sender(SERVICE)
                .path(PATH)
                .interface(MANAGER)
                .member("JobRemoved")
                .build()?;
            let stream = MessageStream::for_match_rule(rule, &self.bus, QUEUE).await?;
            // Without a subscriber the manager sends no signals at all.
            self.subscribed
                .get_or_try_init(|| self.call::<_, ()>(PATH, MANAGER, "Subscribe", ()))
                .await?;
            Ok(stream)
        };
        bounded(CALL, doing, subscribe)
            .await?
            .map_err(|source| failed(doing(), source))
    }

    /// Takes a job back that took too long. What it already set going goes on.
    async fn cancel(&self, job: &OwnedObjectPath) {
        let id = job
            .as_str()
            .rsplit('/')
            .next()
            .and_then(|id| id.parse::<u32>().ok());
        if let Some(id) = id {
            let call = self.call::<_, ()>(PATH, MANAGER, "CancelJob", (id,));
            // The job may have ended meanwhile; the time-out is what gets reported.
            let _ = bounded(CALL, || "cancel".to_owned(), call).await;
        }
    }

    async fn explained(
        &self,
        verb: &'static str,
        unit: &str,
        result: &str,
        since: SystemTime,
    ) -> HostError {
        let state = self.unit(unit).await.unwrap_or_default();
        let mut failed = HostError::UnitFailed {
            unit: unit.to_owned(),
            verb,
            why: why(result, &state),
            result: result.into(),
            journal: Vec::new(),
            cause: None,
        };
        let causes = match result {
            "dependency" => self.causes(unit, since).await,
            _ => None,
        };
        if let HostError::UnitFailed {
            why,
            journal: lines,
            cause,
            ..
        } = &mut failed
        {
            match causes {
                Some(causes) => {
                    *why = format!("it needs {}", causes.why);
                    lines.clone_from(&causes.journal);
                    *cause = Some(Box::new(causes));
                }
                None => *lines = journal(unit, Some(since)).await,
            }
        }
        failed
    }
}

/// Waits for the end of one job and says how it ended.
async fn result_of(job: &OwnedObjectPath, removed: &mut MessageStream) -> Option<String> {
    while let Some(message) = removed.next().await {
        let Ok(message) = message else { continue };
        let body = message.body();
        let signal: Result<(u32, OwnedObjectPath, String, String), _> = body.deserialize();
        if let Ok((_, path, _, result)) = signal
            && path == *job
        {
            return Some(result);
        }
    }
    None
}

fn unless_unknown(result: Result<(), HostError>) -> Result<(), HostError> {
    match result {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

/// A sentence from the job's result and the unit's own; `JobRemoved` in
/// org.freedesktop.systemd1(5), and `SERVICE RESULTS` in systemd.exec(5).
fn why(job: &str, unit: &UnitState) -> String {
    match (job, unit.result.as_str()) {
        ("failed", "" | "success") => format!("the job failed (unit {}/{})", unit.active, unit.sub),
        ("failed", result) => format!("{result}{}", status(unit)),
        ("dependency", _) => "a unit that it needs did not start".to_owned(),
        ("canceled", _) => "the job was cancelled by another one".to_owned(),
        ("timeout", _) => "the job's own time-out (JobTimeoutSec=) was reached".to_owned(),
        ("skipped", _) => "the job does not apply to the unit's state".to_owned(),
        (other, _) => format!("the job ended as {other}"),
    }
}

/// `, status 137: killed`.
pub(super) fn status(unit: &UnitState) -> String {
    let meaning = exit::of_service(unit.exit_status, unit.signalled, &unit.result);
    let meaning = meaning.map_or_else(String::new, |meaning| format!(" ({meaning})"));
    match unit.exit_status {
        0 => String::new(),
        number if unit.signalled => format!(", signal {number}{meaning}"),
        number => format!(", status {number}{meaning}"),
    }
}

/// The last lines that a unit wrote since `since`, or since the machine was booted, as far as they can be had.
pub(super) async fn journal(unit: &str, since: Option<SystemTime>) -> Vec<String> {
    let mut command = Command::new("journalctl");
    command
        // With `--since=` alone, `-n` counts from there: the first lines of a run, not the last.
        .args([
            "-u",
            unit,
            "-n",
            "10",
            "-r",
            "--no-pager",
            "-q",
            "-o",
            "cat",
        ])
        .arg(match since {
            Some(since) => {
                let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
                format!("--since=@{}.{:06}", since.as_secs(), since.subsec_micros())
            }
            None => "--boot".to_owned(),
        })
        .kill_on_drop(true);
    let Ok(Ok(output)) = tokio::time::timeout(JOURNAL, command.output()).await else {
        return Vec::new();
    };
    // Compose colours what it says wherever it runs.
    let text = anstream::adapter::strip_bytes(&output.stdout).into_vec();
    let text = String::from_utf8_lossy(&text);
    text.lines().rev().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(result: &str, exit_status: i32) -> UnitState {
        UnitState {
            result: result.to_owned(),
            exit_status,
            ..UnitState::default()
        }
    }

    #[test]
    fn the_units_own_result_says_more() {
        assert_eq!(
            why("failed", &unit("exit-code", 203)),
            "exit-code, status 203 (its command cannot be executed, or is not there)"
        );
        assert_eq!(why("failed", &unit("oom-kill", 0)), "oom-kill");
        assert_eq!(why("once", &unit("", 0)), "the job ended as once");
    }
}
