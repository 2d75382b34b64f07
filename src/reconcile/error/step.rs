//! Errors of steps, as those of a pass.

use super::ReconcileError;
use crate::apply::StepError;
use crate::effect::{Change, Effect, Plan};

impl ReconcileError {
    pub(in crate::reconcile) fn step((change, source): (Change, StepError)) -> Self {
        match &change.effect {
            Effect::Pull(_) | Effect::Build(_) if !matches!(source, StepError::Interrupted) => {
                ReconcileError::NotPulled(Box::new(source))
            }
            Effect::BackUp { .. } if !is_interruption(&source) => {
                ReconcileError::NotBackedUp(Box::new(source))
            }
            Effect::Pull(pull) => {
                Self::of_step(format!("pulling the image {}", pull.image.name), source)
            }
            Effect::Build(build) => {
                Self::of_step(format!("building the images of {}", build.names()), source)
            }
            _ => Self::of_step(format!("{} ({})", change.id, change.why), source),
        }
    }

    pub(in crate::reconcile) fn gate(source: StepError) -> Self {
        Self::of_step("a health gate".to_owned(), source)
    }

    pub(in crate::reconcile) fn of_step(what: String, source: StepError) -> Self {
        match source {
            source if is_interruption(&source) => ReconcileError::Interrupted(what),
            source => ReconcileError::Step {
                what,
                source: Box::new(source),
            },
        }
    }

    pub(in crate::reconcile) fn not_converged(plan: Plan) -> Self {
        let changes = plan
            .changes
            .into_iter()
            .map(|change| format!("{}: {}", change.id, change.why));
        let refusals = plan
            .refusals
            .into_iter()
            .map(|refusal| format!("{}: {}", refusal.id, refusal.why));
        ReconcileError::NotConverged {
            left: changes.chain(refusals).collect(),
        }
    }
}

fn is_interruption(error: &StepError) -> bool {
    match error {
        StepError::Interrupted => true,
        StepError::Backup { source, .. } => source.is_interruption(),
        _ => false,
    }
}
