//! `logs`: what a service wrote, and what nginx wrote of it, in the order of time.

use anstyle::{AnsiColor, Style};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{Command, Ended, Output, Ran, Session};
use crate::cli::Failure;
use crate::cli::json::{self, FORMAT_VERSION};
use crate::cli::masks::{hidden, safe};
use crate::cli::options::Input;
use crate::cli::output::{clean, styled};
use crate::cli::render::{BAD, DIM, WARN, layout};
use crate::reconcile::{self, LogKind, LogLine, LogSource, LogWish, Told};

/// Lines without a word for it.
const LINES: usize = 100;
/// Lines of a time that is asked for, and at most.
const MOST: usize = 10_000;

/// Show all log lines of a service: journal, containers, and nginx requests to its routes; writes nothing
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A unit, stack, compose project, container or site; site/NAME for a site that has the same name as a unit
    name: String,
    /// Only lines since this time: 1h, 90m or 2d ago, or 2026-01-31 06:00
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Show the last LINES lines [default: 100; with --since: 10000; at most 10000]
    #[arg(short = 'n', long, value_name = "LINES", value_parser = lines)]
    lines: Option<usize>,
    /// Keep printing new lines until Ctrl-C
    #[arg(short, long, conflicts_with = "json")]
    follow: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply logs blog                        # the last 100 lines of the unit, its containers and its routes
  sudo watchme-apply logs blog --since 1h             # the lines of the last hour
  sudo watchme-apply logs api-1 -n 20 -f              # the last 20 lines of a container, then new ones
  sudo watchme-apply logs site/blog.example.com       # all requests of a site";

    type Json = Logs;
    const CHANGES_THE_HOST: bool = false;

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<Logs> {
        let request = session.request(session.known_folder()?, &Input::default());
        let most = match self.since {
            Some(_) => MOST,
            None => LINES,
        };
        let wish = LogWish {
            name: self.name.clone(),
            since: self.since,
            most: self.lines.unwrap_or(most),
            follow: self.follow,
        };
        let mut is_known = true;
        let mut json = None;
        let mut width = 0;
        let mut tell = |told: Told<'_>| {
            match told {
                Told::Unknown => is_known = false,
                Told::Now(found) if self.json => json = Some(Logs::new(&self.name, found)),
                Told::Now(found) => {
                    let sources = found.sources.iter();
                    let widths = sources.map(|one| layout::wide(label(one.kind, &one.source)));
                    width = widths.max().unwrap_or(0);
                    let lines = found.lines.iter();
                    lines.for_each(|line| print(output, line, width));
                    about(output, &wish, &found);
                }
                Told::More(lines) => lines.iter().for_each(|line| print(output, line, width)),
            }
            output.flush();
            !output.is_closed()
        };
        let telling = reconcile::logs(session.host()?, &request, &wish, &mut tell);
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Runtime)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Runtime)?;
        tokio::select! {
            told = telling => told?,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        match (is_known, json) {
            (false, _) => Err(Failure::NoLogs {
                name: self.name.clone(),
            }),
            (true, Some(json)) => Ok(Ended::with_json(0, json)),
            (true, None) => Ok(Ended::with_text(0)),
        }
    }
}

/// A line with its time and its source.
fn print(output: &mut Output, line: &LogLine, width: usize) {
    let time = line.time.map_or_else(|| " ".repeat(23), moment);
    let source = layout::padded(label(line.kind, &line.source), width);
    let text = safe(&line.text);
    let source = styled(tone(line.kind), &clean(&source));
    output.line(&format!("{}  {source}  {text}", styled(DIM, &time)));
}

/// What is said of logs without lines, and of lines that are left out: to people, beside the lines.
fn about(output: &mut Output, wish: &LogWish, found: &reconcile::Logs) {
    if found.lines.is_empty() {
        let since = wish
            .since
            .map_or_else(String::new, |since| format!(" since {}", moment(since)));
        output.aside(&format!("{} has no lines{since}:", clean(&wish.name)));
    }
    for source in &found.sources {
        if let Some(why) = &source.why {
            let text = format!("{} {}: {why}", kind(source.kind), source.source);
            output.aside(&styled(DIM, &safe(&text)));
        }
    }
    for note in &found.notes {
        output.aside(&styled(DIM, &format!("note {}", safe(note))));
    }
    for warning in &found.warnings {
        output.aside(&format!("{} {}", styled(WARN, "warning"), safe(warning)));
    }
    if found.lines.len() == wish.most && wish.most > 0 {
        let text = match wish.most {
            MOST => "older lines are not shown: use --since with a shorter time".to_owned(),
            most => format!("these are the last {most}; more: -n {MOST}"),
        };
        output.aside(&styled(DIM, &text));
    }
}

/// What a source is called beside a line: files of nginx by their name alone.
fn label(kind: LogKind, source: &str) -> &str {
    match kind {
        LogKind::Journal | LogKind::Container => source,
        LogKind::Access | LogKind::Error => source.rsplit('/').next().unwrap_or(source),
    }
}

fn kind(kind: LogKind) -> &'static str {
    match kind {
        LogKind::Journal => "unit",
        LogKind::Container => "container",
        LogKind::Access | LogKind::Error => "nginx",
    }
}

fn tone(kind: LogKind) -> Style {
    match kind {
        LogKind::Journal => AnsiColor::Cyan.on_default(),
        LogKind::Container => AnsiColor::Blue.on_default(),
        LogKind::Access => AnsiColor::Green.on_default(),
        LogKind::Error => BAD,
    }
}

/// With milliseconds, as the reader's clock shows it.
fn moment(time: Timestamp) -> String {
    let zoned = time.to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn since(text: &str) -> Result<Timestamp, String> {
    let before = |span: Span| Zoned::now().checked_sub(span).ok();
    let moment = || {
        let time: DateTime = text.parse().ok()?;
        TimeZone::system().to_timestamp(time).ok()
    };
    let ago = text.parse().ok().and_then(before);
    let ago = ago.map(|time| time.timestamp());
    ago.or_else(|| text.parse().ok())
        .or_else(moment)
        .ok_or_else(|| "expected a time such as 1h, 90m or 2d, or 2026-01-31 06:00".to_owned())
}

fn lines(text: &str) -> Result<usize, String> {
    let number: Option<usize> = text.parse().ok();
    number
        .filter(|number| *number <= MOST)
        .ok_or_else(|| format!("expected a number up to {MOST}"))
}

/// `logs --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Logs {
    format_version: u32,
    /// As it was asked for.
    name: String,
    /// The lines, in the order of time; values that look like secrets are masked.
    lines: Vec<LogLine>,
    /// The logs that were looked at, also those without a line.
    sources: Vec<LogSource>,
    /// Why logs are not there, or may have lines of others.
    notes: Vec<String>,
    /// What could not be looked at.
    warnings: Vec<String>,
}

json::document!(Logs = "logs");

impl Logs {
    fn new(name: &str, found: reconcile::Logs) -> Self {
        let masked = |text: String| hidden(&text);
        let lines = found.lines.into_iter().map(|line| LogLine {
            text: masked(line.text),
            ..line
        });
        let sources = found.sources.into_iter().map(|source| LogSource {
            why: source.why.map(masked),
            ..source
        });
        Self {
            format_version: FORMAT_VERSION,
            name: name.to_owned(),
            lines: lines.collect(),
            sources: sources.collect(),
            notes: found.notes.into_iter().map(masked).collect(),
            warnings: found.warnings.into_iter().map(masked).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_usual_ones() {
        for right in [
            "1h",
            "90m",
            "2d",
            "1h30m",
            "2026-01-31 06:00",
            "2026-01-31",
            "2026-01-31T06:00:00Z",
        ] {
            assert!(since(right).is_ok(), "{right}");
        }
        for wrong in ["", "soon", "25:00", "1 parsec"] {
            let said = since(wrong).unwrap_err();
            assert!(said.contains("such as 1h"), "{wrong}");
        }
        assert!(lines("10001").is_err());
        assert_eq!(lines("0"), Ok(0));
    }
}
