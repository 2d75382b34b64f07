//! What a container engine is found to have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use compose_file::{Bind, Publish, VolumeMount};
use jiff::Timestamp;

use crate::model::id::Hash;
use crate::model::{Addresses, Engine, Subnet, Volume};

/// The Docker engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DockerState {
    /// Which engine it is.
    pub engine: Engine,
    /// Whether it is a user's, and not root's.
    pub of_user: bool,
    /// All networks by name; several can share one.
    pub networks: BTreeMap<String, Vec<NetworkState>>,
    /// All volumes by name; only driver, options and labels are filled in.
    pub volumes: BTreeMap<String, Volume>,
    /// All containers, stopped ones included.
    pub containers: Vec<Container>,
    /// Images by the names that were asked about; only where a plan starts or restarts units.
    pub images: BTreeMap<String, ImageFound>,
}

/// What a look for an image brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageFound {
    /// The engine has it.
    There(ImageState),
    /// The engine does not have it.
    Missing,
    /// The engine says that there is no image of such a name.
    Invalid,
}

/// What is at a path that a container mounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BindSource {
    /// Nothing: Docker makes an empty folder there.
    #[default]
    Missing,
    /// A regular file, with the hash of its content.
    File(Hash),
    /// A folder that is empty.
    Empty(FileId),
    /// A folder, a socket, or a file too large to compare.
    Other(FileId),
}

/// Which file it is, whatever path leads there: device and inode; stat(2).
pub type FileId = (u64, u64);

/// An image that the engine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageState {
    /// Its id.
    pub id: String,
    /// The processor that it is for, e.g. `amd64`.
    pub architecture: String,
    /// Whether this host can run it, emulators included.
    pub runs_here: bool,
}

/// An image of the engine's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageRecord {
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Names that lead to it, with their tags.
    pub names: BTreeSet<String>,
    /// Names with the digests by which registries know it: that of an index where it came from one.
    pub digests: BTreeSet<String>,
}

/// A network of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkState {
    /// Its id.
    pub id: String,
    /// Driver.
    pub driver: String,
    /// Driver options.
    pub options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it has no way out.
    pub internal: bool,
    /// Whether IPv6 is on.
    pub ipv6: bool,
    /// Address ranges.
    pub subnets: Vec<Subnet>,
    /// Ids of the containers that it lists, with their addresses: the truth about membership.
    pub endpoints: BTreeMap<String, Addresses>,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// The unit that has Podman run it: its label `PODMAN_SYSTEMD_UNIT`; podman-auto-update(1).
    pub systemd_unit: Option<String>,
    /// Its id.
    pub id: String,
    /// Its name, without the slash.
    pub name: String,
    /// Image as it was asked for.
    pub image: String,
    /// Id of the image that it runs.
    pub image_id: String,
    /// Compose project and service, from its labels.
    pub compose: Option<(String, String)>,
    /// Compose files that it was made from, absolute, from its labels.
    pub config_files: Vec<PathBuf>,
    /// The hash of what compose made it from, from its labels.
    pub config_hash: Option<String>,
    /// Whether it is a one-off of `compose run`.
    pub oneoff: bool,
    /// created, running, paused, restarting, removing, exited, dead.
    pub state: String,
    /// Exit code of the last run.
    pub exit_code: i64,
    /// Whether the kernel killed it for memory.
    pub oom_killed: bool,
    /// Whether it has a limit of memory of its own.
    pub has_memory_limit: bool,
    /// Since when it runs, or does not any more.
    pub since: Option<Timestamp>,
    /// How often the engine restarted it.
    pub restarts: i64,
    /// What its health check says.
    pub health: Health,
    /// What its last health check said, if that failed.
    pub probe: Option<String>,
    /// Ports of the host that it publishes now; none while it does not run.
    pub published: BTreeSet<Publish>,
    /// Paths of the host that are mounted into it.
    pub binds: BTreeSet<Bind>,
    /// Whether it was made with what is laid over the compose files of its stack, [`super::super::stack::MOUNTS_LABEL`].
    pub is_laid_over: bool,
    /// Volumes that are mounted into it; not those without a name of their own.
    pub volumes: BTreeSet<VolumeMount>,
    /// Networks in its own record, by network name; ghosts included.
    pub attachments: BTreeMap<String, Attachment>,
    /// `NetworkMode`: `bridge`, `host`, `container:…`, or the network that it was made on, by its name or its id.
    pub network_mode: String,
    /// Seconds that it asks for to stop, in its own record; negative: as long as it likes.
    pub stop_timeout: Option<i64>,
}

impl Container {
    /// Whether its processes run (a paused one's exist too).
    pub fn is_running(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused")
    }

    /// The compose project that it is of.
    pub fn project(&self) -> Option<&str> {
        Some(&self.compose.as_ref()?.0)
    }

    /// The service of that project.
    pub fn service(&self) -> Option<&str> {
        Some(&self.compose.as_ref()?.1)
    }

    /// Whether it is of that service of that compose project.
    pub fn is_of(&self, project: &str, service: &str) -> bool {
        self.project() == Some(project) && self.service() == Some(service)
    }
}

impl DockerState {
    /// Whether a container was made on a network that is gone, by the network's id, as compose 2 makes those on external
    /// networks (getDefaultNetworkMode in its pkg/compose/create.go). It cannot start any more, whatever it is connected
    /// to, and nothing but making it anew helps; `docker-compose up` does not, because its configuration is the same.
    pub fn has_lost_network(&self, container: &Container) -> bool {
        let mode = &container.network_mode;
        let is_id = mode.len() == 64 && mode.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut networks = self.networks.values().flatten();
        is_id && !networks.any(|network| network.id == *mode)
    }
}

/// What a container's own record says of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The network's id; an old one after the network was made anew.
    pub network_id: String,
    /// Empty for a ghost, and for a container that is stopped; Podman never has one.
    pub endpoint_id: String,
    /// Addresses on the network.
    pub addresses: Addresses,
    /// Addresses that were asked for when it was attached, kept over restarts; Podman does not say it.
    pub configured: Addresses,
    /// Names on the network.
    pub aliases: BTreeSet<String>,
}

impl Attachment {
    /// Whether the container is on the network at this moment, as far as its own record says.
    pub fn is_up(&self) -> bool {
        !self.endpoint_id.is_empty() || !self.addresses.is_empty()
    }
}

/// What a health check says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// There is no check.
    #[default]
    None,
    /// Within its start period.
    Starting,
    /// Passing.
    Healthy,
    /// Failing.
    Unhealthy,
}

impl Health {
    /// The engine's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Health::None => "none",
            Health::Starting => "starting",
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
        }
    }
}
