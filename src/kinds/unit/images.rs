//! Images are there before anything stops: what is missing, and what a unit pulls at each start, is pulled first.

use std::collections::{BTreeMap, BTreeSet};

use super::builds;
use super::ran::Back;
use super::started;
use crate::effect::{Effect, Plan, PullImage};
use crate::model::{
    Desired, Engine, Image, ImageFound, Kind, RanImage, RanImages, ResourceId, Unit,
};
use crate::plan::draft::{Draft, Stage, change};

/// The images of the units that a plan starts or restarts, and those that they ran in the generation that it goes back to.
pub(crate) fn images_of(
    plan: &Plan,
    desired: &Desired,
    ran: Option<&RanImages>,
) -> BTreeSet<String> {
    let starts = started(plan, desired);
    let names = starts.flat_map(images_of_unit);
    let mut names: BTreeSet<String> = names.map(|image| image.name).collect();
    let ran: Vec<&RanImage> = ran.iter().flat_map(|ran| &ran.images).collect();
    let built = started(plan, desired).flat_map(|unit| ran.iter().filter(|ran| unit.builds(ran)));
    names.extend(built.map(|ran| ran.image.clone()));
    let wanted = ran
        .iter()
        .filter(|ran| names.iter().any(|name| ran.is_named(name)));
    let ids: Vec<String> = wanted.map(|ran| ran.id.clone()).collect();
    names.extend(ids);
    names
}

/// The images of a unit's containers, as far as they are known; not those that it builds.
pub(crate) fn images_of_unit(unit: &Unit) -> BTreeSet<Image> {
    let of_stacks = unit.stacks.iter().flat_map(|stack| stack.images.values());
    let of_runs = unit.runs.iter().filter_map(|run| run.image.as_ref());
    let named = of_stacks
        .chain(of_runs)
        .filter(|image| !image.name.is_empty());
    named.cloned().collect()
}

pub(crate) fn plan(draft: &mut Draft<'_>) {
    let Some(docker) = &draft.observed.docker else {
        return;
    };
    let desired = draft.desired;
    let mut pulls: BTreeMap<Image, (PullImage, &str)> = BTreeMap::new();
    let mut back = Back::default();
    for name in draft.starting() {
        let Some(unit) = desired.units.get(&name) else {
            continue;
        };
        match unit.stack {
            Some(_) => builds::plan(draft, (&name, unit), &mut back),
            None => note_builds(draft, &name, unit),
        }
        for image in images_of_unit(unit) {
            // What nobody looked for: an offline root, or an engine that was not asked.
            let Some(found) = docker.images.get(&image.name) else {
                continue;
            };
            if back.has(draft, (&name, unit), &image, found) {
                continue;
            }
            let why = match (found, unit.pull) {
                (ImageFound::Invalid, _) => {
                    refuse_name(draft, &name, &image);
                    continue;
                }
                (ImageFound::Missing, _) if image.never => {
                    refuse_missing(draft, docker.engine, &name, &image);
                    continue;
                }
                (ImageFound::Missing, _) => "it is not on this host",
                (ImageFound::There(_), Some(_)) if !image.never => {
                    "its unit pulls it at each start"
                }
                (ImageFound::There(found), _) => {
                    if !found.runs_here && image.platform.is_none() {
                        refuse(draft, docker.engine, &name, &image, &found.architecture);
                    }
                    continue;
                }
            };
            let is_there = matches!(found, ImageFound::There(_));
            let pull = PullImage {
                unit: name.clone(),
                podman: false,
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
        draft.derived(Stage::Images, change(id, Effect::Pull(pull), why));
    }
    back.plan(draft);
}

/// Docker builds an image where its service starts: by then the old container has stopped.
fn note_builds(draft: &mut Draft<'_>, name: &str, unit: &Unit) {
    for stack in unit.stacks.iter().filter(|stack| !stack.built.is_empty()) {
        let services: Vec<&str> = stack.built.iter().map(String::as_str).collect();
        let files = stack.files.iter();
        let files: String = files
            .map(|file| format!(" -f {}", file.display()))
            .collect();
        let services = services.join(" ");
        let text = format!(
            "{services}: an image that is missing is built when the unit starts, while nothing serves, and one that is \
             there is used as it is; to build it before: docker-compose -p {}{files} build {services}",
            stack.project
        );
        draft.note(ResourceId::new(Kind::Unit, name), None, text);
    }
}

fn refuse_name(draft: &mut Draft<'_>, unit: &str, image: &Image) {
    let why = format!("\"{}\" cannot be the name of an image", image.name);
    let help = "look for a variable without a value: docker-compose config shows the file as it would be started".to_owned();
    draft.refuse(ResourceId::new(Kind::Unit, unit), why, vec![help]);
}

/// Refuses an image that is not there and that nobody may pull.
pub(super) fn refuse_missing(draft: &mut Draft<'_>, engine: Engine, unit: &str, image: &Image) {
    let why = format!(
        "its image {} is not on this host, and its pull policy is never",
        image.name
    );
    let help = format!(
        "build it here as {}, or load it from a file: {} load -i FILE",
        image.name,
        engine.command()
    );
    draft.refuse(ResourceId::new(Kind::Unit, unit), why, vec![help]);
}

pub(super) fn refuse(
    draft: &mut Draft<'_>,
    engine: Engine,
    unit: &str,
    image: &Image,
    architecture: &str,
) {
    let why = format!(
        "its image {} is for {architecture}, which this host does not run",
        image.name
    );
    let help = format!(
        "{} image inspect {} shows what it is for; pull or build it for this host",
        engine.command(),
        image.name
    );
    draft.refuse(ResourceId::new(Kind::Unit, unit), why, vec![help]);
}
