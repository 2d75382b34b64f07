//! Health gates: which would be checked, and their answers.

use super::{DIM, STRONG};
use crate::cli::output::{clean, styled};
use crate::model::{Answer, Gate};

/// A gate that an apply would check.
pub(super) fn would_be_checked(gate: &Gate) -> String {
    let gate_text = gate.probe.to_string();
    let why = format!("  (expects {})", gate.probe.expects());
    format!(
        "{} gate {} would be checked{}",
        styled(STRONG, "?"),
        clean(&gate_text),
        styled(DIM, &why)
    )
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
    format!(
        "{} gate {}{}",
        styled(STRONG, "?"),
        clean(&answer.gate),
        styled(DIM, &format!("  ({})", clean(&notes.join(", "))))
    )
}
