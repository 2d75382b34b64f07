//! Runs, pauses and the waits of unattended runs in words.

use super::{BAD, WARN, count, when};
use crate::cli::output::clean;
use crate::model::{Outcome, Pause, RunKind, RunRecord, is_not_confirmed};
use crate::reconcile::Skip;

/// A run as a command.
pub(in crate::cli) fn what(run: &RunRecord) -> String {
    let only = run.only.iter().map(|only| format!(" --only {only}"));
    let only: String = only.collect();
    let back_to = run.back_to.map(|number| format!(" {number}"));
    let back_to = back_to.unwrap_or_default();
    format!("{}{back_to}{only}", run.kind.as_str())
}

/// Who ran it: `by ubuntu`. Nobody did what went back by itself, but somebody had applied it.
pub(in crate::cli) fn by(run: &RunRecord) -> String {
    match is_not_confirmed(&run.by) {
        true => match run.by.rsplit_once("applied by ") {
            Some((_, person)) => {
                format!("automatically: nobody confirmed what {person} had applied")
            }
            None => "automatically: nobody confirmed what was applied".to_owned(),
        },
        false => format!("by {}", run.by),
    }
}

/// How a run is shown that ended so.
pub(in crate::cli) fn tone(outcome: Outcome) -> anstyle::Style {
    match outcome {
        Outcome::Applied => anstyle::Style::new(),
        Outcome::Degraded => WARN,
        Outcome::Failed | Outcome::RolledBack | Outcome::Incomplete => BAD,
    }
}

/// `generation 3`.
pub(in crate::cli) fn generation(record: &RunRecord) -> String {
    match record.number {
        Some(number) => format!("generation {number}"),
        None => "no generation".to_owned(),
    }
}

/// That the last run failed, and why.
pub(in crate::cli) fn failed(run: &RunRecord) -> String {
    let of = format!("{} {}, {}", what(run), by(run), when(run.time));
    if (run.kind, run.outcome) == (RunKind::Recover, Outcome::RolledBack) {
        return format!("the last run was interrupted, and undone ({of})");
    }
    let degraded = run.degraded.join("; ");
    let known = Some(degraded.as_str()).filter(|text| !text.is_empty());
    let why = run.reason.as_deref().or(known).unwrap_or("unknown reason");
    let ended = match run.outcome {
        Outcome::Applied => "was applied",
        Outcome::Degraded => "was applied, degraded",
        Outcome::Failed => "failed",
        Outcome::RolledBack => "was rolled back",
        Outcome::Incomplete => "failed, and its rollback is incomplete",
    };
    format!("the last run ({of}) {ended}: {why}")
}

/// A run in one line.
pub(in crate::cli) fn ended(run: &RunRecord) -> String {
    format!("{} {} at {}", what(run), by(run), when(run.time))
}

/// Why an unattended run changes nothing, and what ends that.
pub(in crate::cli) fn skip(skip: &Skip) -> String {
    let text = match skip {
        Skip::Hold(hold) if is_not_confirmed(&hold.by) => format!(
            "this revision was not confirmed, and was rolled back to generation {} at {}: it is skipped until its inputs change or `watchme-apply apply` runs",
            hold.back_to,
            when(hold.since)
        ),
        Skip::Hold(hold) => format!(
            "{} rolled back from this revision to generation {} at {}: it is skipped until its inputs change or `watchme-apply apply` runs",
            hold.by,
            hold.back_to,
            when(hold.since)
        ),
        Skip::Quarantine(quarantine) => format!(
            "this revision failed at {} ({}): it is skipped until its inputs change, or --retry or `watchme-apply apply` runs it",
            when(quarantine.since),
            quarantine.reason
        ),
        Skip::BackOff(back_off) => format!(
            "{} failed, the last at {} ({}): the next try is at {}; `watchme-apply apply` or --retry tries at once",
            count(back_off.failures as usize, "run"),
            when(back_off.last),
            back_off.reason,
            when(back_off.next)
        ),
    };
    clean(&text).into_owned()
}

pub(in crate::cli) fn pause(unit: &str, pause: &Pause) -> String {
    let until = match pause.until {
        Some(until) => format!("until {}", when(until)),
        None => "until `watchme-apply resume`".to_owned(),
    };
    format!("{unit} {until}: {} ({})", pause.reason, pause.by)
}
