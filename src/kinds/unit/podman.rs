//! Images of Quadlets: root's Podman pulls what is missing, and what a unit pulls at each start, before anything stops.

use std::collections::BTreeSet;

use super::images::Pulls;
use super::started;
use crate::effect::Plan;
use crate::model::{Desired, Engine};
use crate::plan::draft::Draft;

/// The images of the Quadlets whose units a plan starts or restarts, those that a restart takes along included.
pub(crate) fn podman_images_of(plan: &Plan, desired: &Desired) -> BTreeSet<String> {
    let starts = plan
        .changes
        .iter()
        .filter(|change| change.effect.starts().is_some());
    let along = starts.flat_map(|change| &change.interrupts);
    let along = along.filter_map(|name| desired.units.get(name));
    let images = started(plan, desired)
        .chain(along)
        .flat_map(|unit| &unit.podman);
    images.map(|image| image.name.clone()).collect()
}

pub(super) fn plan(draft: &mut Draft<'_>) {
    let (desired, observed) = (draft.desired, draft.observed);
    let mut pulls = Pulls::new(Engine::Podman, true);
    for name in draft.starting() {
        let Some(unit) = desired.units.get(&name) else {
            continue;
        };
        for image in &unit.podman {
            // Else nobody looked for it.
            if let Some(found) = observed.podman.get(&image.name) {
                pulls.add(draft, (&name, unit), image, found);
            }
        }
    }
    pulls.plan(draft);
}
