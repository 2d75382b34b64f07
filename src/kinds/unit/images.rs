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
    let mut pulls = Pulls::new(docker.engine, false);
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
            if !back.has(draft, (&name, unit), &image, found) {
                pulls.add(draft, (&name, unit), &image, found);
            }
        }
    }
    pulls.plan(draft);
    back.plan(draft);
}

/// Images that are pulled, each with why.
pub(super) struct Pulls {
    engine: Engine,
    /// Whether root's Podman pulls them itself, as for Quadlets.
    podman: bool,
    images: BTreeMap<Image, (PullImage, &'static str)>,
}

impl Pulls {
    pub(super) fn new(engine: Engine, podman: bool) -> Self {
        Self {
            engine,
            podman,
            images: BTreeMap::new(),
        }
    }

    /// Has an image pulled that a unit needs and this host lacks, and one that the unit pulls at each start. Refuses one that
    /// cannot be had, or does not run here.
    pub(super) fn add(
        &mut self,
        draft: &mut Draft<'_>,
        (name, unit): (&str, &Unit),
        image: &Image,
        found: &ImageFound,
    ) {
        let why = match (found, unit.pull) {
            (ImageFound::Missing, _) if !image.never => "it is not on this host",
            (ImageFound::There(_), Some(_)) if !image.never => "its unit pulls it at each start",
            _ => {
                if let Some((why, help)) = self.refusal(image, found) {
                    draft.refuse(ResourceId::new(Kind::Unit, name), why, vec![help]);
                }
                return;
            }
        };
        let is_there = matches!(found, ImageFound::There(_));
        let pull = PullImage {
            unit: name.to_owned(),
            podman: self.podman,
            user: unit.user.clone(),
            config: unit.docker_config.clone(),
            optional: is_there && unit.pull.is_some_and(|pull| pull.optional),
            timeout: unit.start_timeout,
            image: image.clone(),
        };
        let optional = pull.optional;
        let known = self.images.entry(image.clone()).or_insert((pull, why));
        known.0.optional &= optional;
    }

    /// Why an image that is not pulled cannot be used, and what helps.
    fn refusal(&self, image: &Image, found: &ImageFound) -> Option<(String, String)> {
        let (name, command) = (&image.name, self.engine.command());
        match found {
            ImageFound::Invalid => Some((
                format!("\"{name}\" cannot be the name of an image"),
                match self.podman {
                    true => "write it with its registry: registry.example.com/app:1".to_owned(),
                    false => "look for a variable without a value: docker-compose config shows the file as it would be started".to_owned(),
                },
            )),
            ImageFound::Missing => Some((
                format!("its image {name} is not on this host, and its pull policy is never"),
                format!("build it here as {name}, or load it from a file: {command} load -i FILE"),
            )),
            ImageFound::There(found) if !found.runs_here && image.platform.is_none() => {
                let architecture = &found.architecture;
                Some((
                    format!("its image {name} is for {architecture}, which this host does not run"),
                    format!("{command} image inspect {name} shows what it is for; pull or build it for this host"),
                ))
            }
            ImageFound::There(_) => None,
        }
    }

    pub(super) fn plan(self, draft: &mut Draft<'_>) {
        for (pull, why) in self.images.into_values() {
            let id = ResourceId::new(Kind::Unit, &pull.unit);
            draft.derived(Stage::Images, change(id, Effect::Pull(pull), why));
        }
    }
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
