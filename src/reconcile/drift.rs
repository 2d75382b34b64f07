//! Three-way: inputs at HEAD, inputs as last applied, and the host.

use std::collections::BTreeSet;

use super::admission::validate;
use super::planning::{look, select};
use super::rollback::undo::begin;
use super::{Planned, ReconcileError, Request, confirm, error, read, transact};
use crate::apply::Progress;
use crate::effect::{Becomes, Change, Plan};
use crate::host::Host;
use crate::model::{
    AskedImage, Desired, DriftItem, DriftKind, Hash, Kind, Observed, Outcome, Recorded, ResourceId,
    RunKind, RunRecord, Selector, UserEngine, absent_id,
};
use crate::plan::Gates;
use crate::source::Which;
use crate::state::{InProgress, State};

/// How a host deviates.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// What was applied last; `None`: nothing yet.
    pub applied: Option<RunRecord>,
    /// Every deviation.
    pub items: Vec<DriftItem>,
    /// What `--fix` changed back.
    pub fixed: Vec<DriftItem>,
    /// Hash of the checkout's inputs; `None` where it cannot be read.
    pub head: Option<Hash>,
    /// Whether something was not compared because this user may not look at it.
    pub incomplete: bool,
    /// Worth knowing.
    pub warnings: Vec<String>,
    /// What runs on the host and is not managed.
    pub notes: Vec<String>,
    /// Images whose registries were to be asked; none where nobody wanted that.
    pub images: Vec<AskedImage>,
    /// The plan of `--fix`, for its diffs.
    pub plan: Plan,
    /// What was applied, and the host as it was seen.
    pub seen: Option<Box<Seen>>,
}

/// What a comparison was made from.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What was applied.
    pub desired: Desired,
    /// The host.
    pub observed: Observed,
    /// What earlier runs recorded.
    pub recorded: Recorded,
}

impl Drift {
    /// Whether there is nothing to report.
    pub(crate) fn is_none(&self) -> bool {
        self.items.is_empty()
    }
}

/// Compares the host with what was applied, and what was applied with HEAD. Writes nothing.
///
/// # Errors
/// When the records cannot be read or the host cannot be looked at.
pub(crate) async fn drift(host: &Host, request: &Request) -> Result<Drift, ReconcileError> {
    let mut drift = compare(host, request).await?;
    let waits = confirm::reminder(&State::new(host.root().clone()));
    drift.warnings.splice(0..0, waits);
    Ok(drift)
}

/// The same without what waits for confirmation.
pub(super) async fn compare(host: &Host, request: &Request) -> Result<Drift, ReconcileError> {
    let state = State::new(host.root().clone());
    let recorded = look::recorded(&state)?;
    let mut drift = pending(host, request, &recorded);
    match state.journal() {
        Ok(journal) if journal.is_empty() => {}
        Ok(_) => drift.warnings.push(unfinished(&state)),
        Err(cause) => drift.warnings.push(error::with_hint(&cause, cause.hint())),
    }
    if recorded.applied.is_none() && recorded.lost.is_none() {
        return Ok(drift);
    }
    let planned = plan_applied(host, &state, request, recorded).await?;
    drift.items.extend(deviations(&planned.plan));
    drift.warnings.extend(planned.warnings);
    let engines = planned.observed.user_engines.iter();
    Ok(Drift {
        applied: planned.recorded.run().cloned(),
        incomplete: planned.incomplete,
        notes: engines.map(UserEngine::note).collect(),
        plan: planned.plan,
        seen: Some(Box::new(Seen {
            desired: planned.desired,
            observed: planned.observed,
            recorded: planned.recorded,
        })),
        ..drift
    })
}

/// Returns the host to what was last applied. Never brings in what nobody applied.
///
/// # Errors
/// As [`super::apply`].
pub(crate) async fn fix(
    host: &Host,
    request: &Request,
    progress: &mut dyn Progress,
) -> Result<Drift, ReconcileError> {
    // Undoing a repair because something else does not answer would make nothing better.
    let request = &Request {
        gates: Gates::None,
        ..request.clone()
    };
    let state = State::new(host.root().clone());
    // What cannot be undone may also be what keeps the host from being looked at.
    if state.journal()?.is_empty() {
        let found = drift(host, request).await?;
        if found.applied.is_none() {
            return Err(ReconcileError::NothingApplied);
        }
        if found.plan.changes.is_empty() {
            return Ok(found);
        }
    }
    let _lock = begin(host, &state, request, progress).await?;
    confirm::admit(host, &state).await?;
    let mut planned = plan_applied(host, &state, request, look::recorded(&state)?).await?;
    let fixed = deviations(&planned.plan);
    leave_refused(&mut planned);
    if !planned.plan.changes.is_empty() {
        validate::demand(host, &mut planned).await?;
        transact(host, &state, request, RunKind::Fix, &mut planned, progress).await?;
    }
    let mut left = drift(host, request).await?;
    left.warnings.extend(planned.warnings);
    left.fixed = fixed
        .into_iter()
        .filter(|item| item.fixable && !left.items.contains(item))
        .collect();
    Ok(left)
}

/// What a journal that is not empty means.
pub(super) fn unfinished(state: &State) -> String {
    match state.in_progress() {
        InProgress::Yes(holder) => format!("a run is in progress: {holder}"),
        InProgress::No if is_left_over(state) => {
            "a rollback is incomplete: `watchme-apply recover` tries the rest \
             again; the next apply or rollback N continues from here"
                .to_owned()
        }
        InProgress::No => {
            "a run was interrupted: the next apply or drift --fix undoes it first".to_owned()
        }
        InProgress::Unknown => "a run is in progress, or was interrupted".to_owned(),
    }
}

/// Whether the journal has what could not be undone, and not what a run was killed in.
fn is_left_over(state: &State) -> bool {
    let last = state.history().ok().and_then(|mut runs| runs.pop());
    last.is_some_and(|run| run.outcome == Outcome::Incomplete)
}

/// What a refusal is about stays as it is; the rest is fixed.
fn leave_refused(planned: &mut Planned) {
    let plan = &mut planned.plan;
    planned.left_alone = plan.refusals.drain(..).map(|refusal| refusal.id).collect();
    plan.changes
        .retain(|change| !planned.left_alone.contains(&change.id));
}

/// Plans what was applied.
async fn plan_applied(
    host: &Host,
    state: &State,
    request: &Request,
    recorded: Recorded,
) -> Result<Planned, ReconcileError> {
    let (record, desired) = look::applied(state, &recorded)?.clone();
    let request = &Request {
        gates: Gates::None,
        ..request.clone()
    };
    look::plan_generation(host, request, recorded, (record, desired), None).await
}

/// What of a plan counts as drift.
fn deviations(plan: &Plan) -> Vec<DriftItem> {
    let changes = plan.changes.iter().filter_map(|change| {
        let item = item(look::drift_of(change)?, &change.id, describe(change));
        Some(DriftItem {
            fixable: !plan.refusals.iter().any(|refusal| refusal.id == change.id),
            ..item
        })
    });
    let refusals = plan.refusals.iter();
    let refusals = refusals.map(|one| item(DriftKind::Drifted, &one.id, one.why.clone()));
    let notes = plan.notes.iter();
    let notes = notes.filter_map(|note| Some(item(note.drift?, &note.id, note.text.clone())));
    let mut items: Vec<DriftItem> = changes.chain(refusals).chain(notes).collect();
    items.dedup();
    items
}

/// One that `--fix` leaves as it is.
fn item(kind: DriftKind, resource: &ResourceId, what: String) -> DriftItem {
    DriftItem {
        kind,
        resource: resource.clone(),
        what,
        fixable: false,
    }
}

fn describe(change: &Change) -> String {
    match change.effect.files().first() {
        Some(file) if file.becomes != Becomes::Made => {
            format!("{}: {}", file.path.display(), change.why)
        }
        _ => change.why.clone(),
    }
}

/// What git has and nobody applied yet. A checkout that cannot be read is a warning: drift of
/// the host is reported all the same.
fn pending(host: &Host, request: &Request, recorded: &Recorded) -> Drift {
    let revision = match read(host, request, &Which::Head, recorded) {
        Ok((revision, _)) => revision,
        Err(cause) => {
            let text = format!("not compared with the checkout: {}", error::chain(&cause));
            return Drift {
                warnings: vec![text],
                ..Drift::default()
            };
        }
    };
    let mut drift = Drift {
        head: Some(revision.origin.inputs.clone()),
        ..Drift::default()
    };
    // An older version may have recorded less of the same inputs.
    let is_applied =
        |run: &RunRecord| run.origin.inputs == revision.origin.inputs && run.only.is_empty();
    if recorded.run().is_some_and(is_applied) {
        return drift;
    }
    let (after, applied) = (&revision.desired, recorded.desired());
    let nothing = Desired::default();
    let before = applied.unwrap_or(&nothing);
    let (old, new) = (before.lasting().hashes(), after.lasting().hashes());
    let mut found = Vec::new();
    for id in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let what = match (old.get(id), new.get(id)) {
            (None, Some(_)) => "is new in git".to_owned(),
            // It may be there all the same.
            (Some(_), None) if id.kind == Kind::File => {
                "no unit in git names it any more".to_owned()
            }
            (Some(_), None) => match before.why_no_unit(id, after) {
                Some(why) => format!("changed in git: {why}"),
                None => "is gone from git".to_owned(),
            },
            (Some(a), Some(b)) if a != b => "changed in git".to_owned(),
            _ => continue,
        };
        found.push(item(DriftKind::Pending, id, what));
    }
    if let Some(applied) = applied {
        let absent = after.absent.difference(&applied.absent);
        let free = applied.absent.difference(&after.absent);
        let absent = absent.map(|path| (path, "must not exist, according to git"));
        let free = free.map(|path| (path, "may exist again, according to git"));
        let paths = absent.chain(free);
        found.extend(
            paths.map(|(path, what)| item(DriftKind::Pending, &absent_id(path), what.to_owned())),
        );
    }
    let only = select::with_names(&request.only, after, applied);
    found.retain(|item| Selector::any(&only, &item.resource));
    drift.items = found;
    drift
}
