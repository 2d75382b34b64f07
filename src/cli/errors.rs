//! Errors as text: what was being done, what the system said, and what helps.

use std::error::Error;

use anstyle::{AnsiColor, Style};

use super::Failure;
use super::masks::mask;
use super::output::{Output, clean, styled};
use super::render::{HELP, diff_lines};
use super::snippet;
use crate::effect::Refusal;
use crate::reconcile::ReconcileError;
use crate::source::SourceError;

const BAD: Style = AnsiColor::Red.on_default().bold();

pub(super) fn print(output: &mut Output, failure: &Failure) {
    if let Failure::Reconcile(ReconcileError::Source(
        SourceError::Syntax(diagnostic)
        | SourceError::Refused {
            place: diagnostic, ..
        },
    )) = failure
    {
        return output.aside(&snippet::syntax(diagnostic));
    }
    for finding in failure.findings() {
        output.aside(&snippet::finding(finding));
    }
    let told = lines(&failure.told());
    output.aside(&format!("{} {told}", styled(BAD, "error:")));
    // What a command said may have anything in it.
    let shown = |text: String| match failure.is_of_backup() {
        true => masked(&text),
        false => text,
    };
    for cause in causes(failure) {
        let text = lines(&shown(cause.to_string()));
        output.aside(&format!("{} {text}", styled(BAD, "caused by:")));
    }
    for refusal in failure.refusals() {
        print_refusal(output, refusal);
    }
    if let Failure::Reconcile(ReconcileError::Dirty { paths }) = failure {
        for path in paths {
            output.aside(&format!("    {}", clean(&path.to_string_lossy())));
        }
    }
    if let Some(hint) = failure.hint() {
        output.aside(&format!("{} {}", styled(HELP, "hint:"), lines(&hint)));
    }
}

fn print_refusal(output: &mut Output, refusal: &Refusal) {
    let id = refusal.id.to_string();
    output.aside(&format!("  {}: {}", clean(&id), clean(&refusal.why)));
    let lost = refusal.diff.iter();
    lost.flat_map(|lost| diff_lines(lost, false))
        .for_each(|line| output.aside(&line));
    for line in &refusal.help {
        output.aside(&format!("      {}", clean(line)));
    }
}

/// What caused an error, the nearest first.
pub(super) fn causes(failure: &Failure) -> impl Iterator<Item = &dyn Error> {
    std::iter::successors(failure.source(), |cause| (*cause).source())
}

/// Lines that are safe for a terminal.
fn lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n    ")
}

fn masked(text: &str) -> String {
    text.lines().map(mask).collect::<Vec<_>>().join("\n")
}

/// An error with its causes, in one line for a log.
pub(super) fn one_line(failure: &Failure) -> String {
    let mut text = failure.told();
    for cause in causes(failure) {
        text = format!("{text}: {cause}");
    }
    for finding in failure.findings() {
        text = format!("{text}; {}", mask(&finding.to_string()));
    }
    match failure.is_of_backup() {
        true => masked(&text).replace('\n', " "),
        false => text.replace('\n', " "),
    }
}
