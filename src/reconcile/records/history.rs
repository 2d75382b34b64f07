//! What runs leave in the history, and what it tells.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::reason;
use crate::apply::Progress;
use crate::host::Host;
use crate::model::{Origin, Outcome, RanImage, RunKind, RunRecord, Selector};
use crate::reconcile::{Planned, ReconcileError, Request, error};
use crate::source::{Checkout, Log, SourceError};
use crate::state::State;

/// How many lines of the git log are shown below a generation.
const LINES: usize = 20;

/// The record of a run that begins to change the host.
pub(in crate::reconcile) fn begin(
    state: &State,
    request: &Request,
    kind: RunKind,
    planned: &Planned,
) -> Result<RunRecord, ReconcileError> {
    let number = match kind {
        RunKind::Apply | RunKind::Rollback => Some(state.next_number(&planned.recorded)?),
        _ => None,
    };
    Ok(RunRecord {
        number,
        back_to: planned.generation.filter(|_| kind == RunKind::Rollback),
        ..new(request, kind, planned.origin.clone())
    })
}

/// The record of a run that applies no revision: what was applied last stays, or comes back.
pub(in crate::reconcile) fn begin_without(
    state: &State,
    request: &Request,
    kind: RunKind,
) -> RunRecord {
    let applied = state.recorded().ok().and_then(|recorded| recorded.applied);
    let origin = applied.map(|(run, _)| run.origin);
    new(request, kind, origin.unwrap_or_default())
}

fn new(request: &Request, kind: RunKind, origin: Origin) -> RunRecord {
    RunRecord {
        began: Some(Timestamp::now()),
        by: request.by.clone(),
        unattended: request.unattended,
        only: request.only.iter().map(Selector::to_string).collect(),
        ..RunRecord::new(kind, origin, Timestamp::now())
    }
}

/// Writes down how a run ended. That is no part of the run: when it fails, that is said, and
/// the run ended as it did.
pub(in crate::reconcile) fn end(
    state: &State,
    mut record: RunRecord,
    result: Result<(), ReconcileError>,
    progress: &mut dyn Progress,
) -> Result<RunRecord, ReconcileError> {
    match &result {
        Ok(()) if record.kind == RunKind::Recover => {
            record.outcome = Outcome::RolledBack;
            record.reason = Some("a run was interrupted".to_owned());
        }
        Ok(()) => {}
        Err(cause) => {
            record.outcome = outcome(cause);
            record.reason = Some(reason::reason(cause));
            record.number = None;
        }
    }
    if result.is_err() || record.kind == RunKind::Recover {
        record.time = Timestamp::now();
    }
    if let Err(cause) = state.remember(record.clone()) {
        error::warn("the run is not in the history", &cause, progress);
    }
    result.map(|()| record)
}

fn outcome(error: &ReconcileError) -> Outcome {
    match error {
        ReconcileError::RolledBack { .. } => Outcome::RolledBack,
        ReconcileError::Incomplete { .. } | ReconcileError::Unrecovered { .. } => {
            Outcome::Incomplete
        }
        _ => Outcome::Failed,
    }
}

/// What ran, and what git says about it.
#[derive(Debug)]
pub(crate) struct History {
    /// The runs, the youngest first.
    pub entries: Vec<Entry>,
    /// The git log between two generations, if it was asked for.
    pub between: Option<(Span, Lines)>,
}

/// A run.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its record.
    pub run: RunRecord,
    /// Whether its generation is kept, so that `rollback` can go back to it.
    pub kept: bool,
    /// Whether its generation is what is applied now.
    pub current: bool,
    /// What it brought; `None` for a run that made no generation.
    pub lines: Option<Lines>,
    /// What ran when its generation was verified, as far as that is kept.
    pub images: Vec<RanImage>,
}

/// What of the history is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All runs.
    All,
    /// The run that made this generation.
    One(u64),
    /// The git log between two generations.
    Between(Span),
}

/// The git log from one generation to another.
#[derive(Debug, Default, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Lines {
    /// What it has; empty where git cannot tell.
    #[serde(flatten)]
    pub log: Log,
    /// Number of the generation that it is compared with.
    pub since: Option<u64>,
    /// Why git cannot tell.
    pub unknown: Option<String>,
}

/// Two generations: the log has what the second has and the first has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first.
    pub from: u64,
    /// The second.
    pub to: u64,
}

/// What ran, with the git log below each generation; one of them, or the whole log between two generations.
/// Writes nothing.
///
/// # Errors
/// When the history is damaged, or has no such generation.
pub(crate) fn history(
    host: &Host,
    request: &Request,
    part: Part,
) -> Result<History, ReconcileError> {
    let state = State::new(host.root().clone());
    let runs = state.history()?;
    let readable = |number: &u64| matches!(state.generation_record(*number), Ok(Some(_)));
    let kept: Vec<u64> = state.generations()?.into_iter().filter(readable).collect();
    // A damaged record hides which one is applied, and nothing else of what ran.
    let current = state
        .recorded()
        .ok()
        .and_then(|recorded| recorded.generation());
    let generations: BTreeMap<u64, Origin> = runs
        .iter()
        .filter_map(|run| Some((run.number?, run.origin.clone())))
        .collect();
    let mut git = Git::new(request);
    let between = match part {
        Part::Between(span) => Some((span, between(&mut git, &generations, span)?)),
        Part::All | Part::One(_) => None,
    };
    let is_asked_for = |run: &RunRecord| match part {
        Part::One(number) => run.number == Some(number),
        Part::All | Part::Between(_) => true,
    };
    if let Part::One(number) = part
        && !runs.iter().any(is_asked_for)
    {
        return Err(ReconcileError::NoSuchGeneration {
            number,
            known: generations.keys().copied().collect(),
        });
    }
    let lines = |number: u64, git: &mut Git| {
        let to = generations.get(&number)?;
        let older = generations.range(..number);
        let before = older.rev().find(|(_, origin)| origin.commit.is_some());
        Some(git.lines(before, to, LINES))
    };
    let mut entries = Vec::new();
    for run in runs.into_iter().rev().filter(is_asked_for) {
        let number_kept = run.number.filter(|number| kept.contains(number));
        let images = number_kept.and_then(|number| state.generation_images(number).ok());
        entries.push(Entry {
            kept: number_kept.is_some(),
            current: run.number.is_some() && run.number == current,
            lines: match part {
                Part::Between(_) => None,
                Part::All | Part::One(_) => run.number.and_then(|number| lines(number, &mut git)),
            },
            images: images.unwrap_or_default(),
            run,
        });
    }
    Ok(History { entries, between })
}

fn between(
    git: &mut Git<'_>,
    generations: &BTreeMap<u64, Origin>,
    span: Span,
) -> Result<Lines, ReconcileError> {
    let find = |number: u64| {
        generations
            .get_key_value(&number)
            .ok_or_else(|| ReconcileError::NoSuchGeneration {
                number,
                known: generations.keys().copied().collect(),
            })
    };
    let (from, to) = (find(span.from)?, find(span.to)?);
    Ok(git.lines(Some(from), to.1, usize::MAX))
}

/// The checkouts that generations came from, each opened once.
struct Git<'a> {
    request: &'a Request,
    checkouts: BTreeMap<PathBuf, Result<Checkout, SourceError>>,
}

impl<'a> Git<'a> {
    fn new(request: &'a Request) -> Self {
        Self {
            request,
            checkouts: BTreeMap::new(),
        }
    }

    /// The log up to `to`, from where the generation came from, or else from the checkout that
    /// the run was started for: the one may have moved.
    fn lines(&mut self, from: Option<(&u64, &Origin)>, to: &Origin, limit: usize) -> Lines {
        let since = from.map(|(number, _)| *number);
        let Some(commit) = &to.commit else {
            return Lines {
                since,
                unknown: Some(format!("{} is not in git", to.folder.display())),
                ..Lines::default()
            };
        };
        let from = from.and_then(|(_, origin)| origin.commit.as_deref());
        let mut unknown = None;
        for folder in [to.folder.clone(), self.request.folder.clone()] {
            let log = self.open(folder, to.owner).map(|checkout| {
                checkout
                    .log(from, commit, limit)
                    .map_err(|error| error::chain(&error))
            });
            match log.and_then(|log| log) {
                Ok(log) => {
                    return Lines {
                        log,
                        since,
                        unknown: None,
                    };
                }
                Err(why) => unknown = unknown.or(Some(why)),
            }
        }
        Lines {
            since,
            unknown,
            ..Lines::default()
        }
    }

    fn open(&mut self, folder: PathBuf, owner: Option<u32>) -> Result<&Checkout, String> {
        let trusted: Vec<u32> = owner.into_iter().collect();
        self.checkouts
            .entry(folder)
            .or_insert_with_key(|folder| Checkout::open(folder, &trusted))
            .as_ref()
            .map_err(|error| error::chain(error))
    }
}
