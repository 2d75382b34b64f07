//! Images of the engine: what it has, and what their names lead to.

use std::collections::{BTreeMap, BTreeSet};

use bollard::auth::DockerCredentials;
use bollard::models::DistributionInspect;
use bollard::query_parameters::{ListImagesOptions, TagImageOptionsBuilder};
use jiff::Timestamp;

use super::line::REQUEST;
use super::{Docker, get};
use crate::host::error::HostError;
use crate::model::image::{listed_name, split_tag};
use crate::model::{ImageRecord, ImageState};

/// What the list has in the place of a name that an image does not have.
const NONE: &str = "<none>";

impl Docker {
    /// All images by their ids: one request.
    pub(crate) async fn images(&self) -> Result<BTreeMap<String, ImageRecord>, HostError> {
        let doing = || "list images".to_owned();
        let ask = || self.engine.list_images(None::<ListImagesOptions>);
        let listed = self.line.look(doing, ask).await?.into_iter();
        let named = |names: Vec<String>| -> BTreeSet<String> {
            let names = names.into_iter();
            names.filter(|name| !name.starts_with(NONE)).collect()
        };
        let record = |image: bollard::models::ImageSummary| {
            let record = ImageRecord {
                created: Timestamp::from_second(image.created).ok(),
                // Podman lists them with their registry.
                names: named(image.repo_tags)
                    .into_iter()
                    .map(|name| listed_name(&name).unwrap_or(name))
                    .collect(),
                digests: named(image.repo_digests),
            };
            (image.id, record)
        };
        Ok(listed.map(record).collect())
    }

    /// An image by its name, tag or digest included, or by its id. `None`: the engine does not have it.
    pub(crate) async fn image(&self, name: &str) -> Result<Option<ImageState>, HostError> {
        let doing = || format!("inspect image {name}");
        match self
            .line
            .look(doing, || self.engine.inspect_image(name))
            .await
        {
            Ok(image) => {
                let architecture = image.architecture.unwrap_or_default();
                Ok(Some(ImageState {
                    id: image.id.unwrap_or_default(),
                    runs_here: crate::host::images::runs_here(&architecture),
                    architecture,
                }))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The digest that a name has in its registry, which the engine asks: that of an index where the image has several
    /// platforms; `GET /distribution/NAME/json` in <https://docs.docker.com/reference/api/engine/>. Not by the line: a
    /// registry that does not answer is no engine that hangs.
    pub(in crate::host) async fn registry_digest(
        &self,
        name: &str,
        credentials: Option<DockerCredentials>,
    ) -> Result<String, HostError> {
        let what = || format!("look {name} up in its registry");
        let target = self.target(&format!("distribution/{}/json", get::image_path(name)));
        let answer = get::get_with_login(&self.socket, &target, credentials.as_ref());
        let answer: Result<Result<DistributionInspect, _>, _> =
            tokio::time::timeout(REQUEST, answer).await;
        match answer {
            Ok(Ok(found)) => Ok(found.descriptor.digest.unwrap_or_default()),
            Err(_) => Err(HostError::Timeout {
                what: what(),
                after: REQUEST,
            }),
            Ok(Err(source)) => Err(HostError::Docker {
                engine: self.kind,
                doing: what(),
                source: Box::new(source),
            }),
        }
    }

    /// Makes a listed name lead to an image, in place of the one that it leads to.
    pub(crate) async fn tag_image(&self, id: &str, listed: &str) -> Result<(), HostError> {
        let (repository, tag) = split_tag(listed);
        let options = TagImageOptionsBuilder::new().repo(repository).tag(tag);
        let doing = || format!("tag the image {id} as {listed}");
        let answer = self.engine.tag_image(id, Some(options.build()));
        self.line.request(doing, answer).await
    }
}
