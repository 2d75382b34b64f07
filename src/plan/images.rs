//! Images are there before anything stops: what is missing, and what a unit pulls at each start, is pulled first.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Stage, change};
use super::started;
use crate::model::{Action, Desired, Image, ImageFound, Kind, Plan, PullImage, ResourceId, Unit};

/// The images of the units that a plan starts or restarts.
pub fn images_of(plan: &Plan, desired: &Desired) -> BTreeSet<String> {
    let starts = started(plan, desired);
    let names = starts.flat_map(images).map(|image| image.name);
    names.filter(|name| !is_open(name)).collect()
}

/// Whether a name has a variable in it whose value is not read, since it looks like a secret.
fn is_open(name: &str) -> bool {
    name.contains('$')
}

/// The images of a unit's containers, as far as they are known; not those that it builds.
fn images(unit: &Unit) -> BTreeSet<Image> {
    let of_stacks = unit.stacks.iter().flat_map(|stack| stack.images.values());
    let of_runs = unit.runs.iter().filter_map(|run| run.image.as_ref());
    let named = of_stacks
        .chain(of_runs)
        .filter(|image| !image.name.is_empty());
    named.cloned().collect()
}

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let desired = draft.desired;
    let mut pulls: BTreeMap<Image, (PullImage, &str)> = BTreeMap::new();
    for name in draft.starting() {
        let Some(unit) = desired.units.get(&name) else {
            continue;
        };
        for image in images(unit) {
            if is_open(&image.name) {
                let text = format!(
                    "its image {} was not looked for: the value of the variable looks like a secret and is not read",
                    image.name
                );
                draft.note(ResourceId::new(Kind::Unit, &name), None, text);
            }
            // What nobody looked for: an offline root, or an engine that was not asked.
            let Some(found) = docker.images.get(&image.name) else {
                continue;
            };
            let why = match (found, unit.pull) {
                (ImageFound::Invalid, _) => {
                    refuse_name(draft, &name, &image);
                    continue;
                }
                (ImageFound::Missing, _) => "it is not on this host",
                (ImageFound::There(_), Some(_)) => "its unit pulls it at each start",
                (ImageFound::There(found), None) => {
                    if !found.runs_here && image.platform.is_none() {
                        refuse(draft, &name, &image, &found.architecture);
                    }
                    continue;
                }
            };
            let is_there = matches!(found, ImageFound::There(_));
            let pull = PullImage {
                unit: name.clone(),
                user: unit.user.clone(),
                config: unit.docker_config.clone(),
                optional: is_there && unit.pull.is_some_and(|pull| pull.optional),
                timeout: unit.start_timeout,
                image: image.clone(),
            };
            let known = pulls.entry(image).or_insert((pull.clone(), why));
            known.0.optional &= pull.optional;
        }
    }
    for (pull, why) in pulls.into_values() {
        let id = ResourceId::new(Kind::Unit, &pull.unit);
        draft.derived(Stage::Images, change(id, Action::Pull(pull), why));
    }
}

fn refuse_name(draft: &mut Draft<'_>, unit: &str, image: &Image) {
    let why = format!("\"{}\" cannot be the name of an image", image.name);
    let help = "look for a variable without a value: docker-compose config shows the file as it would be started".to_owned();
    draft.refuse(ResourceId::new(Kind::Unit, unit), why, vec![help]);
}

fn refuse(draft: &mut Draft<'_>, unit: &str, image: &Image, architecture: &str) {
    let why = format!(
        "its image {} is for {architecture}, which this host does not run",
        image.name
    );
    let help = format!(
        "docker image inspect {} shows what it is for; pull or build it for this host",
        image.name
    );
    draft.refuse(ResourceId::new(Kind::Unit, unit), why, vec![help]);
}
