//! Health gates: in the middle of a run, and of a host that needs none.

use crate::apply::{Progress, Run, StepError, ask_gates};
use crate::effect::Plan;
use crate::host::Host;
use crate::reconcile::planning::look;
use crate::reconcile::{Applied, Planned, ReconcileError, Request};

/// Where nothing is to be done, the gates that are asked all the same have to hold.
pub(in crate::reconcile) async fn hold(
    host: &Host,
    request: &Request,
    ended: Applied,
    progress: &mut dyn Progress,
) -> Result<Applied, ReconcileError> {
    let Applied::InSync { planned, .. } = ended else {
        return Ok(ended);
    };
    let answers = ask_gates(host, &planned.plan.gates, progress, &request.interrupted).await;
    let asked = answers.len();
    let (mut gates, mut failed) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(answer) => gates.push(answer),
            Err(StepError::Interrupted) => {
                return Err(ReconcileError::gate(StepError::Interrupted));
            }
            Err(error) => failed.push(error),
        }
    }
    match failed.is_empty() {
        true => Ok(Applied::InSync { planned, gates }),
        false => Err(ReconcileError::GatesFail { asked, failed }),
    }
}

/// Between what is made and what is taken away: every gate that the plan touches has to hold.
pub(in crate::reconcile) async fn verify(
    run: &mut Run<'_>,
    request: &Request,
    planned: &Planned,
) -> Result<(), ReconcileError> {
    let gates = &planned.plan.gates;
    if gates.is_empty() {
        return Ok(());
    }
    attach_new(run, request, planned).await?;
    run.verify_gates(gates).await.map_err(ReconcileError::gate)
}

/// Containers that a unit has just made may have to be attached to networks before they serve.
async fn attach_new(
    run: &mut Run<'_>,
    request: &Request,
    planned: &Planned,
) -> Result<(), ReconcileError> {
    let (_, mut left) = super::converge::verify(run, request, planned).await?;
    left.changes.retain(look::is_follow_up);
    let follow = Plan {
        changes: left.changes,
        ..Plan::default()
    };
    run.make(&follow).await.map_err(ReconcileError::step)
}
