//! Proves that a run has arrived: what is seen then needs no further change.

use crate::apply::Run;
use crate::effect::{Effect, Plan};
use crate::model::{DriftKind, Observed};
use crate::reconcile::planning::look;
use crate::reconcile::records::commit;
use crate::reconcile::{Planned, ReconcileError, Request};

/// Looks and plans again: only an empty plan is success. Containers
/// that a unit has just made may still have to be attached, and a network may have been left by the
/// last of them just now: those get a second pass.
pub(in crate::reconcile) async fn converge(
    run: &mut Run<'_>,
    request: &Request,
    planned: &Planned,
) -> Result<Observed, ReconcileError> {
    let (after, left) = verify(run, request, planned).await?;
    if left.is_empty() {
        return Ok(after);
    }
    if !left.changes.iter().all(look::is_follow_up) || !left.refusals.is_empty() {
        return Err(ReconcileError::not_converged(left));
    }
    run.make(&left).await.map_err(ReconcileError::step)?;
    run.retire(&left).await.map_err(ReconcileError::step)?;
    let (after, left) = verify(run, request, planned).await?;
    match left.is_empty() {
        true => Ok(after),
        false => Err(ReconcileError::not_converged(left)),
    }
}

pub(in crate::reconcile) async fn verify(
    run: &Run<'_>,
    request: &Request,
    planned: &Planned,
) -> Result<(Observed, Plan), ReconcileError> {
    let mut recorded = planned.recorded.clone();
    let watch = crate::kinds::watch(&planned.desired, &recorded, &planned.only);
    let after = run.host.observe(&watch).await?;
    recorded.loaded = commit::loaded(planned, &after, run.switched, &run.degraded);
    recorded.inventory = commit::inventory(planned, &after);
    // Every unit that is not up is to be reported here, those that this run has brought up above all.
    let mending = Request {
        gates: crate::plan::Gates::None,
        ..request.clone()
    };
    let mut left = look::plan_from(planned, &mending, &after, &recorded);
    left.changes.retain(|change| match &change.effect {
        Effect::Start(step) => {
            !run.degraded.contains_key(&step.unit) && !look::was_failing(planned, &step.unit)
        }
        // A stack that lacks a container, and that this run does nothing about.
        Effect::ReloadUnit(step) if change.drift == DriftKind::Degraded => {
            !run.degraded.contains_key(&step.unit) && look::touches(planned, &step.unit)
        }
        _ => true,
    });
    // What was applied before is on record until the commit: these are done.
    left.changes
        .retain(|change| !matches!(change.effect, Effect::ClearMountPoint { .. }));
    Ok((after, left))
}
