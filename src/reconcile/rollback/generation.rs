//! Back to an older generation: its inputs are all kept, so that git is not needed.

use crate::apply::Progress;
use crate::host::Host;
use crate::host::candidate::Names;
use crate::model::{Desired, RanImages, Recorded, RunKind, RunRecord};
use crate::reconcile::admission::validate;
use crate::reconcile::planning::{copies, look};
use crate::reconcile::stages::docker_first;
use crate::reconcile::{
    Applied, Planned, ReconcileError, Request, agree, confirm, transact, unattended, undo_killed,
};
use crate::state::State;

/// What going back to a generation would do. Writes nothing and takes no lock.
///
/// # Errors
/// When there is no such generation, or the host cannot be looked at.
pub(crate) async fn plan_back(
    host: &Host,
    request: &Request,
    number: u64,
) -> Result<Planned, ReconcileError> {
    let state = State::new(host.root().clone());
    let unfinished = !state.journal()?.is_empty();
    let mut planned = plan(host, &state, request, Some(number), unfinished).await?;
    validate::report(host, &mut planned, Names::Leave).await?;
    Ok(planned)
}

/// Makes the host as a generation has it that is kept, as one transaction; without a number, as
/// the one before the present one has it. What was left is not brought back by unattended runs.
///
/// # Errors
/// As [`crate::reconcile::apply`], and when there is no such generation.
pub(crate) async fn rollback(
    host: &Host,
    request: &Request,
    number: Option<u64>,
    progress: &mut dyn Progress,
    present: &mut dyn FnMut(&Planned) -> bool,
) -> Result<Applied, ReconcileError> {
    let state = State::new(host.root().clone());
    if state.journal()?.is_empty() {
        // What cannot be gone back to needs no lock to be said.
        find(&state, &look::recorded(&state)?, number, false)?;
    }
    let _lock = request.lock(&state)?;
    rollback_locked(host, &state, request, number, progress, present).await
}

/// The same for who holds the lock.
pub(in crate::reconcile) async fn rollback_locked(
    host: &Host,
    state: &State,
    request: &Request,
    number: Option<u64>,
    progress: &mut dyn Progress,
    present: &mut dyn FnMut(&Planned) -> bool,
) -> Result<Applied, ReconcileError> {
    let mut leftover = undo_killed(host, state, request, progress).await?;
    // Where something is left, what was applied is no more there than any other generation.
    let unfinished = !leftover.left.is_empty();
    let mut planned = plan(host, state, request, number, unfinished).await;
    if planned.as_ref().is_err_and(docker_first::is_away) {
        let found = find(state, &look::recorded(state)?, number, unfinished)?;
        let wanted = (RunKind::Rollback, found);
        if docker_first::fix(
            host,
            state,
            request,
            wanted,
            &mut leftover,
            progress,
            present,
        )
        .await?
        {
            planned = plan(host, state, request, number, true).await;
        }
    }
    let mut planned = planned?;
    if !planned.plan.refusals.is_empty() {
        return Err(ReconcileError::Refused(planned.plan.refusals));
    }
    validate::demand(host, &mut planned).await?;
    agree(present, &planned)?;
    leftover.supersede(state, progress)?;
    let kind = RunKind::Rollback;
    let record = transact(host, state, request, kind, &mut planned, progress).await?;
    // Nothing waits for confirmation any more.
    confirm::over(host, state).await?;
    unattended::hold(host, state, request, &planned, progress);
    Ok(Applied::Done(Box::new(record)))
}

async fn plan(
    host: &Host,
    state: &State,
    request: &Request,
    number: Option<u64>,
    unfinished: bool,
) -> Result<Planned, ReconcileError> {
    let recorded = look::recorded(state)?;
    let (record, desired) = find(state, &recorded, number, unfinished)?;
    let mut ran = ran(state, &record)?;
    if let Some(ran) = &mut ran {
        copies::of_images(ran, &desired);
    }
    look::plan_generation(host, request, recorded, (record, desired), ran).await
}

/// What ran in a generation, as far as it is on record.
fn ran(state: &State, record: &RunRecord) -> Result<Option<RanImages>, ReconcileError> {
    let Some(generation) = record.number else {
        return Ok(None);
    };
    let images = state.generation_images(generation)?;
    Ok(Some(RanImages { generation, images }))
}

/// The generation to go back to. Going to the present one says nothing, unless a run is
/// unfinished.
fn find(
    state: &State,
    recorded: &Recorded,
    number: Option<u64>,
    unfinished: bool,
) -> Result<(RunRecord, Desired), ReconcileError> {
    let Some(number) = number else {
        return before(state, recorded);
    };
    let found = state.generation(number)?;
    let (record, mut desired) = found.ok_or(ReconcileError::NoSuchGeneration {
        number,
        known: state.generations()?,
    })?;
    copies::beside(&mut desired, recorded);
    match &recorded.applied {
        Some((present, wanted)) if desired.asks_nothing_new(wanted) && !unfinished => {
            Err(ReconcileError::AlreadyThere {
                number,
                present: present.number.unwrap_or(number),
            })
        }
        _ => Ok((record, desired)),
    }
}

/// The youngest generation before the present one that differs from it. After a rollback to
/// generation N that is one before N: what was just left is not brought back by saying
/// `rollback` twice.
fn before(state: &State, recorded: &Recorded) -> Result<(RunRecord, Desired), ReconcileError> {
    let mut number = (recorded.generation())
        .or(recorded.lost)
        .ok_or(ReconcileError::NothingApplied)?;
    let mut back_to = recorded.run().and_then(|run| run.back_to);
    while let Some(earlier) = back_to.filter(|earlier| *earlier < number) {
        number = earlier;
        let record = state.generation_record(number)?;
        back_to = record.and_then(|record| record.back_to);
    }
    let kept = state.generations()?;
    for older in kept.iter().rev().filter(|older| **older < number) {
        let Some((record, mut desired)) = state.generation(*older)? else {
            continue;
        };
        copies::beside(&mut desired, recorded);
        let wanted = recorded.desired();
        if wanted.is_none_or(|wanted| !desired.asks_nothing_new(wanted)) {
            return Ok((record, desired));
        }
    }
    Err(ReconcileError::NothingBefore { number, kept })
}
