//! The secrets of what was applied, decrypted again at boot.

use super::{ReconcileError, look};
use crate::host::{Host, HostError};
use crate::state::State;

/// Decrypts the secrets of the generation that was applied last. Returns how many there are.
///
/// # Errors
/// When one cannot be decrypted; the others are there.
pub(crate) fn load_secrets(host: &Host) -> Result<usize, ReconcileError> {
    let state = State::new(host.root().clone());
    let recorded = look::recorded(&state)?;
    if recorded.applied.is_none() && recorded.lost.is_none() || !host.is_live() {
        return Ok(0);
    }
    let (_, desired) = look::applied(&state, &recorded)?;
    let mut failed = Vec::new();
    for (name, error) in host.load_secrets(&desired.secrets) {
        failed.push((name, HostError::from(error)));
    }
    match failed.is_empty() {
        true => Ok(desired.secrets.len()),
        false => Err(ReconcileError::SecretsNotLoaded { failed }),
    }
}
