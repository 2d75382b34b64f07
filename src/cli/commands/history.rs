//! `history`: past runs, one generation with what ran in it, or the git log between two generations.

use clap::error::ErrorKind;
use serde::Serialize;

use super::{Command, Ended, Output, Ran, Session};
use crate::cli::json::{self, FORMAT_VERSION};
use crate::cli::options::Input;
use crate::cli::output::{clean, styled};
use crate::cli::render::plan::origin;
use crate::cli::render::{DIM, STRONG, columns, count, identity, records, when};
use crate::model::{RanImage, RunKind, RunRecord};
use crate::reconcile::{self, Entry, Lines, Part, Span};

/// Show past runs, how each ended, and the commits that it applied
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// One generation, with the images that ran in it; or two, as N..M or N M: list the commits that M has and N does not have
    #[arg(value_name = "N[..M]", num_args = 0..=2)]
    generations: Vec<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl Command for Args {
    const EXAMPLES: &'static str = "\
Examples:
  sudo watchme-apply history
  sudo watchme-apply history 3                        # generation 3, with the images that ran in it
  sudo watchme-apply history 3..5                     # all commits from generation 3 to 5";

    type Json = History;
    const CHANGES_THE_HOST: bool = false;

    fn validate(&self, _offline: bool) -> Result<(), clap::Error> {
        self.part().map(|_| ())
    }

    async fn run(&self, session: &Session<'_>, output: &mut Output) -> Ran<History> {
        let request = session.request(session.known_folder()?, &Input::default());
        let part = self.part().unwrap_or(Part::All);
        let history = reconcile::history(session.host()?, &request, part)?;
        if self.json {
            return Ok(Ended::with_json(0, History::new(history)));
        }
        print(output, &history, matches!(part, Part::One(_)));
        Ok(Ended::with_text(0))
    }
}

impl Args {
    /// What the numbers ask for.
    fn part(&self) -> Result<Part, clap::Error> {
        let named: Vec<&str> = match self.generations.as_slice() {
            [one] => one.splitn(2, "..").collect(),
            other => other.iter().map(String::as_str).collect(),
        };
        let numbers: Result<Vec<u64>, _> = named.iter().map(|text| text.parse()).collect();
        match numbers.as_deref() {
            Ok([]) => Ok(Part::All),
            Ok([one]) => Ok(Part::One(*one)),
            Ok([from, to]) => Ok(Part::Between(Span {
                from: *from,
                to: *to,
            })),
            _ => {
                let text = "expected the number of a generation, or two such as 3..5\n";
                Err(clap::Error::raw(ErrorKind::ValueValidation, text))
            }
        }
    }
}

/// Prints past runs, with what ran if there is one, or the git log between two generations.
fn print(output: &mut Output, history: &reconcile::History, with_images: bool) {
    if let Some((span, log)) = &history.between {
        let title = format!("from generation {} to generation {}", span.from, span.to);
        output.line(&styled(STRONG, &title));
        if log.log.commits.is_empty() && log.log.lacks == 0 && log.unknown.is_none() {
            output.line("  no commits");
        }
        return lines(output, log, "  ");
    }
    if history.entries.is_empty() {
        return output.line("no runs yet");
    }
    let head = [
        "NO", "ENDED", "BY", "RUN", "OUTCOME", "CHANGES", "", "REVISION",
    ];
    let mut rows: Vec<[String; 8]> = vec![head.map(str::to_owned)];
    rows.extend(history.entries.iter().map(row));
    let table = columns(&rows);
    let mut table = table.iter();
    if let Some(head) = table.next() {
        output.line(&styled(DIM, head));
    }
    for (line, entry) in table.zip(&history.entries) {
        let style = match entry.current {
            true => STRONG,
            false => records::tone(entry.run.outcome),
        };
        output.line(&styled(style, line));
        if let Some(reason) = &entry.run.reason {
            output.line(&format!("      {}", clean(reason)));
        }
        if entry.run.kind == RunKind::Prune {
            let removed = entry.run.changes.iter();
            removed.for_each(|what| output.line(&format!("      {}", clean(what))));
        }
        if let Some(log) = &entry.lines {
            lines(output, log, "      ");
        }
        if with_images {
            images(output, entry);
        }
    }
}

/// What the containers of a generation ran when it was verified.
fn images(output: &mut Output, entry: &Entry) {
    if entry.images.is_empty() {
        let text = match entry.kept {
            true => "no images on record: it ran no containers, or an earlier version applied it",
            false => "its images are no longer kept",
        };
        return output.line(&format!("      {}", styled(DIM, text)));
    }
    let head = ["CONTAINER", "UNIT", "IMAGE", "DIGEST"].map(str::to_owned);
    let row = |ran: &RanImage| {
        [
            ran.container.clone(),
            ran.unit.clone(),
            ran.image.clone(),
            identity(ran.digest.as_deref(), &ran.id),
        ]
    };
    let rows: Vec<[String; 4]> = std::iter::once(head)
        .chain(entry.images.iter().map(row))
        .collect();
    for (at, line) in columns(&rows).iter().enumerate() {
        let style = if at == 0 { DIM } else { anstyle::Style::new() };
        output.line(&format!("      {}", styled(style, &clean(line))));
    }
}

fn row(entry: &Entry) -> [String; 8] {
    let run = &entry.run;
    let by = match run.unattended {
        true => format!("{}, unattended", run.by),
        false => run.by.clone(),
    };
    let state = match (entry.current, entry.kept) {
        (true, _) => "current",
        (false, true) => "kept",
        (false, false) => "",
    };
    [
        run.number
            .map_or_else(|| "-".to_owned(), |number| number.to_string()),
        when(run.time),
        by,
        records::what(run),
        run.outcome.as_str().to_owned(),
        run.changes.len().to_string(),
        state.to_owned(),
        match run.kind {
            RunKind::Recover | RunKind::Uninstall | RunKind::Prune => String::new(),
            _ => origin(&run.origin),
        },
    ]
}

/// The commits of a log, each in a line.
pub(super) fn lines(output: &mut Output, lines: &Lines, indent: &str) {
    for line in &lines.log.commits {
        let commit = line.commit.get(..12).unwrap_or(&line.commit);
        let text = format!("{} {}: {}", when(line.time), line.author, line.subject);
        output.line(&format!("{indent}{} {}", styled(DIM, commit), clean(&text)));
    }
    if lines.log.more > 0 {
        output.line(&format!("{indent}and {} more", lines.log.more));
    }
    if lines.log.lacks > 0 {
        let since = lines
            .since
            .map_or_else(String::new, |number| format!(" of generation {number}"));
        let text = format!("without {}{since}", count(lines.log.lacks, "commit"));
        output.line(&format!("{indent}{text}"));
    }
    if let Some(why) = &lines.unknown {
        let text = format!("no git log: {why}");
        output.line(&format!("{indent}{}", styled(DIM, &clean(&text))));
    }
}

/// `history --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct History {
    format_version: u32,
    /// The latest first.
    runs: Vec<Run>,
    /// The git log between two generations, if it was asked for.
    between: Option<Between>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Run {
    #[serde(flatten)]
    run: RunRecord,
    /// Whether its generation is kept, so that `rollback` can go back to it.
    kept: bool,
    /// Whether its generation is what is applied now.
    current: bool,
    /// The commits that its generation brought.
    git: Option<Lines>,
    /// What its containers ran when it was verified; nothing where the generation is not kept, or an earlier version made it.
    images: Vec<RanImage>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Between {
    from: u64,
    to: u64,
    git: Lines,
}

json::document!(History = "history");

impl History {
    fn new(history: reconcile::History) -> Self {
        let runs = history.entries.into_iter().map(|entry| Run {
            run: entry.run,
            kept: entry.kept,
            current: entry.current,
            git: entry.lines,
            images: entry.images,
        });
        let between = history.between.map(|(span, git)| Between {
            from: span.from,
            to: span.to,
            git,
        });
        Self {
            format_version: FORMAT_VERSION,
            runs: runs.collect(),
            between,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_two_numbers() {
        let part = |named: &str| {
            let generations = named.split_whitespace().map(str::to_owned).collect();
            let json = false;
            Args { generations, json }.part().ok()
        };
        let between = Part::Between(Span { from: 3, to: 5 });
        assert_eq!(part(""), Some(Part::All));
        assert_eq!(part("3"), Some(Part::One(3)));
        assert_eq!(part("3..5"), Some(between));
        assert_eq!(part("3 5"), Some(between));
        for wrong in ["3..", "a..b", "1 2 3", "-1 2"] {
            assert_eq!(part(wrong), None, "{wrong}");
        }
    }
}
