//! What takes room on the engine's disk, `GET /system/df`; <https://docs.docker.com/reference/api/engine/>.

use serde::Deserialize;

use super::{Docker, get};
use crate::host::HostError;

/// What takes room. Sizes in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DockerRoom {
    /// Images that no container uses.
    pub unused_images: u64,
    /// What builds left behind and none uses.
    pub build_cache: u64,
    /// Volumes, with their sizes.
    pub volumes: Vec<(String, u64)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    #[serde(default)]
    images: Option<Vec<Image>>,
    #[serde(default)]
    build_cache: Option<Vec<Cache>>,
    #[serde(default)]
    volumes: Option<Vec<Volume>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    #[serde(default)]
    size: i64,
    #[serde(default)]
    containers: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cache {
    #[serde(default)]
    size: i64,
    #[serde(default)]
    in_use: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    name: String,
    #[serde(default)]
    usage_data: Option<VolumeUsage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VolumeUsage {
    /// -1: not known.
    size: i64,
}

impl Docker {
    /// What takes room.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub(crate) async fn room(&self) -> Result<DockerRoom, HostError> {
        let doing = || "ask the engine what takes room".to_owned();
        let target = self.target("system/df");
        let ask = || get::get::<Usage>(self.socket(), &target);
        Ok(self.line.look(doing, ask).await?.into())
    }
}

impl From<Usage> for DockerRoom {
    fn from(usage: Usage) -> Self {
        let bytes = |size: i64| u64::try_from(size).unwrap_or_default();
        let images = usage.images.unwrap_or_default();
        let unused = images.iter().filter(|image| image.containers == 0);
        let caches = usage.build_cache.unwrap_or_default();
        let caches = caches.iter().filter(|cache| !cache.in_use);
        let volumes = usage.volumes.unwrap_or_default().into_iter();
        Self {
            unused_images: unused.map(|image| bytes(image.size)).sum(),
            build_cache: caches.map(|cache| bytes(cache.size)).sum(),
            volumes: volumes
                .map(|volume| {
                    let size = volume.usage_data.map_or(0, |usage| usage.size);
                    (volume.name, bytes(size))
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_is_counted() {
        let text = r#"{"Images":[{"Size":5,"Containers":0},{"Size":7,"Containers":1},{"Size":9,"Containers":-1}],
            "BuildCache":[{"Size":3,"InUse":false},{"Size":4,"InUse":true}],
            "Volumes":[{"Name":"db","UsageData":{"Size":11,"RefCount":1}},{"Name":"x"}],"Containers":null}"#;
        let usage: Usage = serde_json::from_str(text).unwrap();
        let room = DockerRoom::from(usage);
        assert_eq!((room.unused_images, room.build_cache), (5, 3));
        assert_eq!(room.volumes, [("db".to_owned(), 11), ("x".to_owned(), 0)]);
    }
}
