//! Judges what would be applied before anything live changes.

use super::{Planned, ReconcileError};
use crate::host::{Host, HostError};
use crate::plan;

/// Adds what nginx and systemd say about the plan's candidate to its findings, and what could not
/// be judged to its warnings. On an offline root nothing runs, and so nothing is judged; a plan
/// that changes neither units nor what nginx loads costs nothing.
///
/// # Errors
/// When the candidate could not be put together.
pub(super) async fn judge(host: &Host, planned: &mut Planned) -> Result<(), HostError> {
    if !host.is_live() {
        return Ok(());
    }
    let surroundings = host.surroundings(plan::surroundings::paths(&planned.needs));
    planned.findings.extend(plan::surroundings::judge(
        &planned.plan,
        &planned.desired,
        &planned.observed,
        &planned.needs,
        &surroundings,
    ));
    let Some(candidate) = plan::candidate(&planned.plan, &planned.desired) else {
        return Ok(());
    };
    if !nix::unistd::Uid::effective().is_root() {
        let text = "not validated by nginx and systemd: that needs root";
        planned.warnings.push(text.to_owned());
        return Ok(());
    }
    let judgement = host.judge(&candidate).await?;
    planned.findings.extend(judgement.findings);
    planned.warnings.extend(judgement.not_judged);
    Ok(())
}

/// [`judge`] before an apply: errors stop it.
///
/// # Errors
/// When there are any, or the candidate could not be put together.
pub(super) async fn demand(host: &Host, planned: &mut Planned) -> Result<(), ReconcileError> {
    judge(host, planned).await?;
    match planned.findings.iter().any(|finding| finding.is_error()) {
        true => Err(ReconcileError::Invalid(std::mem::take(
            &mut planned.findings,
        ))),
        false => Ok(()),
    }
}
