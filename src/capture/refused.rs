//! What a plan refuses of what was captured: an edit of the host may be one that nginx does not take.

use std::collections::BTreeSet;

use super::Captured;
use crate::host::Host;
use crate::model::{Complaint, ResourceId};
use crate::reconcile::{self, Request};
use crate::source::Which;

/// Plans the checkout as it lies now, and returns why an apply of it would be refused. Writes nothing.
pub(crate) async fn refused(host: &Host, request: &Request, captured: &Captured) -> Vec<String> {
    if !host.is_live() {
        return Vec::new();
    }
    let request = Request {
        which: Which::Worktree,
        ..request.clone()
    };
    let planned = match reconcile::plan(host, &request).await {
        Ok(planned) => planned,
        Err(error) => {
            let help = error.hint().unwrap_or_default();
            return vec![format!(
                "what was written cannot be planned: {error}: {help}"
            )];
        }
    };
    let errors = planned.findings.iter().filter(|finding| finding.is_error());
    let errors = errors.map(|finding| {
        let what = match &finding.complaint {
            Complaint::Placed(place) => place.to_string(),
            Complaint::Unplaced { message, .. } => message.clone(),
        };
        format!("{what} ({})", finding.rule.name)
    });
    let taken: BTreeSet<&ResourceId> = captured.edits.values().map(|edit| &edit.id).collect();
    let refusals = planned.plan.refusals.iter();
    let refusals = refusals
        .filter(|refusal| taken.contains(&refusal.id))
        .map(|refusal| format!("{}: {}", refusal.id, refusal.why));
    errors
        .chain(refusals)
        .map(|why| format!("plan refuses what was written, and so does an apply: {why}"))
        .collect()
}
