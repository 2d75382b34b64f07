//! What ran, and what unattended runs heed.

use super::plan::origin;
use super::{BAD, DIM, STRONG, columns, count, when};
use crate::cli::output::{Output, clean, styled};
use crate::model::{Outcome, RunKind, RunRecord};
use crate::reconcile::{Entry, History, Lines, Skip};

/// Prints what ran, or the git log between two generations.
pub(in crate::cli) fn history(output: &mut Output, history: &History) {
    if let Some((span, log)) = &history.between {
        let title = format!("from generation {} to generation {}", span.from, span.to);
        output.line(&styled(STRONG, &title));
        if log.log.commits.is_empty() && log.log.lacks == 0 && log.unknown.is_none() {
            output.line("  no commits");
        }
        return lines(output, log, "  ");
    }
    if history.entries.is_empty() {
        return output.line("nothing ran yet");
    }
    let head = [
        "NO", "ENDED", "BY", "RUN", "OUTCOME", "CHANGES", "", "REVISION",
    ];
    let rows: Vec<[String; 8]> = [head.map(str::to_owned)]
        .into_iter()
        .chain(history.entries.iter().map(row))
        .collect();
    let table = columns(&rows);
    let mut table = table.iter();
    if let Some(head) = table.next() {
        output.line(&styled(DIM, head));
    }
    for (line, entry) in table.zip(&history.entries) {
        let style = match (entry.current, entry.run.outcome) {
            (true, _) => STRONG,
            (_, Outcome::Applied) => anstyle::Style::new(),
            (_, Outcome::Degraded) => super::WARN,
            _ => BAD,
        };
        output.line(&styled(style, line));
        if let Some(reason) = &entry.run.reason {
            output.line(&format!("      {}", clean(reason)));
        }
        if let Some(log) = &entry.lines {
            lines(output, log, "      ");
        }
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
        what(run),
        run.outcome.as_str().to_owned(),
        run.changes.len().to_string(),
        state.to_owned(),
        match run.kind {
            RunKind::Recover => String::new(),
            _ => origin(&run.origin),
        },
    ]
}

/// What a run was to do, as a command.
fn what(run: &RunRecord) -> String {
    let only: String = run
        .only
        .iter()
        .map(|only| format!(" --only {only}"))
        .collect();
    let back_to = run
        .back_to
        .map_or_else(String::new, |number| format!(" {number}"));
    format!("{}{back_to}{only}", run.kind.as_str())
}

fn lines(output: &mut Output, lines: &Lines, indent: &str) {
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

/// `generation 3`.
pub(super) fn generation(record: &RunRecord) -> String {
    match record.number {
        Some(number) => format!("generation {number}"),
        None => "no generation".to_owned(),
    }
}

/// That the last run failed.
pub(super) fn failed(run: &RunRecord) -> String {
    let degraded = run.degraded.join("; ");
    let known = Some(degraded.as_str()).filter(|text| !text.is_empty());
    let why = run
        .reason
        .as_deref()
        .or(known)
        .unwrap_or("no reason is known");
    format!(
        "the last run, {} by {} at {}, ended {}: {why}",
        what(run),
        run.by,
        when(run.time),
        run.outcome.as_str(),
    )
}

/// A run in one line.
pub(super) fn ended(run: &RunRecord) -> String {
    format!("{} by {} at {}", what(run), run.by, when(run.time))
}

/// Why an unattended run leaves the host alone, and what ends that.
pub(in crate::cli) fn skip(skip: &Skip) -> String {
    let text = match skip {
        Skip::Hold(hold) => format!(
            "{} went back from this revision to generation {} at {}: it is skipped until its inputs change, or `watchme-apply apply`",
            hold.by,
            hold.back_to,
            when(hold.since)
        ),
        Skip::Quarantine(quarantine) => format!(
            "this revision failed at {} ({}): it is skipped until its inputs change, --retry, or `watchme-apply apply`",
            when(quarantine.since),
            quarantine.reason
        ),
        Skip::BackOff(back_off) => format!(
            "{} failed, the last at {} ({}): the next try is due at {}, or at once by `watchme-apply apply` or --retry",
            count(back_off.failures as usize, "run"),
            when(back_off.last),
            back_off.reason,
            when(back_off.next)
        ),
    };
    clean(&text).into_owned()
}
