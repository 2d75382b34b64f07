//! `doctor`: what is wrong, why, and the command that helps. Looks, and writes nothing.
//!
//! `facts` is what is looked at, once; `way` is the way of a URL, with what each part of it answers. `causes` makes of both what
//! is told: it is pure, and has a file for each cause.

mod causes;
mod facts;
mod focus;
mod live;
mod logs;
mod look;
mod said;
mod way;

use jiff::Timestamp;

use super::{ReconcileError, Request, status};
use crate::host::Host;
pub(crate) use causes::Cause;
use focus::Focus;
pub(crate) use focus::Question;
pub(crate) use logs::{LogKind, LogLine, LogSource, LogWish, Logs, Told, logs};

/// What a look for causes brought.
#[derive(Debug, Default)]
pub(crate) struct Diagnosis {
    /// The way of the URL that was asked about, step by step.
    pub steps: Vec<String>,
    /// What is wrong, the nearest first.
    pub causes: Vec<Cause>,
    /// How many deviations `drift` reports.
    pub drift: usize,
    /// What could not be looked at.
    pub warnings: Vec<String>,
    /// Whether the question is about nothing that this host has.
    pub unknown: Option<String>,
}

/// Looks for what is wrong with the whole host, or with what the question is about.
///
/// # Errors
/// When the records cannot be read or the host cannot be looked at.
pub(crate) async fn doctor(
    host: &Host,
    request: &Request,
    question: &Question,
) -> Result<Diagnosis, ReconcileError> {
    let mut status = status::status(host, request).await;
    if let Some(problem) = status.problem.take() {
        return Err(problem);
    }
    let live = live::Live::read(host.root());
    let mut facts = look::facts(host, status, Timestamp::now()).await;
    let mut diagnosis = Diagnosis {
        warnings: std::mem::take(&mut facts.warnings),
        drift: facts.drift,
        ..Diagnosis::default()
    };
    let question = &question.or_kinds(&facts);
    let mut focus = Focus::of(question, &facts);
    let mut of_way = Vec::new();
    if let Question::Url(url) = question {
        let mut way = way::Way::of(&live, url);
        way.ask(host).await;
        focus = Focus::on(&facts, &way);
        diagnosis.steps = way.steps(&facts);
        of_way = causes::of_way(&facts, &way);
        // What is behind a URL that is answered is no cause of anything.
        if way.is_well() {
            focus = Focus::Nothing;
        }
    }
    if let Focus::Unknown = focus {
        diagnosis.unknown = Some(question.to_string());
        return Ok(diagnosis);
    }
    look::logs(host, &mut facts, &focus).await;
    if causes::needs_room(&facts, &focus) {
        look::room(host, &mut facts).await;
    }
    if let Question::Whole | Question::Kinds(_) = question {
        of_way.extend(causes::of_upstreams(&facts, &live.upstreams()));
    }
    of_way.extend(causes::find(&facts, &focus));
    // A service that says nothing is only news of one that is asked about, and if nothing else is.
    if of_way.is_empty() && matches!(question, Question::Name(_)) {
        of_way.extend(causes::silent(&facts, &focus));
    }
    if let Question::Kinds(kinds) = question {
        of_way.retain(|cause| kinds.contains(&cause.what));
    }
    diagnosis.causes = causes::once(of_way);
    Ok(diagnosis)
}
