//! `check`: what the files alone tell, for people and for the machines that run before a merge.

mod explained;
mod github;
mod sarif;
mod text;

use std::mem::ManuallyDrop;
use std::os::unix::fs::MetadataExt;

use super::args::{Args, CheckArgs, Deny, Format};
use super::json;
use super::output::Output;
use super::{DIFFERENCES, Failure, find, render};
use crate::check::{self, Grouped, Subject};
use crate::model::Severity;
use crate::reconcile::ReconcileError;
use crate::source::Checkout;

/// Runs `check`, and returns its exit status.
pub(super) fn run(args: &Args, check: &CheckArgs, output: &mut Output) -> Result<u8, Failure> {
    match &check.explain {
        Some(Some(name)) => {
            let lines = explained::explained(name, args)?;
            lines.iter().for_each(|line| output.line(line));
            return Ok(0);
        }
        Some(None) => {
            list(output);
            return Ok(0);
        }
        None => {}
    }
    let checkout = open(args)?;
    let survey = checkout
        .survey(&check.which())
        .map_err(ReconcileError::from)?;
    // The process ends: a million small pieces need not be given back one by one.
    let (revision, wrong) = &*ManuallyDrop::new(survey);
    let report = check::report(&Subject { revision, wrong });
    let findings = check::grouped(report.findings);
    match check.format {
        Format::Text => text::show(output, &findings, report.off, revision),
        Format::Json => {
            output.json(&json::Check::new(&findings, report.off, &revision.warnings));
        }
        Format::Sarif => output.json(&sarif::log(&findings)),
        Format::Github => github::commands(&findings)
            .iter()
            .for_each(|line| output.line(line)),
    }
    let denied = |found: &Grouped| match check.deny {
        Deny::Errors => found.finding.severity == Severity::Error,
        Deny::Warnings => true,
        Deny::Nothing => false,
    };
    Ok(match findings.iter().any(denied) {
        true => DIFFERENCES,
        false => 0,
    })
}

/// Opens the checkout for those who only read its files and change nothing: whoever owns the folder may own what lies
/// in it. A checkout of a CI run seldom belongs to the user who looks at it.
pub(super) fn open(args: &Args) -> Result<Checkout, Failure> {
    let folder = find::desired_state(args.desired_state.as_deref())?;
    let owner = std::fs::metadata(&folder).map(|metadata| metadata.uid());
    let trusted: Vec<u32> = owner.into_iter().collect();
    Ok(Checkout::open(&folder, &trusted).map_err(ReconcileError::from)?)
}

/// All rules, each with why it is one.
fn list(output: &mut Output) {
    let rows = check::rules()
        .into_iter()
        .map(|rule| [rule.name.to_owned(), rule.why().replace('\n', " ")]);
    for line in render::columns(&rows.collect::<Vec<_>>()) {
        output.line(&line);
    }
}

/// `one error and 2 warnings`, or `nothing`.
fn counted(findings: &[Grouped]) -> String {
    let errors = findings
        .iter()
        .filter(|found| found.finding.is_error())
        .count();
    let words = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        many => Some(format!("{many} {word}s")),
    };
    let parts = [
        words(errors, "error"),
        words(findings.len() - errors, "warning"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(" and "),
    }
}
