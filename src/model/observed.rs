//! What a host is found to be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use compose_file::{Bind, Publish, VolumeMount};
use jiff::{SignedDuration, Timestamp};

use super::Addresses;
use super::Engine;
use super::Stack;
use super::Subnet;
use super::Unit;
use super::Version;
use super::Volume;
use super::certificate::CertificateState;
use super::id::Hash;
use super::preflight::Listener;

/// A look at a host.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What stands at the paths that matter; a path that was not looked at is not in it.
    pub files: BTreeMap<PathBuf, Entry>,
    /// User and group ids behind `user:group`; one that does not exist, or that an offline run
    /// without root could not set anyway, is not in it.
    pub owners: BTreeMap<String, (u32, u32)>,
    /// This program as a unit can name it. `None` for an offline root.
    pub program: Option<PathBuf>,
    /// The program, or a folder above it, where others than root may write to it: no unit of root's starts it.
    pub program_of_others: Option<PathBuf>,
    /// systemd's view. `None` for an offline root, or where nothing needed it.
    pub systemd: Option<SystemdState>,
    /// nginx's processes. `None` for an offline root, or where nothing needed them.
    pub nginx: Option<NginxState>,
    /// The Docker engine's view. `None` for an offline root, or where nothing needed it.
    pub docker: Option<DockerState>,
    /// Certificates of enabled sites, by the path of their files.
    pub certificates: BTreeMap<PathBuf, CertificateState>,
    /// Daemons that did not answer, and why; only where the look goes on without them.
    pub silent: BTreeMap<&'static str, String>,
    /// Who listens; only looked at where a plan starts, restarts or stops units.
    pub listeners: Vec<Listener>,
    /// What stands at paths that containers mount; only looked at where a plan starts or restarts units.
    pub binds: BTreeMap<PathBuf, BindSource>,
    /// Units that a plan stops or restarts, as their files on the host say: those that this program did not put there,
    /// and what they run of compose files outside the checkout.
    pub installed: BTreeMap<String, Unit>,
    /// The version of compose; only looked at where a plan has a unit take a network that compose did not make.
    pub compose: Option<Version>,
    /// Compose projects that units run of files outside the checkout, as these files are on the host.
    pub outside: BTreeMap<String, Vec<Stack>>,
}

/// What stands at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    #[default]
    Missing,
    /// A regular file.
    File {
        /// Its content.
        content: Arc<[u8]>,
        /// Permission bits.
        mode: u32,
        /// Owner and group, numbers.
        owner: (u32, u32),
        /// When the content changed last.
        modified: Timestamp,
    },
    /// A symbolic link.
    Link {
        /// As written.
        target: PathBuf,
        /// Where it leads inside the root, every link on the way followed. `None`: dangling.
        leads_to: Option<PathBuf>,
    },
    /// A directory.
    Directory,
    /// A device, socket or pipe.
    Other,
    /// Something that this user may not look at.
    Unreadable,
}

impl Observed {
    /// What stands at `path`; [`Entry::Missing`] where nothing was seen.
    pub fn entry(&self, path: &Path) -> &Entry {
        self.files.get(path).unwrap_or(&Entry::Missing)
    }

    /// The bytes that a reader of `path` gets, links followed.
    pub fn content(&self, path: &Path) -> Option<&Arc<[u8]>> {
        match self.entry(path) {
            Entry::File { content, .. } => Some(content),
            Entry::Link {
                leads_to: Some(to), ..
            } => match self.entry(to) {
                Entry::File { content, .. } => Some(content),
                _ => None,
            },
            _ => None,
        }
    }

    /// Which engine it has, as far as that was asked for.
    pub fn engine(&self) -> Engine {
        let docker = self.docker.as_ref();
        docker.map_or(Engine::default(), |docker| docker.engine)
    }

    /// When the content that a reader of `path` gets changed last.
    pub fn modified(&self, path: &Path) -> Option<Timestamp> {
        match self.entry(path) {
            Entry::File { modified, .. } => Some(*modified),
            Entry::Link {
                leads_to: Some(to), ..
            } if to != path => self.modified(to),
            _ => None,
        }
    }
}

/// The system manager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemdState {
    /// Boot id and start time of the manager: changes when it starts anew.
    pub identity: String,
    /// When the manager last (re)read all units: its start.
    pub started: Option<Timestamp>,
    /// Units that were asked about, by name.
    pub units: BTreeMap<String, UnitState>,
    /// The unit in which this very process runs, if any.
    pub own_unit: Option<String>,
}

/// A unit as the manager knows it; org.freedesktop.systemd1(5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitState {
    /// `LoadState`: loaded, not-found, masked, error, bad-setting.
    pub load: String,
    /// `ActiveState`: active, reloading, inactive, failed, activating, deactivating.
    pub active: String,
    /// `SubState`, e.g. running, exited, auto-restart.
    pub sub: String,
    /// `FragmentPath`.
    pub fragment: PathBuf,
    /// `DropInPaths`.
    pub dropins: Vec<PathBuf>,
    /// `NeedDaemonReload`.
    pub need_reload: bool,
    /// `InvocationID`, hexadecimal; empty when it never ran.
    pub invocation: String,
    /// `ActiveEnterTimestamp`; for a oneshot that ran, when it did.
    pub started: Option<Timestamp>,
    /// `Result` of a service: success, exit-code, oom-kill, ….
    pub result: String,
    /// `NRestarts` of a service.
    pub restarts: u32,
    /// Whether systemd restarts a failed service by itself: `Restart=always` or `on-failure`, whatever its exit status.
    pub restarts_itself: bool,
    /// `ExecMainStatus` of a service.
    pub exit_status: i32,
    /// Whether that is the number of a signal: its `ExecMainCode` is `CLD_KILLED` or `CLD_DUMPED`, waitid(2).
    pub signalled: bool,
    /// `StateChangeTimestamp`: since when it is in its state.
    pub changed: Option<Timestamp>,
    /// `CanReload`.
    pub can_reload: bool,
    /// Active units that a stop or restart of this one takes along: those with `Requires=`,
    /// `BindsTo=` or `PartOf=` on it, transitively.
    pub dependents: BTreeSet<String>,
}

/// How long a restart by systemd itself counts as a sign of trouble.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

impl UnitState {
    /// Whether it is up: active, or reloading.
    pub fn is_active(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading")
    }

    /// Whether systemd has restarted it in the last hour, so that it may be down at the next look though nobody touches it.
    pub fn restarted_lately(&self, now: Timestamp) -> bool {
        let lately = |started| now.duration_since(started) < RECENT;
        self.restarts > 0 && self.started.is_some_and(lately)
    }

    /// Whether it failed, or fails again and again.
    pub fn is_failing(&self) -> bool {
        match (self.active.as_str(), self.sub.as_str()) {
            ("failed", _) | (_, "auto-restart") => true,
            ("activating", _) => self.restarts > 0,
            _ => false,
        }
    }
}

/// nginx's processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NginxState {
    /// Process id and start time of the master; `None` when it does not run.
    pub master: Option<String>,
    /// When the master started.
    pub started: Option<Timestamp>,
    /// When the oldest worker that accepts connections started: nginx has loaded what lay there then.
    pub loaded: Option<Timestamp>,
    /// Process ids of workers that accept connections.
    pub workers: BTreeSet<u32>,
    /// Whether the program is installed.
    pub installed: bool,
}

/// The Docker engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DockerState {
    /// Which engine it is.
    pub engine: Engine,
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

/// What stands at a path that a container mounts.
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
    /// Whether it is a one-off of `compose run`.
    pub oneoff: bool,
    /// created, running, paused, restarting, removing, exited, dead.
    pub state: String,
    /// Exit code of the last run.
    pub exit_code: i64,
    /// Whether the kernel killed it for memory.
    pub oom_killed: bool,
    /// Since when it runs, or does not any more.
    pub since: Option<Timestamp>,
    /// How often the engine restarted it.
    pub restarts: i64,
    /// What its health check says.
    pub health: Health,
    /// Ports of the host that it publishes now; none while it does not run.
    pub published: BTreeSet<Publish>,
    /// Paths of the host that are mounted into it.
    pub binds: BTreeSet<Bind>,
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
