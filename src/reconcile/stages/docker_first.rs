//! A Docker engine that does not run because of its own files: those come first, as a transaction
//! of their own, and the rest is planned once it answers.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::apply::Progress;
use crate::effect::{Change, Effect, UnitStep};
use crate::host::{Host, HostError};
use crate::model::{
    Desired, DriftKind, EtcAction, Kind, Origin, Recorded, ResourceId, RunKind, RunRecord, Selector,
};
use crate::plan::Gates;
use crate::reconcile::admission::validate;
use crate::reconcile::planning::checkout::read;
use crate::reconcile::planning::look;
use crate::reconcile::rollback::supersede::Leftover;
use crate::reconcile::{Planned, ReconcileError, Request, agree, transact};
use crate::state::State;

/// The unit that runs the engine.
const ENGINE: &str = "docker.service";
/// Bound of its start.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How long it has to stay up.
const SETTLE: Duration = Duration::from_secs(3);

/// Whether a plan could not be made because the engine is away, rather than forbidden.
pub(in crate::reconcile) fn is_away(error: &ReconcileError) -> bool {
    use crate::host::error::DockerAbsence;
    match error {
        ReconcileError::Host(HostError::DockerAbsent { why, .. }) => {
            *why != DockerAbsence::Forbidden
        }
        ReconcileError::Host(error) => error.is_engine_mute(),
        _ => false,
    }
}

/// The part of a plan that is about the files of an engine that does not run; `None` where there is
/// nothing to do about them.
async fn plan(
    host: &Host,
    request: &Request,
    recorded: Recorded,
    (record, desired): (RunRecord, Desired),
) -> Result<Option<(Request, Planned)>, ReconcileError> {
    let applied = recorded.desired();
    let only: Vec<Selector> = files(&desired)
        .chain(applied.into_iter().flat_map(files))
        .filter(|id| Selector::any(&request.only, id))
        .map(Selector::exactly)
        .collect();
    if only.is_empty() {
        return Ok(None);
    }
    let desired = desired.selected(applied.cloned().unwrap_or_default(), &only);
    let request = Request {
        only,
        gates: Gates::None,
        ..request.clone()
    };
    let mut planned =
        look::plan_generation(host, &request, recorded, (record, desired), None).await?;
    planned.generation = None;
    if planned.plan.changes.is_empty() {
        return Ok(None);
    }
    let starts = |change: &Change| match &change.effect {
        Effect::Start(step) | Effect::Restart(step) => step.unit == ENGINE,
        _ => false,
    };
    if !planned.plan.changes.iter().any(starts) {
        planned.plan.changes.push(start());
    }
    Ok(Some((request, planned)))
}

/// The step that starts the engine with its new files.
fn start() -> Change {
    let step = UnitStep {
        unit: ENGINE.to_owned(),
        timeout: TIMEOUT,
        settle: SETTLE,
        ..UnitStep::default()
    };
    Change {
        id: ResourceId::new(Kind::Unit, ENGINE),
        effect: Effect::Start(step),
        why: "does not run".to_owned(),
        diff: None,
        interrupts: BTreeSet::new(),
        drift: DriftKind::Degraded,
        after_gates: false,
    }
}

/// By which kind of run what is applied, and the record that it gets.
type Wanted = (RunKind, (RunRecord, Desired));

/// Applies that part. Returns whether there was one.
pub(in crate::reconcile) async fn fix(
    host: &Host,
    state: &State,
    request: &Request,
    (kind, wanted): Wanted,
    leftover: &mut Leftover,
    progress: &mut dyn Progress,
    present: &mut dyn FnMut(&Planned) -> bool,
) -> Result<bool, ReconcileError> {
    let recorded = look::recorded(state)?;
    let Some((request, mut planned)) = plan(host, request, recorded, wanted).await? else {
        return Ok(false);
    };
    if !planned.plan.refusals.is_empty() {
        return Err(ReconcileError::Refused(planned.plan.refusals));
    }
    validate::demand(host, &mut planned).await?;
    progress.say("Docker is not running: its own files are applied first, and the rest is planned once it runs");
    agree(present, &planned)?;
    std::mem::take(leftover).supersede(state, progress)?;
    transact(host, state, &request, kind, &mut planned, progress).await?;
    Ok(true)
}

/// What a plan shows while the engine is away: that part, and the rest is planned once it answers. Without such a part, the
/// error.
pub(in crate::reconcile) async fn plan_instead(
    host: &Host,
    request: &Request,
    recorded: Recorded,
    (origin, desired): (Origin, Desired),
    error: ReconcileError,
) -> Result<Planned, ReconcileError> {
    let wanted = (record(request, origin), desired);
    let Some((_, mut planned)) = plan(host, request, recorded, wanted).await? else {
        return Err(error);
    };
    let why = crate::reconcile::error::chain(&error);
    planned.warnings.push(format!(
        "{why}: the plan shows only what an apply does first, the files of the engine; the rest is planned once the engine answers"
    ));
    planned.incomplete = true;
    Ok(planned)
}

/// Whether the revision has such a part: it may bring the engine back.
pub(in crate::reconcile) async fn may_help(
    host: &Host,
    state: &State,
    request: &Request,
) -> Result<bool, ReconcileError> {
    let (_, wanted) = of_checkout(host, state, request)?;
    let part = plan(host, request, look::recorded(state)?, wanted).await?;
    Ok(part.is_some())
}

/// The revision that is asked for, as what [`fix`] applies a part of.
pub(in crate::reconcile) fn of_checkout(
    host: &Host,
    state: &State,
    request: &Request,
) -> Result<Wanted, ReconcileError> {
    let (revision, _) = read(host, request, &request.which, &look::recorded(state)?)?;
    let record = record(request, revision.origin);
    Ok((RunKind::Apply, (record, revision.desired)))
}

/// The record of what a revision of the checkout would be applied as.
fn record(request: &Request, origin: Origin) -> RunRecord {
    RunRecord {
        by: request.by.clone(),
        unattended: request.unattended,
        ..RunRecord::new(RunKind::Apply, origin, Timestamp::now())
    }
}

/// Files below /etc that are the engine's.
fn files(desired: &Desired) -> impl Iterator<Item = ResourceId> + '_ {
    let of_engine = desired.etc.iter().filter(|(path, etc)| {
        let action = etc.action.as_ref();
        path.starts_with("docker")
            || action
                .and_then(EtcAction::unit)
                .is_some_and(|unit| unit == ENGINE)
    });
    of_engine.map(|(path, _)| ResourceId::new(Kind::Etc, path.to_string_lossy()))
}
