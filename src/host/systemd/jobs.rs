//! Jobs: what the manager is told to do, and how it ended.

use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use tokio::process::Command;
use zbus::{MatchRule, MessageStream, OwnedObjectPath};

use super::journal::Field;
use super::{CALL, MANAGER, PATH, SERVICE, Systemd, asked, bounded};
use crate::host::error::HostError;
use crate::model::{UnitState, exit};

/// How long a failed unit's journal is waited for.
const JOURNAL: Duration = Duration::from_secs(3);
/// How many entries of it are read at most.
const READ: &str = "60";
/// How many of its lines are shown.
const SHOWN: usize = 10;
/// Room for the signals that come before the reply to the call: a full queue holds up the reply.
const QUEUE: Option<NonZeroUsize> = NonZeroUsize::new(4096);

impl Systemd {
    /// The last lines of a unit's journal since `since`; none where they cannot be read.
    pub(crate) async fn journal(&self, unit: &str, since: SystemTime) -> Vec<String> {
        journal(unit, Some(since)).await
    }

    /// Starts a unit and waits until its job is done, which for `Type=simple` only means forked. Earlier starts do not count
    /// against its `StartLimitBurst=`, systemd.unit(5): this one was asked for.
    pub(crate) async fn start(&self, unit: &str, timeout: Duration) -> Result<(), HostError> {
        self.reset_failed(unit).await?;
        self.job("start", "StartUnit", unit, timeout).await
    }

    /// Stops a unit and waits until it is stopped. One that is not loaded is stopped already.
    pub(crate) async fn stop(&self, unit: &str, timeout: Duration) -> Result<(), HostError> {
        unless_unknown(self.job("stop", "StopUnit", unit, timeout).await)
    }

    /// Stops and starts a unit; starts one that is stopped. As in [`Self::start`], earlier starts do not count.
    pub(crate) async fn restart(&self, unit: &str, timeout: Duration) -> Result<(), HostError> {
        self.reset_failed(unit).await?;
        self.job("restart", "RestartUnit", unit, timeout).await
    }

    /// Runs a unit's `ExecReload=`. That it exits with 0 proves little.
    pub(crate) async fn reload_unit(&self, unit: &str, timeout: Duration) -> Result<(), HostError> {
        self.job("reload", "ReloadUnit", unit, timeout).await
    }

    /// Forgets that a unit failed, and its count of starts. One that is not loaded has none. A
    /// socket that could not start its service again and again fails with it, and the service cannot
    /// start without it.
    pub(crate) async fn reset_failed(&self, unit: &str) -> Result<(), HostError> {
        if let Some(stem) = unit.strip_suffix(".service") {
            self.reset_one(&format!("{stem}.socket")).await?;
        }
        self.reset_one(unit).await
    }

    async fn reset_one(&self, unit: &str) -> Result<(), HostError> {
        let doing = || format!("reset the failed state of {unit}");
        let call = self.call::<_, ()>(PATH, MANAGER, "ResetFailedUnit", (unit,));
        unless_unknown(asked(doing, call).await)
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
        let job: OwnedObjectPath = asked(doing, call).await?;
        let result = match bounded(timeout, doing, result_of(&job, &mut removed)).await {
            Ok(Some(result)) => result,
            Ok(None) => "lost: the system bus went away".to_owned(),
            Err(_) => {
                let waits_for = self.still_starting(unit).await;
                let error = self.late(verb, unit, timeout, waits_for, since).await;
                self.cancel(&job).await;
                return Err(error);
            }
        };
        if result == "done" {
            return Ok(());
        }
        Err(self.explained(verb, unit, &result, since).await)
    }

    /// `JobRemoved` signals from now on: the match is added before the job exists, else a short
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
        asked(doing, subscribe).await
    }

    /// The error for a unit that did not get there within `after`, with its state and what it wrote since `since`.
    /// `waits_for` is a unit that it needs and that is still starting.
    pub(crate) async fn late(
        &self,
        verb: &'static str,
        unit: &str,
        after: Duration,
        waits_for: Option<String>,
        since: SystemTime,
    ) -> HostError {
        let state = self.unit(unit).await.unwrap_or_default();
        // One that fails again and again would do so in any time.
        let fails = state.active == "failed" || state.sub == "auto-restart";
        let why = match (waits_for, fails) {
            (Some(other), _) => format!("it waits for {other} to start"),
            (None, true) => format!("{}{}", state.result, status(&state)),
            (None, false) => format!("its state is {}/{}", state.active, state.sub),
        };
        HostError::UnitFailed {
            unit: unit.to_owned(),
            verb,
            why: format!("not done within {} s: {why}", after.as_secs_f64()),
            result: if fails { "failed" } else { "timeout" }.into(),
            journal: journal(unit, Some(since)).await,
            cause: None,
        }
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
        let causes = match result {
            "dependency" => self.causes(unit, since).await,
            _ => None,
        };
        let (why, journal) = match &causes {
            Some(causes) => (format!("it needs {}", causes.why), causes.journal.clone()),
            None => (why(result, &state), journal(unit, Some(since)).await),
        };
        HostError::UnitFailed {
            unit: unit.to_owned(),
            verb,
            why,
            result: result.into(),
            journal,
            cause: causes.map(Box::new),
        }
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
    super::journal::sync().await;
    let mut command = Command::new("journalctl");
    command
        // With `--since=` alone, `-n` counts from there: the first lines of a run, not the last.
        .args(["-u", unit, "-n", READ, "-r", "--no-pager", "-q"])
        .args(["-o", "json", "--output-fields=MESSAGE,_PID"])
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
    last_lines(&output.stdout)
}

/// The last [`SHOWN`] lines in the order of time, of entries with the newest first. What the unit's own processes wrote
/// goes before what the manager wrote about it: the reason is there.
fn last_lines(entries: &[u8]) -> Vec<String> {
    let entries = entries.split(|byte| *byte == b'\n');
    let entries = entries.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    let lines: Vec<(bool, String)> = entries
        .filter_map(|entry| Some((entry.pid.as_deref() != Some("1"), entry.text()?)))
        .collect();
    let own = lines.iter().filter(|(own, _)| *own).count().min(SHOWN);
    let (mut own, mut managers) = (own, SHOWN - own);
    let mut shown: Vec<String> = Vec::new();
    for (is_own, text) in lines {
        let room = if is_own { &mut own } else { &mut managers };
        if *room > 0 {
            *room -= 1;
            shown.push(text);
        }
    }
    shown.reverse();
    shown
}

/// An entry of the journal in the form of `journalctl -o json`, journalctl(1).
#[derive(serde::Deserialize)]
struct Entry {
    #[serde(rename = "MESSAGE")]
    message: Option<Field>,
    #[serde(rename = "_PID")]
    pid: Option<String>,
}

impl Entry {
    /// The text of the entry in one line, without colours, which compose writes wherever it runs.
    fn text(self) -> Option<String> {
        let text = self.message?.text().replace('\n', " ");
        Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
    }
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
    fn what_a_unit_wrote_itself_goes_before_what_the_manager_wrote() {
        let entry =
            |pid: u32, text: &str| format!("{{\"MESSAGE\":\"{text}\",\"_PID\":\"{pid}\"}}\n");
        let manager = (0..12).map(|number| entry(1, &format!("manager {number}")));
        let newest_first: String = manager.chain([entry(7, "the reason")]).collect();
        let lines = last_lines(newest_first.as_bytes());
        assert_eq!(lines.len(), SHOWN);
        assert_eq!(lines.first().map(String::as_str), Some("the reason"));
        assert_eq!(lines.last().map(String::as_str), Some("manager 0"));
    }

    #[test]
    fn colours_and_bytes_become_text() {
        let entries = b"{\"MESSAGE\":[27,91,51,49,109,114,101,100,27,91,48,109],\"_PID\":\"9\"}\n{\"MESSAGE\":null}\nnot json\n";
        assert_eq!(last_lines(entries), ["red"]);
        let twice = br#"{"MESSAGE":["one","other"],"_PID":"9"}"#;
        assert_eq!(last_lines(twice), ["one other"]);
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
