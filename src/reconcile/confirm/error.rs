//! Why an apply does not wait, cannot be confirmed, or keeps others from running.

/// What is wrong about the confirmation of an apply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfirmError {
    /// `--confirm` on a host that has no earlier generation.
    #[error("there is no generation to roll back to: the first apply cannot wait for confirmation")]
    NothingToGoBackTo,
    /// An apply waits for confirmation.
    #[error(
        "generation {generation} waits for confirmation, and will be rolled back to {back_to} in {seconds} s"
    )]
    Waits {
        /// What was applied.
        generation: u64,
        /// What comes back without confirmation.
        back_to: u64,
        /// How long it waits.
        seconds: i64,
    },
    /// Its time is over, and nothing has rolled it back yet.
    #[error(
        "generation {generation} was not confirmed in time, and is not rolled back to {back_to} yet"
    )]
    Overdue {
        /// What was applied.
        generation: u64,
        /// What comes back.
        back_to: u64,
    },
    /// `confirm` of an apply that was killed.
    #[error(
        "the run was interrupted before its end: there is nothing to confirm until it is undone"
    )]
    CutOff,
    /// A generation that waited is applied no more, and nothing says why.
    #[error("it is not known whether generation {generation} was confirmed or rolled back: {}", match .present {
        Some(present) => format!("now generation {present} is applied"),
        None => "now no generation is applied".to_owned(),
    })]
    EndUnknown {
        /// What was applied.
        generation: u64,
        /// What is applied now.
        present: Option<u64>,
    },
    /// `confirm` without anything to confirm.
    #[error("nothing waits for confirmation")]
    NothingWaits,
    /// `confirm` after the time.
    #[error("too late: {} was not confirmed in time, and will be rolled back to generation {back_to}", match .generation {
        Some(generation) => format!("generation {generation}"),
        None => "it".to_owned(),
    })]
    TooLate {
        /// What was applied, if that is known.
        generation: Option<u64>,
        /// What comes back.
        back_to: u64,
    },
    /// An apply that waited was rolled back.
    #[error(
        "generation {generation} was not confirmed and was rolled back: the host matches generation {back_to}"
    )]
    TakenBack {
        /// What was applied.
        generation: u64,
        /// What came back.
        back_to: u64,
    },
}

impl ConfirmError {
    /// The command that helps.
    pub(in crate::reconcile) fn hint(&self) -> String {
        match self {
            Self::NothingToGoBackTo => "apply without --confirm".to_owned(),
            Self::Waits { back_to, .. } => format!(
                "sudo watchme-apply confirm keeps it; sudo watchme-apply rollback {back_to} rolls it back at once"
            ),
            Self::Overdue { back_to, .. } => format!(
                "it cannot be confirmed any more: sudo watchme-apply rollback {back_to} rolls it back now"
            ),
            Self::CutOff => "sudo watchme-apply recover, then apply again".to_owned(),
            Self::EndUnknown { .. } => "watchme-apply history shows the runs since then".to_owned(),
            Self::NothingWaits => "watchme-apply status shows what was applied".to_owned(),
            Self::TooLate { .. } | Self::TakenBack { .. } => {
                "watchme-apply status shows the state of the host; apply again, with more time if necessary: --confirm 5m"
                    .to_owned()
            }
        }
    }

    /// As [`crate::reconcile::ReconcileError::exit_status`].
    pub(in crate::reconcile) fn exit_status(&self) -> u8 {
        match self {
            Self::TakenBack { .. } => 3,
            Self::EndUnknown { .. } => 4,
            _ => 1,
        }
    }
}
