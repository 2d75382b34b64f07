//! A run that changes the host by a plan, as `apply` and `rollback` show it: the plan, the question, the steps, the end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anstyle::Style;
use serde::Serialize;

use super::ended::{Ended, Ran};
use super::json::{self, FORMAT_VERSION};
use super::options::Show;
use super::output::{Output, clean, styled};
use super::progress::Lines;
use super::render::plan::{self, origin};
use super::render::{self, GOOD, WARN, count, records};
use super::session::Session;
use super::{DEGRADED, DIFFERENCES, ask, logging};
use crate::effect::{Note, Plan};
use crate::model::{Answer, DriftKind, Outcome, RunKind, RunRecord};
use crate::reconcile::{self, Loss, Planned, ReconcileError, Skip};

/// Runs it, and shows what it is about to do and did.
pub(super) async fn change(
    session: &Session<'_>,
    show: Show,
    asks: bool,
    output: &mut Output,
    run: impl AsyncFnOnce(
        &mut Lines,
        &mut dyn FnMut(&Planned) -> bool,
    ) -> Result<reconcile::Applied, ReconcileError>,
) -> Ran<Applied> {
    let mut presented = None;
    let mut present = |planned: &Planned| {
        presented = Some(json::Plan::new(planned, show.show_secrets));
        let mut output = session.output();
        if !show.json {
            render::plan(&mut output, planned, show.show_secrets, false);
        }
        let loss = Loss::of(planned);
        !asks || loss.is_none() || ask::may_go(&mut output, &loss)
    };
    let mut lines = session.lines(show.json);
    let began = Instant::now();
    let applied = run(&mut lines, &mut present).await?;
    lines.end();
    logging::applied(&applied);
    let status = match &applied {
        reconcile::Applied::Skipped(_) => DIFFERENCES,
        reconcile::Applied::Done(record) if record.outcome == Outcome::Degraded => DEGRADED,
        reconcile::Applied::InSync { .. } | reconcile::Applied::Done(_) => 0,
    };
    let in_sync = match &applied {
        reconcile::Applied::InSync { planned, .. } => planned.commit_in_sync(),
        _ => None,
    };
    if show.json {
        if let reconcile::Applied::InSync { planned, .. } = &applied {
            presented = Some(json::Plan::new(planned, show.show_secrets));
        }
        let json = Applied::new(applied, presented, lines.warnings());
        return Ok(Ended {
            in_sync,
            ..Ended::with_json(status, json)
        });
    }
    print(output, &applied, began.elapsed(), lines.warnings().len());
    Ok(Ended {
        in_sync,
        ..Ended::with_text(status)
    })
}

fn print(output: &mut Output, applied: &reconcile::Applied, took: Duration, warnings: usize) {
    match applied {
        reconcile::Applied::InSync { planned, gates } => {
            let passed = match gates.len() {
                0 => String::new(),
                1 => "; its health gate passed".to_owned(),
                many => format!("; all {many} health gates passed"),
            };
            let (style, word, but) = in_sync(&planned.plan);
            let (word, origin) = (styled(style, word), origin(&planned.origin));
            output.line(&format!("{word}: {origin}{passed}{but}"));
            plan::warnings(output, planned);
            plan::notes(output, planned);
        }
        reconcile::Applied::Done(record) => done(output, record, took, warnings),
        reconcile::Applied::Skipped(skip) => {
            let word = styled(WARN, "skipped");
            output.line(&format!("{word}: {}", records::skip(skip)));
        }
    }
}

/// How a plan without changes is shown, and what `drift` reports all the same: trouble that no change of ours fixes.
fn in_sync(plan: &Plan) -> (Style, &'static str, String) {
    let notes = plan.notes.iter();
    let reported = notes.filter(|note| note.drift.is_some());
    let degraded = |note: &&Note| note.drift == Some(DriftKind::Degraded);
    let (degraded, others): (Vec<&Note>, Vec<&Note>) = reported.partition(degraded);
    let how = match others.is_empty() {
        true => "degraded",
        false => "out of sync",
    };
    let all = degraded.iter().chain(&others);
    let ids: BTreeSet<_> = all.map(|note| &note.id).collect();
    match ids.len() {
        0 => (GOOD, "in sync", String::new()),
        number => {
            let are = if number == 1 { "is" } else { "are" };
            let number = count(number, "resource");
            let but = format!("; {number} {are} {how}: watchme-apply drift");
            (WARN, "nothing to apply", but)
        }
    }
}

fn done(output: &mut Output, record: &RunRecord, took: Duration, warnings: usize) {
    let done = match record.back_to {
        Some(number) => format!("back to generation {number}"),
        None => "applied".to_owned(),
    };
    if record.kind == RunKind::Uninstall {
        let (changes, took) = (count(record.changes.len(), "change"), took.as_secs_f64());
        output.line(&format!(
            "{}: {changes} in {took:.1} s; verified",
            styled(GOOD, "removed")
        ));
        return;
    }
    let (style, done, verified) = match record.degraded.is_empty() {
        true => (GOOD, done, "in sync".to_owned()),
        false => (
            WARN,
            format!("{done}, degraded"),
            format!("in sync but for {}", count(record.degraded.len(), "unit")),
        ),
    };
    let passed = match record.gates.len() {
        0 => String::new(),
        1 => "; its health gate passed".to_owned(),
        number => format!("; {number} health gates passed"),
    };
    output.line(&format!(
        "{} as {}: {}; {} in {:.1} s; verified: {verified}{passed}{}",
        styled(style, &done),
        records::generation(record),
        origin(&record.origin),
        count(record.changes.len(), "change"),
        took.as_secs_f64(),
        match warnings {
            0 => String::new(),
            number => format!("; {} above", count(number, "warning")),
        }
    ));
    for why in &record.degraded {
        output.line(&format!("  {} {}", styled(WARN, "degraded"), clean(why)));
    }
}

/// `apply --json` and `rollback --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Applied {
    format_version: u32,
    /// `in-sync`, `applied`, `degraded` (applied, but units that may fail did), or `skipped` by an unattended run.
    outcome: &'static str,
    plan: Option<json::Plan>,
    run: Option<RunRecord>,
    /// Health gates that were checked, each with its answer.
    gates: Vec<Answer>,
    /// Why an unattended run changed nothing.
    skip: Option<Skip>,
    /// What needs attention although the run succeeded.
    warnings: Vec<String>,
}

json::document!(Applied = "apply");

impl Applied {
    fn new(applied: reconcile::Applied, plan: Option<json::Plan>, warnings: &[String]) -> Self {
        let (outcome, run, skip, gates) = match applied {
            reconcile::Applied::InSync { gates, .. } => ("in-sync", None, None, gates),
            reconcile::Applied::Done(record) => {
                let outcome = match record.outcome {
                    Outcome::Degraded => "degraded",
                    _ => "applied",
                };
                let gates = record.gates.clone();
                (outcome, Some(*record), None, gates)
            }
            reconcile::Applied::Skipped(skip) => ("skipped", None, Some(*skip), Vec::new()),
        };
        Self {
            format_version: FORMAT_VERSION,
            outcome,
            plan,
            run,
            gates,
            skip,
            warnings: warnings.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceId;

    fn words(notes: &[(&str, Option<DriftKind>)]) -> String {
        let note = |(unit, drift): &(&str, Option<DriftKind>)| Note {
            id: ResourceId::new(crate::model::Kind::Unit, *unit),
            drift: *drift,
            text: String::new(),
        };
        let plan = Plan {
            notes: notes.iter().map(note).collect(),
            ..Plan::default()
        };
        let (_, word, but) = in_sync(&plan);
        format!("{word}{but}")
    }

    #[test]
    fn what_drift_reports_is_not_in_sync() {
        let degraded = Some(DriftKind::Degraded);
        for (notes, expected) in [
            (&[] as &[_], "in sync"),
            (&[("a.service", None)], "in sync"),
            (
                &[("a.service", degraded), ("a.service", degraded)],
                "nothing to apply; 1 resource is degraded: watchme-apply drift",
            ),
            (
                &[
                    ("a.service", degraded),
                    ("b.service", Some(DriftKind::Unloaded)),
                ],
                "nothing to apply; 2 resources are out of sync: watchme-apply drift",
            ),
        ] {
            assert_eq!(words(notes), expected);
        }
    }
}
