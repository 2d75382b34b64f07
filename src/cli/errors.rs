//! Errors, printed once: what was being done, what the system said, what helps.

use std::error::Error;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};

use super::Failure;
use super::output::{Output, clean, is_unsafe, styled};
use crate::model::{Diagnostic, Refusal};
use crate::reconcile::ReconcileError;
use crate::source::SourceError;

const BAD: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

pub(super) fn print(output: &mut Output, failure: &Failure) {
    if let Failure::Reconcile(ReconcileError::Source(SourceError::Syntax(diagnostic))) = failure {
        return output.aside(&snippet(diagnostic));
    }
    output.aside(&format!(
        "{} {}",
        styled(BAD, "error:"),
        lines(&failure.to_string())
    ));
    let mut cause = failure.source();
    while let Some(error) = cause {
        output.aside(&format!(
            "{} {}",
            styled(BAD, "caused by:"),
            lines(&error.to_string())
        ));
        cause = error.source();
    }
    match failure {
        Failure::Reconcile(ReconcileError::Refused(refusals)) => {
            refusals
                .iter()
                .for_each(|refusal| print_refusal(output, refusal));
        }
        Failure::Reconcile(ReconcileError::Dirty { paths }) => {
            for path in paths {
                output.aside(&format!("    {}", clean(&path.to_string_lossy())));
            }
        }
        _ => {}
    }
    if let Some(hint) = failure.hint() {
        output.aside(&format!("{} {}", styled(HELP, "hint:"), lines(&hint)));
    }
}

fn print_refusal(output: &mut Output, refusal: &Refusal) {
    let id = refusal.id.to_string();
    output.aside(&format!("  {}: {}", clean(&id), clean(&refusal.why)));
    for line in &refusal.help {
        output.aside(&format!("      {}", clean(line)));
    }
}

/// Several lines, each safe for a terminal.
fn lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n    ")
}

/// A place in a file: path, line, column, the line itself, and what was expected.
fn snippet(diagnostic: &Diagnostic) -> String {
    let source: String = diagnostic
        .source
        .chars()
        .map(|c| {
            if is_unsafe(c) && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    // Replaced characters may have another length: the span moves with them.
    let moved = |at: usize| {
        let before = diagnostic.source.get(..at).unwrap_or(&diagnostic.source);
        before
            .chars()
            .map(|c| {
                if is_unsafe(c) && c != '\n' && c != '\t' {
                    3
                } else {
                    c.len_utf8()
                }
            })
            .sum::<usize>()
    };
    let span = moved(diagnostic.span.start)..moved(diagnostic.span.end);
    let path = diagnostic.path.to_string_lossy();
    let annotation = AnnotationKind::Primary
        .span(span)
        .label(clean(&diagnostic.expected));
    let snippet = Snippet::source(source)
        .path(clean(&path))
        .annotation(annotation);
    let title = Level::ERROR.primary_title(clean(&diagnostic.message));
    let mut report = vec![title.element(snippet)];
    if let Some(help) = &diagnostic.help {
        report.push(
            Level::HELP
                .secondary_title(clean(help))
                .elements(Vec::<annotate_snippets::Element<'_>>::new()),
        );
    }
    Renderer::styled().render(&report).to_string()
}

/// An error with its causes, in one line for a log.
pub(super) fn one_line(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.replace('\n', " ")
}
