//! What a host is found to be.

mod adoption;
mod docker;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::Stack;

use super::Unit;
use super::UserEngine;
use super::Version;
use super::certificate::CertificateState;
use super::firewall::FirewallState;
use super::package::PackagesState;
use super::preflight::{Listener, StoppedPort};
pub use adoption::{Adoption, Shape};
pub use docker::{
    Attachment, BindSource, Container, DockerState, FileId, Health, ImageFound, ImageRecord,
    ImageState, NetworkState,
};

/// A look at a host.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What is at the paths that matter; a path that was not looked at is not in it.
    pub files: BTreeMap<PathBuf, Entry>,
    /// Secrets by name; only looked at where there are some, or were. Nothing of what is in them.
    pub secrets: BTreeMap<String, SecretState>,
    /// User and group ids behind `user:group`; one that does not exist, or that an offline run
    /// without root could not set anyway, is not in it.
    pub owners: BTreeMap<String, (u32, u32)>,
    /// This program as a unit can name it, on an offline root as well. `None` where nobody looked.
    pub installed_program: Option<PathBuf>,
    /// The same where the host runs. `None` for an offline root.
    pub program: Option<PathBuf>,
    /// The program, or a folder above it, where others than root may write to it: no unit of root's starts it.
    pub program_of_others: Option<PathBuf>,
    /// systemd's view. `None` for an offline root, or where nothing needed it.
    pub systemd: Option<SystemdState>,
    /// nginx's processes. `None` for an offline root, or where nothing needed them.
    pub nginx: Option<NginxState>,
    /// The Docker engine's view. `None` for an offline root, or where nothing needed it.
    pub docker: Option<DockerState>,
    /// Images of root's Podman by the names that Quadlets have for them; only looked at where a plan starts their units.
    pub podman: BTreeMap<String, ImageFound>,
    /// Engines of users, which are not managed.
    pub user_engines: Vec<UserEngine>,
    /// The firewall. `None` for an offline root, or where nothing needed it.
    pub firewall: Option<FirewallState>,
    /// Packages. `None` for an offline root, or where nothing needed them.
    pub packages: Option<PackagesState>,
    /// Values of kernel parameters, one blank between words; none for one that this kernel does not have or that cannot be
    /// read, and none for an offline root.
    pub parameters: BTreeMap<String, String>,
    /// Certificates of enabled sites, by the path of their files.
    pub certificates: BTreeMap<PathBuf, CertificateState>,
    /// Daemons that did not answer, and why; only where the look goes on without them.
    pub silent: BTreeMap<&'static str, String>,
    /// Who listens; only looked at where a plan starts, restarts or stops units.
    pub listeners: Vec<Listener>,
    /// Ports of containers that do not run; only looked at where a plan starts or restarts units.
    pub stopped: Vec<StoppedPort>,
    /// What is at paths that containers mount; only looked at where a plan starts or restarts units.
    pub binds: BTreeMap<PathBuf, BindSource>,
    /// Units that a plan stops or restarts, as their files on the host say: those that this program did not put there,
    /// and what they run of compose files outside the checkout.
    pub installed: BTreeMap<String, Unit>,
    /// The version of compose; only looked at where a plan has a unit take a network that compose did not make.
    pub compose: Option<Version>,
    /// Stacks that run and that nobody here has started, by their units; only looked at where a plan starts those.
    pub adoptions: BTreeMap<String, Adoption>,
    /// Compose projects that units run of files outside the checkout, as these files are on the host.
    pub outside: BTreeMap<String, Vec<Stack>>,
}

/// What lies decrypted of a secret, compared with what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// What is wanted.
    Same,
    /// Nothing.
    Missing,
    /// Something else.
    Differs,
    /// What is wanted, with another mode or owner, in words.
    Attributes(String),
    /// This user may not compare it, or nothing may be decrypted.
    NotCompared,
    /// The host does not run: it has no memory.
    NotRunning,
    /// What is wanted cannot be decrypted.
    Unusable {
        /// Why.
        why: String,
        /// What helps.
        help: Vec<String>,
    },
    /// Something that nothing wants.
    Unwanted,
}

/// What is at a path.
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
    /// What is at `path`; [`Entry::Missing`] where nothing was seen.
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

    /// All containers of the engine, as far as it was asked.
    pub fn containers(&self) -> impl Iterator<Item = &Container> + Clone {
        self.docker.iter().flat_map(|docker| &docker.containers)
    }

    /// A unit as the manager knows it, as far as that was asked.
    pub fn unit_state(&self, name: &str) -> Option<&UnitState> {
        self.systemd.as_ref()?.units.get(name)
    }

    /// Which engine it has, as far as that was asked for.
    pub fn engine(&self) -> Engine {
        let docker = self.docker.as_ref();
        docker.map_or(Engine::default(), |docker| docker.engine)
    }

    /// Whether a program listens for containers of the engine, which are known by themselves.
    pub fn is_of_engine(&self, listener: &Listener) -> bool {
        let of_user = self.docker.as_ref().is_some_and(|docker| docker.of_user);
        listener.is_for(self.engine(), of_user)
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
