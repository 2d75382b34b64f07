//! Files that cannot be put where the plan wants them, known before anything changes.

use crate::effect::{Becomes, Change, Refusal};
use crate::host::Host;
use crate::host::observe::resolve_owner;
use crate::reconcile::Planned;

/// Refuses the changes of files whose owner does not exist, or whose folder is reached through a link that another user
/// has made: an apply would fail in the middle.
pub(in crate::reconcile) fn refuse(host: &Host, planned: &mut Planned) {
    let unknown = |owner: &str| host.is_live() && resolve_owner(owner).is_none();
    let refusal = |change: &Change| {
        let files = change.effect.files();
        let file = files.iter().find(|file| file.stored.is_none())?;
        let owner = match file.becomes {
            Becomes::File { owner, .. } => owner.filter(|owner| unknown(owner)),
            _ => None,
        };
        let (why, help) = match (owner, host.root().may_write(&file.path)) {
            (Some(owner), _) => (
                format!("its owner {owner} does not exist"),
                format!("getent passwd {}", owner.replace(':', "; getent group ")),
            ),
            (None, Err(error)) => (
                error.source.to_string(),
                "remove the link, or add its target to the desired state".to_owned(),
            ),
            (None, Ok(())) => return None,
        };
        Some(Refusal {
            id: change.id.clone(),
            why,
            help: vec![help],
            diff: None,
        })
    };
    let refusals: Vec<Refusal> = planned.plan.changes.iter().filter_map(refusal).collect();
    planned.plan.refusals.extend(refusals);
}
