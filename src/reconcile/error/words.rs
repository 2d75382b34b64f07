//! Words of errors.

use std::path::PathBuf;

use crate::apply::{Progress, StepError};
use crate::effect::Refusal;
use crate::host::HostError;
use crate::model::Finding;
use crate::state::StateError;

/// Tells of a record that could not be kept; the run goes on, or ended, all the same.
pub(in crate::reconcile) fn warn(what: &str, cause: &StateError, progress: &mut dyn Progress) {
    let why = with_hint(cause, cause.hint());
    progress.warn(&format!("{what}: {why}"));
}

/// The same of another cause.
pub(in crate::reconcile) fn warn_of(
    what: &str,
    cause: &dyn std::error::Error,
    progress: &mut dyn Progress,
) {
    progress.warn(&format!("{what}: {}", chain(cause)));
}

/// An error with its causes and what helps, in one line.
pub(in crate::reconcile) fn with_hint(
    error: &dyn std::error::Error,
    hint: Option<String>,
) -> String {
    match hint {
        Some(hint) => format!("{} ({hint})", chain(error)),
        None => chain(error),
    }
}

/// An error with its causes, in one line.
pub(in crate::reconcile) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

pub(super) fn secrets(failed: &[(String, HostError)]) -> String {
    match failed.len() {
        1 => "1 secret was".to_owned(),
        count => format!("{count} secrets were"),
    }
}

pub(super) fn listed_secrets(failed: &[(String, HostError)]) -> String {
    let lines = failed.iter();
    lines.map(|(_, error)| format!("\n  {error}")).collect()
}

pub(super) fn lines(errors: &[StepError]) -> String {
    errors.iter().map(|error| format!("\n{error}")).collect()
}

pub(super) fn count(paths: &[PathBuf]) -> String {
    match paths {
        [path] => path.display().to_string(),
        paths => format!("{} inputs", paths.len()),
    }
}

/// ` BEFORE 1, 2, 3`; nothing for nothing.
pub(in crate::reconcile) fn listed(before: &str, numbers: &[u64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    match numbers.is_empty() {
        true => String::new(),
        false => format!("{before} {}", numbers.join(", ")),
    }
}

pub(super) fn same(number: u64, present: u64) -> String {
    match number == present {
        true => format!("generation {number}"),
        false => format!("generation {number}, as generation {present},"),
    }
}

pub(super) fn errors(findings: &[Finding]) -> String {
    match findings.iter().filter(|finding| finding.is_error()).count() {
        1 => "1 error".to_owned(),
        many => format!("{many} errors"),
    }
}

pub(super) fn refused(refusals: &[Refusal]) -> String {
    match refusals.len() {
        1 => "refused".to_owned(),
        many => format!("refused for {many} reasons"),
    }
}
