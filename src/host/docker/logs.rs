//! What containers wrote.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptions;
use futures_util::stream::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use super::Docker;
use crate::host::HostError;
use crate::host::systemd::journal::plain;

/// What is kept of a longer line.
const LONGEST: usize = 64 << 10;
/// How much of a container is kept at once: the oldest lines go first.
const BYTES: usize = 8 << 20;
/// When a container that is not there, or does not run, is asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// A line of a container, with when the engine got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerLine {
    /// When; `None` where the engine does not say it.
    pub time: Option<Timestamp>,
    pub text: String,
}

impl Docker {
    /// The last lines that a container wrote, on both of its outputs.
    pub(crate) async fn last_lines(&self, id: &str, most: usize) -> Result<Vec<String>, HostError> {
        self.lines_since(id, most, None).await
    }

    /// The same of what it wrote since a moment.
    pub(crate) async fn lines_since(
        &self,
        id: &str,
        most: usize,
        since: Option<Timestamp>,
    ) -> Result<Vec<String>, HostError> {
        let options = options(most.to_string(), since);
        let doing = || format!("read what container {id} wrote");
        let chunks = self.engine.logs(id, Some(options)).try_collect::<Vec<_>>();
        let chunks = self.line.request(doing, chunks).await?;
        let bytes: Vec<u8> = chunks
            .iter()
            .flat_map(|chunk| chunk.as_ref().to_vec())
            .collect();
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The same with the time of each line.
    pub(crate) async fn timed_lines(
        &self,
        id: &str,
        most: usize,
        since: Option<Timestamp>,
    ) -> Result<Vec<ContainerLine>, HostError> {
        let options = LogsOptions {
            timestamps: true,
            ..options(most.to_string(), since)
        };
        let doing = || format!("read what container {id} wrote");
        let reading = async {
            let mut parts = Parts::default();
            let mut lines: VecDeque<ContainerLine> = VecDeque::new();
            let mut size = 0;
            let mut chunks = std::pin::pin!(self.engine.logs(id, Some(options)));
            while let Some(chunk) = chunks.next().await {
                for line in parts.add(&chunk?) {
                    size += line.text.len();
                    lines.push_back(line);
                }
                while lines.len() > most || size > BYTES {
                    size -= lines.pop_front().map_or(size, |line| line.text.len());
                }
            }
            lines.extend(parts.rest());
            Ok(lines)
        };
        Ok(self.line.request(doing, reading).await?.into())
    }

    /// Sends the lines of a container as it writes them, those after `since`, also once it was made anew under its name; until
    /// nothing listens any more.
    pub(crate) async fn follow(
        self: Arc<Self>,
        name: String,
        mut since: Timestamp,
        to: Sender<(String, ContainerLine)>,
    ) {
        while !to.is_closed() {
            let options = LogsOptions {
                timestamps: true,
                follow: true,
                ..options("all".to_owned(), Some(since))
            };
            let mut parts = Parts::default();
            let mut chunks = std::pin::pin!(self.engine.logs(&name, Some(options)));
            while let Some(Ok(chunk)) = chunks.next().await {
                for line in parts.add(&chunk) {
                    // The engine knows seconds only.
                    if line.time.is_some_and(|time| time <= since) {
                        continue;
                    }
                    since = line.time.unwrap_or(since);
                    if to.send((name.clone(), line)).await.is_err() {
                        return;
                    }
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

fn options(tail: String, since: Option<Timestamp>) -> LogsOptions {
    let since = since.and_then(|since| i32::try_from(since.as_second()).ok());
    LogsOptions {
        stdout: true,
        stderr: true,
        tail,
        since: since.unwrap_or_default(),
        ..LogsOptions::default()
    }
}

/// Lines that are not whole yet: what came of standard output, and of standard error.
#[derive(Default)]
struct Parts([Vec<u8>; 2]);

impl Parts {
    /// The lines that a piece ends.
    fn add(&mut self, chunk: &LogOutput) -> Vec<ContainerLine> {
        let Self([out, err]) = self;
        let part = match chunk {
            LogOutput::StdErr { .. } => err,
            _ => out,
        };
        part.extend_from_slice(chunk.as_ref());
        let Some(end) = part.iter().rposition(|byte| *byte == b'\n') else {
            part.truncate(LONGEST);
            return Vec::new();
        };
        let behind = part.split_off(end + 1);
        let whole = std::mem::replace(part, behind);
        let lines = whole.split(|byte| *byte == b'\n');
        lines.filter_map(line).collect()
    }

    fn rest(self) -> Vec<ContainerLine> {
        self.0.iter().filter_map(|part| line(part)).collect()
    }
}

/// A line behind its time, as `timestamps` of `GET /containers/{id}/logs` asks for it.
fn line(bytes: &[u8]) -> Option<ContainerLine> {
    let text = plain(bytes.get(..LONGEST).unwrap_or(bytes));
    let (time, rest) = match text.split_once(' ') {
        Some((time, rest)) => (time.parse().ok(), rest),
        // An empty line.
        None => (text.parse().ok(), ""),
    };
    let text = match time {
        Some(_) => rest.to_owned(),
        None => text,
    };
    (!text.trim().is_empty()).then_some(ContainerLine { time, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_of_both_outputs() {
        let out = |text: &'static str| LogOutput::StdOut {
            message: text.into(),
        };
        let err = |text: &'static str| LogOutput::StdErr {
            message: text.into(),
        };
        let mut parts = Parts::default();
        let mut texts = Vec::new();
        for chunk in [
            out("2026-01-01T00:00:00.5Z one\n2026-01-01T00:00:01Z tw"),
            err("2026-01-01T00:00:02Z \u{1b}[31merror\u{1b}[0m\n"),
            out("o\n2026-01-01T00:00:03Z \n"),
            out("no time\nrest"),
        ] {
            texts.extend(parts.add(&chunk));
        }
        texts.extend(parts.rest());
        let texts: Vec<(bool, &str)> = texts
            .iter()
            .map(|line| (line.time.is_some(), line.text.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                (true, "one"),
                (true, "error"),
                (true, "two"),
                (false, "no time"),
                (false, "rest")
            ]
        );
    }
}
