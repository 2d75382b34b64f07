//! The secrets of what was applied: how they are, and decrypted again at boot.

use super::ReconcileError;
use super::planning::look;
use crate::host::{Host, HostError};
use crate::model::{Desired, Observed, SecretState, layout};
use crate::state::State;

/// A secret of what was applied.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SecretStatus {
    /// Its name.
    pub name: String,
    /// Where it is decrypted.
    pub path: String,
    /// Whether it is there as it should be; `null`: this user may not read it.
    pub well: Option<bool>,
    /// What is wrong, without any of its content.
    pub why_not: Option<String>,
    /// Units that use it, themselves or their containers.
    pub used_by: Vec<String>,
}

/// How the secrets are, from a look that was made.
pub(super) fn secrets(desired: &Desired, observed: &Observed) -> Vec<SecretStatus> {
    let secrets = desired.secrets.keys();
    let status = secrets.map(|name| {
        let (well, why_not) = match observed.secrets.get(name) {
            Some(SecretState::Same) => (Some(true), None),
            None | Some(SecretState::NotCompared | SecretState::NotRunning) => (None, None),
            Some(SecretState::Missing) => (Some(false), Some("is gone".to_owned())),
            Some(SecretState::Differs | SecretState::Unwanted) => {
                (Some(false), Some("was edited on the host".to_owned()))
            }
            Some(SecretState::Attributes(why) | SecretState::Unusable { why, .. }) => {
                (Some(false), Some(why.clone()))
            }
        };
        let users = desired.units.iter();
        let users = users.filter(|(_, unit)| unit.secrets.contains(name));
        SecretStatus {
            name: name.clone(),
            path: layout::secret(name).to_string_lossy().into_owned(),
            well,
            why_not,
            used_by: users.map(|(unit, _)| unit.clone()).collect(),
        }
    });
    status.collect()
}

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
