//! Images that are fetched before anything stops, what their names lead to, and containers that give way.

use std::collections::BTreeMap;

use super::{Run, StepError};
use crate::effect::{BuildImages, PullImage, Release, TagImage};
use crate::host::HostError;
use crate::model::image::listed_name;
use crate::model::{Container, DockerState, Engine, ImageFound, ImageRecord, ImageState};
use crate::state::Undo;

impl Run<'_> {
    /// Pulls an image. One that already exists will do where the unit says so, too.
    pub(super) async fn pull(&mut self, pull: &PullImage) -> Result<(), StepError> {
        if pull.podman {
            return self.pull_with_podman(pull).await;
        }
        let name = &pull.image.name;
        let before = self.host.docker().await?.image(name).await?;
        let known = self.journal.undos().to_vec();
        self.record_image_name(name, before.as_ref()).await?;
        let pulled = self.follow_pull(pull).await;
        let docker = self.host.docker().await?;
        let fetched = docker.image(name).await?;
        if fetched.as_ref().map(|image| &image.id) == before.as_ref().map(|image| &image.id) {
            // Nothing was changed that would have to be undone.
            self.journal.keep(known)?;
        }
        self.fetched((docker.kind(), pull), pulled, fetched)
    }

    /// Pulls an image of a Quadlet. What its name led to before is not on record: a unit that pulls at each start does so
    /// on the way back, too.
    async fn pull_with_podman(&mut self, pull: &PullImage) -> Result<(), StepError> {
        let pulled = self.follow_pull(pull).await;
        let fetched = match self.host.podman_image(&pull.image.name).await? {
            ImageFound::There(fetched) => Some(fetched),
            ImageFound::Missing | ImageFound::Invalid => None,
        };
        self.fetched((Engine::Podman, pull), pulled, fetched)
    }

    async fn follow_pull(&mut self, pull: &PullImage) -> Result<(), HostError> {
        let (host, progress) = (self.host, &mut *self.progress);
        let name = &pull.image.name;
        let mut tell = |line: &str| progress.say(&format!("pulling {name}: {line}"));
        host.pull(pull, &self.interrupted, &mut tell).await
    }

    /// Whether the image that was to be pulled is there, and runs here.
    fn fetched(
        &mut self,
        (engine, pull): (Engine, &PullImage),
        pulled: Result<(), HostError>,
        fetched: Option<ImageState>,
    ) -> Result<(), StepError> {
        match (pulled, fetched) {
            (Err(HostError::Interrupted), _) => Err(StepError::Interrupted),
            (Ok(()), Some(fetched)) => demand(engine, pull, &fetched),
            (Err(error), Some(fetched)) if pull.optional => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                self.progress
                    .warn(&format!("{error}{cause}; the existing image is used"));
                demand(engine, pull, &fetched)
            }
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(HostError::ImageGone {
                engine,
                image: pull.image.name.clone(),
            }
            .into()),
        }
    }

    /// Builds the images of a stack.
    pub(super) async fn build(&mut self, build: &BuildImages) -> Result<(), StepError> {
        let known = self.journal.undos().to_vec();
        self.record_image_names().await?;
        let (host, progress) = (self.host, &mut *self.progress);
        let names = build.names();
        let mut tell = |line: &str| progress.say(&format!("building {names}: {line}"));
        let built = host.build(build, &self.interrupted, &mut tell).await;
        if built.is_err() && !self.has_moved_a_name().await? {
            // Nothing was changed that would have to be undone.
            self.journal.keep(known)?;
        }
        match built {
            Err(HostError::Interrupted) => Err(StepError::Interrupted),
            built => Ok(built?),
        }
    }

    /// Whether a name of an image that ran before leads to another one now.
    async fn has_moved_a_name(&mut self) -> Result<bool, StepError> {
        let docker = self.host.docker().await?;
        for undo in self.image_names().await? {
            let Undo::Tag { name, image, .. } = undo else {
                continue;
            };
            if docker
                .image(name)
                .await?
                .is_none_or(|found| found.id != *image)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a name lead to another image of the host.
    pub(super) async fn tag(&mut self, tag: &TagImage) -> Result<(), StepError> {
        let docker = self.host.docker().await?;
        let before = docker.image(&tag.name).await?;
        self.record_image_name(&tag.name, before.as_ref()).await?;
        Ok(docker.tag_image(&tag.image, &tag.name).await?)
    }

    /// Writes down what a name leads to before it is moved.
    async fn record_image_name(
        &mut self,
        name: &str,
        before: Option<&ImageState>,
    ) -> Result<(), StepError> {
        let Some(listed) = listed_name(name) else {
            return Ok(());
        };
        let names = self.image_names().await?;
        let is_of = |undo: &&Undo| matches!(undo, Undo::Tag { name, .. } if *name == listed);
        let mut undos: Vec<Undo> = names.iter().filter(is_of).cloned().collect();
        if let Some(image) = before.filter(|_| undos.is_empty()) {
            undos.push(Undo::Tag {
                name: listed,
                image: image.id.clone(),
                last: false,
            });
        }
        Ok(self.journal.record_all(undos)?)
    }

    /// Writes down which images run under which names, before the first unit is started or stopped: units pull and build
    /// by themselves.
    pub(super) async fn record_image_names(&mut self) -> Result<(), StepError> {
        let names = self.image_names().await?.to_vec();
        Ok(self.journal.record_all(names)?)
    }

    /// What makes the name of each running container's image lead to that image again. Looked up once, before any of them
    /// is moved.
    async fn image_names(&mut self) -> Result<&[Undo], StepError> {
        if self.names.is_none() {
            self.names = Some(match &self.before.docker {
                Some(docker) if docker.containers.iter().any(Container::is_running) => {
                    tags(docker, &self.host.docker().await?.images().await?)
                }
                _ => Vec::new(),
            });
        }
        Ok(self.names.as_deref().unwrap_or_default())
    }

    /// Takes a container out of the way whose unit has stopped and has left it.
    pub(super) async fn release(&mut self, release: &Release) -> Result<(), StepError> {
        let docker = self.host.docker().await?;
        let container = match docker.container(&release.id).await {
            Ok(container) => container,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if container.is_running() {
            let stop = docker.stop_container(&container.id);
            self.unless_interrupted(stop).await?;
        }
        if !release.keep {
            return Ok(docker.remove_container(&container.id).await?);
        }
        self.journal.record(Undo::Rename {
            container: container.id.clone(),
            name: container.name.clone(),
        })?;
        let aside = format!(
            "{}.before-{}",
            container.name,
            self.time.strftime("%Y%m%d_%H%M%S")
        );
        docker.rename_container(&container.id, &aside).await?;
        self.progress.say(&format!(
            "kept the container {} as {aside}: {} rm {aside} when it is no longer needed",
            container.name,
            docker.kind().command()
        ));
        Ok(())
    }
}

fn demand(engine: Engine, pull: &PullImage, fetched: &ImageState) -> Result<(), StepError> {
    match fetched.runs_here || pull.image.platform.is_some() {
        true => Ok(()),
        false => Err(HostError::ImagePlatform {
            engine,
            image: pull.image.name.clone(),
            is_for: fetched.architecture.clone(),
        }
        .into()),
    }
}

/// Each name with the image that runs under it, and then with the one that it leads to where that is another: somebody has
/// pulled or built it, and nothing was started since.
fn tags(docker: &DockerState, images: &BTreeMap<String, ImageRecord>) -> Vec<Undo> {
    let tag = |name: &str, image: &str, last| Undo::Tag {
        name: name.to_owned(),
        image: image.to_owned(),
        last,
    };
    let mut leads: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, image) in images {
        leads.extend(image.names.iter().map(|name| (name.as_str(), id.as_str())));
    }
    let mut ran: BTreeMap<String, &str> = BTreeMap::new();
    for container in docker.containers.iter().filter(|known| known.is_running()) {
        let Some(name) = listed_name(&container.image) else {
            continue;
        };
        let id = container.image_id.as_str();
        let is_led_to = leads.get(name.as_str()) == Some(&id);
        if images.contains_key(id) && (is_led_to || !ran.contains_key(&name)) {
            ran.insert(name, id);
        }
    }
    let mut undos: Vec<Undo> = Vec::new();
    for (name, id) in &ran {
        undos.push(tag(name, id, false));
        if let Some(other) = leads.get(name.as_str()).filter(|other| *other != id) {
            undos.push(tag(name, other, true));
        }
    }
    undos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_what_ran_and_then_to_what_somebody_has_pulled_since() {
        let container = |image: &str, id: &str| Container {
            image: image.into(),
            image_id: id.into(),
            state: "running".into(),
            ..Container::default()
        };
        let docker = DockerState {
            containers: vec![
                container("app", "sha256:old"),
                container("web:1", "sha256:web"),
                container("web@sha256:12", "sha256:web"),
                container("gone:1", "sha256:gone"),
            ],
            ..DockerState::default()
        };
        let image = |names: &[&str]| ImageRecord {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..ImageRecord::default()
        };
        let images = BTreeMap::from([
            ("sha256:old".to_owned(), image(&[])),
            ("sha256:new".to_owned(), image(&["app:latest"])),
            ("sha256:web".to_owned(), image(&["web:1"])),
        ]);
        let tag = |name: &str, image: &str, last| Undo::Tag {
            name: name.into(),
            image: image.into(),
            last,
        };
        assert_eq!(
            tags(&docker, &images),
            [
                tag("app:latest", "sha256:old", false),
                tag("app:latest", "sha256:new", true),
                tag("web:1", "sha256:web", false),
            ]
        );
    }
}
