//! What takes room on the engine's disk, `GET /system/df`; <https://docs.docker.com/reference/api/engine/>.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Docker, get};
use crate::host::HostError;

/// How long the engine may count what takes room.
const COUNTING: Duration = Duration::from_secs(60);

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
    images: Option<Vec<Image>>,
    build_cache: Option<Vec<Cache>>,
    volumes: Option<Vec<Volume>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Image {
    size: i64,
    containers: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Cache {
    size: i64,
    in_use: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    name: String,
    usage_data: Option<VolumeUsage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VolumeUsage {
    /// -1: not known.
    size: i64,
}

impl Docker {
    pub(crate) async fn room(&self) -> Result<DockerRoom, HostError> {
        let doing = || "ask the engine what takes room".to_owned();
        let target = self.target("system/df");
        let ask = || get::get::<Usage>(self.socket(), &target);
        Ok(self.line.look(doing, ask).await?.into())
    }
}

/// A volume or a network that somebody may want to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removable {
    /// Its id; a volume has none but its name.
    pub id: String,
    pub driver: String,
    pub made: Option<Timestamp>,
    /// The folder of the host in which a volume lies.
    pub folder: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    #[serde(default)]
    id: String,
    #[serde(default)]
    driver: String,
    /// Of a network.
    created: Option<String>,
    /// Of a volume.
    created_at: Option<String>,
    mountpoint: Option<PathBuf>,
}

impl From<Record> for Removable {
    fn from(record: Record) -> Self {
        let made = record.created.or(record.created_at);
        Self {
            id: record.id,
            driver: record.driver,
            made: made.and_then(|made| made.parse().ok()),
            folder: record.mountpoint.filter(|path| path.is_absolute()),
        }
    }
}

impl Docker {
    /// What is known of a network; `None` where there is none of that id.
    pub(crate) async fn network_record(&self, id: &str) -> Result<Option<Removable>, HostError> {
        let doing = || format!("inspect network {id}");
        self.record(doing, &format!("networks/{}", get::escaped(id)))
            .await
    }

    /// What is known of a volume; `None` where there is none of that name.
    pub(crate) async fn volume_record(&self, name: &str) -> Result<Option<Removable>, HostError> {
        let doing = || format!("inspect volume {name}");
        self.record(doing, &format!("volumes/{}", get::escaped(name)))
            .await
    }

    async fn record(
        &self,
        doing: impl Fn() -> String,
        path: &str,
    ) -> Result<Option<Removable>, HostError> {
        let target = self.target(path);
        let ask = || get::get::<Record>(self.socket(), &target);
        match self.line.look(doing, ask).await {
            Ok(record) => Ok(Some(record.into())),
            Err(error) if error.is_gone() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The size of a volume; `None` where the engine does not know it, as of a plugin's.
    pub(crate) async fn volume_size(&self, name: &str) -> Result<Option<u64>, HostError> {
        let doing = || format!("ask the engine for the size of volume {name}");
        let target = self.target("system/df");
        let ask = || get::get::<Usage>(self.socket(), &target);
        // A question that is given up is not asked twice.
        let usage = self.line.request_within(COUNTING, doing, ask()).await?;
        let mut volumes = usage.volumes.unwrap_or_default().into_iter();
        let found = volumes.find(|volume| volume.name == name);
        let size = found.and_then(|volume| Some(volume.usage_data?.size));
        Ok(size.and_then(|size| u64::try_from(size).ok()))
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
    fn records_of_networks_and_volumes() {
        let network =
            r#"{"Name":"a","Id":"i","Created":"2026-01-02T03:04:05.6+09:00","Driver":"bridge"}"#;
        let volume = r#"{"CreatedAt":"2026-01-02T03:04:05Z","Driver":"local","Mountpoint":"/var/lib/docker/volumes/a/_data","Name":"a"}"#;
        let of = |text: &str| Removable::from(serde_json::from_str::<Record>(text).unwrap());
        assert_eq!(
            of(network).made.unwrap().to_string(),
            "2026-01-01T18:04:05.6Z"
        );
        assert_eq!(
            of(volume).folder,
            Some("/var/lib/docker/volumes/a/_data".into())
        );
        assert_eq!(of("{}"), Removable::default());
    }

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
