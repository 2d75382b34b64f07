//! Images that a stack builds are built before anything stops.

use std::collections::BTreeSet;

use super::ran::Back;
use super::replacement;
use crate::effect::{BuildImages, Effect};
use crate::model::{Image, Kind, ResourceId, Stack, Unit};
use crate::plan::draft::{Draft, Stage, change};

/// What a stack builds that starts or is reloaded. What it was built from as it was applied is used as it is; on the way back to
/// a generation, what ran there.
pub(super) fn plan(draft: &mut Draft<'_>, (name, unit): (&str, &Unit), back: &mut Back) {
    let came_back = came_back(draft, (name, unit), back);
    let before = replacement::before(draft, name);
    let mut builds = Vec::new();
    for stack in &unit.stacks {
        let before = before
            .as_ref()
            .and_then(|unit| unit.project(&stack.project));
        let is_built = |service: &&String| match before {
            Some(before) => before.contexts.get(*service) == stack.contexts.get(*service),
            // One that is adopted runs with what it was built with.
            None => has_container(draft, stack, service),
        };
        let is_back =
            |service: &String| came_back.contains(&(stack.project.clone(), service.clone()));
        let services = stack
            .built
            .iter()
            .filter(|service| !is_built(service) && !is_back(service));
        let services: BTreeSet<String> = services.cloned().collect();
        if services.is_empty() {
            continue;
        }
        builds.push(BuildImages {
            unit: name.to_owned(),
            project: stack.project.clone(),
            files: stack.files.clone(),
            services,
            port: unit.copy.as_ref().map(|copy| copy.port),
            timeout: unit.start_timeout,
        });
    }
    // The checkout is not what it was in that generation.
    if draft.ran.is_some() {
        for build in builds {
            let text = format!(
                "the images of {} stay: they were built from another state of the checkout; check that out and build them, if that matters: docker compose {}",
                build.names(),
                build.arguments().join(" ")
            );
            draft.note(ResourceId::new(Kind::Unit, name), None, text);
        }
        return;
    }
    for build in builds {
        let id = ResourceId::new(Kind::Unit, name);
        let why = "what they are built from is new";
        draft.derived(Stage::Images, change(id, Effect::Build(build), why));
    }
}

/// Services, with their projects, that have the image again that they ran in the generation.
fn came_back(
    draft: &mut Draft<'_>,
    (name, unit): (&str, &Unit),
    back: &mut Back,
) -> BTreeSet<(String, String)> {
    let (Some(ran), Some(docker)) = (draft.ran, &draft.observed.docker) else {
        return BTreeSet::new();
    };
    let mut services = BTreeSet::new();
    for ran in ran.images.iter().filter(|ran| unit.builds(ran)) {
        let image = Image {
            name: ran.image.clone(),
            ..Image::default()
        };
        let Some(found) = docker.images.get(&image.name) else {
            continue;
        };
        if back.has(draft, (name, unit), &image, found) {
            services.extend(ran.service.clone());
        }
    }
    services
}

fn has_container(draft: &Draft<'_>, stack: &Stack, service: &str) -> bool {
    let mut containers = draft.observed.containers();
    containers.any(|one| one.is_of(&stack.project, service))
}
