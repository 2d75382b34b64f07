//! Images of Quadlets: root's Podman pulls what is missing, and what a unit pulls at each start, before anything stops.

use std::collections::{BTreeMap, BTreeSet};

use super::{images, started};
use crate::effect::{Effect, Plan, PullImage};
use crate::model::{Desired, Engine, Image, ImageFound, Kind, ResourceId};
use crate::plan::draft::{Draft, Stage, change};

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
    let mut pulls: BTreeMap<&Image, (PullImage, &str)> = BTreeMap::new();
    for name in draft.starting() {
        let Some(unit) = desired.units.get(&name) else {
            continue;
        };
        for image in &unit.podman {
            let why = match (observed.podman.get(&image.name), unit.pull) {
                // Nobody looked for it.
                (None, _) => continue,
                (Some(ImageFound::Invalid), _) => {
                    let why = format!("\"{}\" cannot be the name of an image", image.name);
                    let help = "write it with its registry: registry.example.com/app:1".to_owned();
                    draft.refuse(ResourceId::new(Kind::Unit, &name), why, vec![help]);
                    continue;
                }
                (Some(ImageFound::Missing), _) if image.never => {
                    images::refuse_missing(draft, Engine::Podman, &name, image);
                    continue;
                }
                (Some(ImageFound::Missing), _) => "it is not on this host",
                (Some(ImageFound::There(_)), Some(_)) if !image.never => {
                    "its unit pulls it at each start"
                }
                (Some(ImageFound::There(found)), _) => {
                    if !found.runs_here {
                        images::refuse(draft, Engine::Podman, &name, image, &found.architecture);
                    }
                    continue;
                }
            };
            let is_there = matches!(observed.podman.get(&image.name), Some(ImageFound::There(_)));
            let pull = PullImage {
                unit: name.clone(),
                podman: true,
                optional: is_there && unit.pull.is_some_and(|pull| pull.optional),
                timeout: unit.start_timeout,
                image: image.clone(),
                ..PullImage::default()
            };
            let known = pulls.entry(image).or_insert((pull.clone(), why));
            known.0.optional &= pull.optional;
        }
    }
    for (pull, why) in pulls.into_values() {
        let id = ResourceId::new(Kind::Unit, &pull.unit);
        draft.derived(Stage::Images, change(id, Effect::Pull(pull), why));
    }
}
