//! Health gates: which would be checked, and their answers.

use super::{DIM, STRONG};
use crate::cli::output::{clean, styled};
use crate::model::{Answer, Gate};

/// A gate that an apply would check.
pub(super) fn would_be_checked(gate: &Gate) -> String {
    let why = format!("  (expects {})", gate.probe.expects());
    let (sign, why) = (styled(STRONG, "?"), styled(DIM, &why));
    let gate = clean(&gate.probe.to_string()).into_owned();
    format!("{sign} gate {gate} would be checked{why}")
}

/// A gate that is being checked, after some failed tries.
pub(in crate::cli) fn checking(gate: &Gate, failed: u32) -> String {
    let tries = match failed {
        0 => String::new(),
        _ => format!(
            ", try {} of {}",
            failed.saturating_add(1),
            gate.retries.saturating_add(1)
        ),
    };
    format!("? gate {}{tries}", clean(&gate.probe.to_string()))
}

/// A gate that passed.
pub(in crate::cli) fn passed(gate: &Gate, answer: &Answer) -> String {
    let mut notes = vec![gate.probe.expects()];
    if answer.tries > 1 {
        notes.push(format!("after {} tries", answer.tries));
    }
    notes.extend(answer.note.clone());
    let notes = format!("  ({})", clean(&notes.join(", ")));
    let (sign, gate) = (styled(STRONG, "?"), clean(&answer.gate));
    format!("{sign} gate {gate}{}", styled(DIM, &notes))
}
