//! What a person is asked about before it is done: what goes, and what stops.

use std::collections::BTreeSet;

use crate::effect::{Change, Effect};
use crate::reconcile::Planned;

/// What an apply would take away from a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Loss {
    /// Whose host it would be no more.
    pub taken_from: Option<String>,
    /// Changes that remove something, stop something that does not start again, or make containers anew that are adopted.
    pub changes: Vec<Change>,
}

impl Loss {
    /// What a plan takes away.
    pub(crate) fn of(planned: &Planned) -> Self {
        let changes = &planned.plan.changes;
        let started: BTreeSet<&str> = changes
            .iter()
            .filter_map(|change| Some(change.effect.starts()?.unit.as_str()))
            .collect();
        let takes_away = |change: &&Change| match &change.effect {
            Effect::Stop(step) => !started.contains(step.unit.as_str()),
            effect => effect.takes_away(),
        };
        let revision = planned.revision.as_ref();
        Self {
            taken_from: revision.and_then(|revision| revision.takes_over_from.clone()),
            changes: changes.iter().filter(takes_away).cloned().collect(),
        }
    }

    /// Whether nothing goes.
    pub(crate) fn is_none(&self) -> bool {
        self.taken_from.is_none() && self.changes.is_empty()
    }
}
