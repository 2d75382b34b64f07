//! The journal of units, with the time of each entry: what `journalctl -o json` prints, journalctl(1).

use std::collections::VecDeque;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::Sender;

/// How long the last entries are waited for.
const READ: Duration = Duration::from_secs(20);
/// How long a sync may take.
const SYNC: Duration = Duration::from_secs(3);
/// An entry whose JSON is longer is left out.
const LONGEST: usize = 512 << 10;
/// How much of what journalctl says of an error is kept.
const SAID: u64 = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalEntry {
    /// When it was received.
    pub time: Timestamp,
    /// The unit that it is about, if it says so.
    pub unit: Option<String>,
    /// What it says, in one line or several.
    pub text: String,
    /// Where it is in the journal.
    pub cursor: String,
}

/// The last entries of units, the oldest first, and why there are no more.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub entries: Vec<JournalEntry>,
    pub wrong: Option<String>,
}

/// Waits, for a moment at most, until journald has what was written: what a unit wrote as it ended may still be on its way, and
/// the manager does not wait for that.
pub(super) async fn sync() {
    let mut sync = Command::new("journalctl");
    sync.args(["--sync", "-q"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let _ = tokio::time::timeout(SYNC, sync.status()).await;
}

/// Reads the last entries of units, at most so many, and not those before `since`.
pub(crate) async fn last(units: &[String], most: usize, since: Option<Timestamp>) -> Journal {
    sync().await;
    let mut command = of(units);
    // With `--since=` alone, `-n` counts from there.
    command.args(["-r", "-n", &most.to_string()]);
    command.args(since.map(since_argument));
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return Journal {
                wrong: Some(format!("journalctl cannot be run: {error}")),
                ..Journal::default()
            };
        }
    };
    let mut entries = VecDeque::new();
    let wrong = {
        let reading = async {
            if let Some(printed) = child.stdout.take() {
                let mut printed = BufReader::new(printed);
                while let Some(entry) = entry(&mut printed).await {
                    entries.push_front(entry);
                }
            }
            end(&mut child).await
        };
        match tokio::time::timeout(READ, reading).await {
            Ok(wrong) => wrong,
            Err(_) => Some(format!(
                "journalctl did not end within {} s: older entries may be missing",
                READ.as_secs()
            )),
        }
    };
    Journal {
        entries: entries.into(),
        wrong,
    }
}

/// Sends entries of units as they come, after the one at a cursor, or else since a moment; until nothing listens any more.
pub(crate) async fn follow(
    units: Vec<String>,
    after: Option<String>,
    since: Timestamp,
    to: Sender<JournalEntry>,
) {
    let mut command = of(&units);
    command.args(["-f", "-n", "all"]);
    command.arg(match after {
        Some(cursor) => format!("--after-cursor={cursor}"),
        None => since_argument(since),
    });
    let Ok(mut child) = command.spawn() else {
        return;
    };
    let Some(printed) = child.stdout.take() else {
        return;
    };
    let mut printed = BufReader::new(printed);
    while let Some(entry) = entry(&mut printed).await {
        if to.send(entry).await.is_err() {
            return;
        }
    }
}

fn of(units: &[String]) -> Command {
    let mut command = Command::new("journalctl");
    command
        .args(units.iter().map(|unit| format!("--unit={unit}")))
        .args(["--no-pager", "-q", "-a", "-o", "json"])
        .arg("--output-fields=MESSAGE,UNIT,_SYSTEMD_UNIT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn since_argument(since: Timestamp) -> String {
    let micros = since.subsec_microsecond();
    format!("--since=@{}.{micros:06}", since.as_second())
}

/// What journalctl says of an error, if it ended with one.
async fn end(child: &mut Child) -> Option<String> {
    let mut said = String::new();
    if let Some(errors) = child.stderr.take() {
        let _ = errors.take(SAID).read_to_string(&mut said).await;
    }
    match child.wait().await {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("journalctl ended with {status}: {}", said.trim())),
        Err(error) => Some(format!("journalctl was lost: {error}")),
    }
}

/// The next entry that can be read; `None` at the end.
async fn entry(printed: &mut (impl AsyncBufRead + Unpin)) -> Option<JournalEntry> {
    loop {
        let line = line(printed).await?;
        if let Some(entry) = parse(&line) {
            return Some(entry);
        }
    }
}

/// The next line; what is too long for an entry is empty.
async fn line(printed: &mut (impl AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let mut is_too_long = false;
    loop {
        let read = printed.fill_buf().await.ok()?;
        if read.is_empty() {
            return (!line.is_empty()).then_some(line);
        }
        let end = read.iter().position(|byte| *byte == b'\n');
        let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
        is_too_long |= line.len() + part.len() > LONGEST;
        match is_too_long {
            true => line.clear(),
            false => line.extend_from_slice(part),
        }
        let used = end.map_or(read.len(), |end| end + 1);
        printed.consume(used);
        if end.is_some() {
            return Some(line);
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: String,
    #[serde(rename = "__CURSOR")]
    cursor: String,
    #[serde(rename = "MESSAGE")]
    message: Option<Field>,
    #[serde(rename = "UNIT")]
    about: Option<Field>,
    #[serde(rename = "_SYSTEMD_UNIT")]
    unit: Option<Field>,
}

/// A field: what is no UTF-8, or has control characters, is a list of bytes; a field that an entry has twice is a list.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Field {
    Text(String),
    Bytes(Vec<u8>),
    Several(Vec<Field>),
}

impl Field {
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => plain(text.as_bytes()),
            Self::Bytes(bytes) => plain(&bytes),
            Self::Several(fields) => {
                let texts: Vec<String> = fields.into_iter().map(Self::text).collect();
                texts.join("\n")
            }
        }
    }
}

/// Bytes as text, without colours.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let plain = anstream::adapter::strip_bytes(bytes).into_vec();
    String::from_utf8_lossy(&plain).trim_end().to_owned()
}

fn parse(line: &[u8]) -> Option<JournalEntry> {
    let raw: Raw = serde_json::from_slice(line).ok()?;
    let time = Timestamp::from_microsecond(raw.time.parse().ok()?).ok()?;
    let text = raw.message?.text();
    let unit = raw.about.or(raw.unit).map(Field::text);
    (!text.is_empty()).then_some(JournalEntry {
        time,
        unit,
        text,
        cursor: raw.cursor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(message: &str) -> String {
        format!(
            "{{\"__REALTIME_TIMESTAMP\":\"1700000000000001\",\"__CURSOR\":\"c\",\"MESSAGE\":{message},\"_SYSTEMD_UNIT\":\"a.service\"}}\n"
        )
    }

    #[tokio::test]
    async fn entries_that_can_be_read_come_in_order() {
        let long = json(&format!("\"{}\"", "x".repeat(LONGEST)));
        let text = [
            json("\"first\""),
            "not json\n".to_owned(),
            long,
            json("null"),
            json("[27,91,51,49,109,114,101,100,27,91,48,109]"),
            json("[\"one\",\"two\"]"),
        ]
        .concat();
        let mut printed = BufReader::new(text.as_bytes());
        let mut texts = Vec::new();
        while let Some(entry) = entry(&mut printed).await {
            assert_eq!(entry.unit.as_deref(), Some("a.service"));
            assert_eq!(entry.time.to_string(), "2023-11-14T22:13:20.000001Z");
            texts.push(entry.text);
        }
        assert_eq!(texts, ["first", "red", "one\ntwo"]);
    }
}
