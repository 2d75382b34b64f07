//! Whether a rollback runs what ran: a unit may pull by what cannot be left out of its start.

use std::collections::BTreeSet;

use crate::apply::Progress;
use crate::model::image::short;
use crate::model::{DockerState, ImageFound, Observed, RanImages};
use crate::reconcile::Planned;

/// Reports containers that were to run the image of a generation, and run another one.
pub(in crate::reconcile) fn report(
    planned: &Planned,
    after: &Observed,
    progress: &mut dyn Progress,
) {
    let (Some(ran), Some(docker)) = (&planned.ran, &after.docker) else {
        return;
    };
    let changes = planned.plan.changes.iter();
    let started = changes.filter_map(|change| Some(change.effect.starts()?.unit.as_str()));
    let images = planned.observed.docker.iter();
    let images = images.flat_map(|docker| &docker.images);
    let there = images.filter(|(_, found)| matches!(found, ImageFound::There(_)));
    let there = there.map(|(name, _)| name.as_str()).collect();
    for line in lines(ran, &started.collect(), &there, docker) {
        progress.warn(&line);
    }
}

/// A line for each container of a unit that was started whose image was on the host and does not run.
fn lines(
    ran: &RanImages,
    started: &BTreeSet<&str>,
    there: &BTreeSet<&str>,
    docker: &DockerState,
) -> Vec<String> {
    let was_to_run = ran
        .images
        .iter()
        .filter(|ran| started.contains(ran.unit.as_str()) && there.contains(ran.id.as_str()));
    let line = was_to_run.filter_map(|image| {
        let mut containers = docker.containers.iter();
        let found = containers.find(|one| one.name == image.container && one.is_running())?;
        (found.image_id != image.id).then(|| {
            format!(
                "{} runs {}, and not {}, which it ran in generation {}: docker inspect {}",
                image.container,
                short(&found.image_id),
                short(&image.id),
                ran.generation,
                image.container
            )
        })
    });
    line.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Container, RanImage};

    #[test]
    fn a_container_with_another_image_is_reported() {
        let image = |unit: &str, container: &str, id: &str| RanImage {
            unit: unit.into(),
            container: container.into(),
            id: id.into(),
            ..RanImage::default()
        };
        let container = |name: &str, id: &str| Container {
            name: name.into(),
            image_id: id.into(),
            state: "running".into(),
            ..Container::default()
        };
        let ran = RanImages {
            generation: 3,
            images: vec![
                image("a.service", "a", "sha256:old"),
                image("b.service", "b", "sha256:old"),
                image("c.service", "c", "sha256:old"),
                image("d.service", "d", "sha256:gone"),
            ],
        };
        let docker = DockerState {
            containers: vec![
                container("a", "sha256:new"),
                container("b", "sha256:old"),
                container("c", "sha256:new"),
                container("d", "sha256:new"),
            ],
            ..DockerState::default()
        };
        let started = BTreeSet::from(["a.service", "b.service", "d.service"]);
        assert_eq!(
            lines(&ran, &started, &BTreeSet::from(["sha256:old"]), &docker),
            [
                "a runs sha256:new, and not sha256:old, which it ran in generation 3: docker inspect a"
            ]
        );
    }
}
