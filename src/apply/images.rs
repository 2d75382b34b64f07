//! Images that are fetched before anything stops, and containers that give way.

use super::{Run, StepError};
use crate::effect::{PullImage, Release};
use crate::host::HostError;
use crate::model::ImageState;
use crate::state::Undo;

impl Run<'_> {
    /// Pulls an image. One that is there already will do where the unit says so, too.
    pub(super) async fn pull(&mut self, pull: &PullImage) -> Result<(), StepError> {
        let (host, progress) = (self.host, &mut *self.progress);
        let mut tell = |line: &str| progress.say(&format!("pulling {}: {line}", pull.image.name));
        let pulled = host.pull(pull, &self.interrupted, &mut tell).await;
        if let Err(HostError::Interrupted) = pulled {
            return Err(StepError::Interrupted);
        }
        let fetched = host.docker().await?.image(&pull.image.name).await?;
        match (pulled, fetched) {
            (Ok(()), Some(fetched)) => demand(pull, &fetched),
            (Err(error), Some(fetched)) if pull.optional => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                self.progress
                    .warn(&format!("{error}{cause}; the existing image is used"));
                demand(pull, &fetched)
            }
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(HostError::ImageGone {
                image: pull.image.name.clone(),
            }
            .into()),
        }
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
            docker.stop_container(&container.id).await?;
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
            "kept the container {} as {aside}: docker rm {aside} when it is no longer needed",
            container.name
        ));
        Ok(())
    }
}

fn demand(pull: &PullImage, fetched: &ImageState) -> Result<(), StepError> {
    match fetched.runs_here || pull.image.platform.is_some() {
        true => Ok(()),
        false => Err(HostError::ImagePlatform {
            image: pull.image.name.clone(),
            is_for: fetched.architecture.clone(),
        }
        .into()),
    }
}
