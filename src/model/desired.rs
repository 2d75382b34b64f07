//! What a revision of the checkout wants a host to be.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use nginx_conf::Zone;
use serde::{Deserialize, Serialize};
use systemd_unit::Install;

use super::gate::Gate;
use super::id::{Hash, Kind, ResourceId};
use super::repository::Repository;
use super::seconds;
use super::site::Site;
use super::stack::{DockerRun, Pull, Stack};

/// Everything that one revision wants, with the bytes of its files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Desired {
    /// nginx sites by file name.
    pub sites: BTreeMap<String, Site>,
    /// Units by name: templates, instances, and foreign units that only get drop-ins, too.
    pub units: BTreeMap<String, Unit>,
    /// Files under /etc, by their path relative to /etc.
    pub etc: BTreeMap<PathBuf, EtcFile>,
    /// Files that units name, by their absolute path in the checkout on the host.
    pub files: BTreeMap<PathBuf, File>,
    /// Docker networks by name.
    pub networks: BTreeMap<String, Network>,
    /// Docker volumes by name.
    pub volumes: BTreeMap<String, Volume>,
    /// Host paths at which nothing may stand.
    pub absent: BTreeSet<PathBuf>,
    /// Whether a self-signed pair is written where a site's certificate does not exist.
    pub bootstrap_certificates: bool,
    /// Longest wait for the last requests to an old unit before it is stopped; `None`: the longest
    /// `proxy_read_timeout` of the applied sites.
    pub drain_timeout: Option<Duration>,
    /// How long the gates have to hold before an old unit is stopped.
    #[serde(with = "seconds")]
    pub soak: Duration,
    /// Expectations about health that decide between commit and roll-back.
    pub gates: Vec<Gate>,
    /// What the machine has.
    pub budget: Budget,
}

/// Where a [`Desired`] came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Origin {
    /// Full id of the commit; `None` for a folder outside git.
    pub commit: Option<String>,
    /// First line of the commit's message.
    pub subject: Option<String>,
    /// Author as `Name <address>`.
    pub author: Option<String>,
    /// The desired state's folder.
    pub folder: PathBuf,
    /// Whether the work tree as it lies was read, not the commit.
    pub worktree: bool,
    /// Inputs whose work-tree content differs from the commit, relative to the checkout.
    pub dirty: Vec<PathBuf>,
    /// Hash of all inputs.
    pub inputs: Hash,
    /// User id of the checkout's owner.
    pub owner: Option<u32>,
    /// Whose desired state it is; `None`: an older version wrote this down.
    pub repository: Option<Repository>,
}

/// The bytes of one input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct File {
    /// Path in the checkout, for messages and for the store.
    pub source: PathBuf,
    /// Hash of the content.
    pub hash: Hash,
    /// Whether git or the file system says that it is executable.
    pub executable: bool,
    /// Whether only its owner may read it.
    pub private: bool,
    /// The content. Not in records: those keep it as files of a generation.
    #[serde(skip)]
    pub content: Arc<[u8]>,
}

impl File {
    /// A file of the checkout.
    pub fn new(
        source: impl Into<PathBuf>,
        content: impl Into<Arc<[u8]>>,
        executable: bool,
    ) -> Self {
        let content = content.into();
        Self {
            source: source.into(),
            hash: Hash::of(&content),
            executable,
            private: false,
            content,
        }
    }

    /// Permission bits in the store.
    pub fn mode(&self) -> u32 {
        match (self.executable, self.private) {
            (true, false) => 0o755,
            (false, false) => 0o644,
            (true, true) => 0o700,
            (false, true) => 0o600,
        }
    }
}

/// A systemd unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unit {
    /// Its file. `None` for an instance of a template and for a unit that is not ours and only
    /// gets drop-ins.
    pub file: Option<File>,
    /// The template of an instance, e.g. `worker@.service`.
    pub template: Option<String>,
    /// Drop-ins by file name.
    pub dropins: BTreeMap<String, File>,
    /// Links that enable it.
    pub install: Install,
    /// Whether it is to be active.
    pub start: bool,
    /// What a change of its files asks for.
    pub on_change: OnChange,
    /// How long a start may take, images to pull included.
    #[serde(with = "seconds")]
    pub start_timeout: Duration,
    /// How long it has to stay active, without a restart, to count as started.
    #[serde(with = "seconds")]
    pub settle: Duration,
    /// Whether an apply that touches it succeeds though it fails.
    pub may_fail: bool,
    /// `Type=` of a service.
    pub service_type: UnitType,
    /// `RemainAfterExit=` of a service.
    pub remain_after_exit: bool,
    /// Files of [`Desired::files`] that it names.
    pub names: BTreeSet<PathBuf>,
    /// Its `EnvironmentFile=` values in order, specifiers resolved, each with its `-` if any.
    pub environment_files: Vec<String>,
    /// Files that it names below the checkout and that are not in git (`.env`): watched only.
    pub watched: BTreeSet<PathBuf>,
    /// Files outside the checkout that say how it runs: environment files, compose files, the `.env` beside those. Watched
    /// only.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub outside: BTreeSet<PathBuf>,
    /// Compose projects that it runs.
    pub stacks: Vec<Stack>,
    /// Containers that it runs with `docker run`, `create` or `start`.
    pub runs: Vec<DockerRun>,
    /// Whether it pulls its images before each start.
    pub pull: Option<Pull>,
    /// The folder of Docker's configuration that its environment names, `DOCKER_CONFIG`.
    pub docker_config: Option<PathBuf>,
    /// Its `User=`: whose registry credentials it pulls with. `None`: root's.
    pub user: Option<String>,
    /// Compose files that its calls without `-f` find in their folder; none where two calls find
    /// different ones.
    pub compose_files: Vec<PathBuf>,
}

/// `Type=` as far as it changes what "started" means, systemd.service(5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitType {
    /// Runs until stopped: services other than oneshot, and all units that are no service.
    #[default]
    Lasting,
    /// `Type=oneshot`.
    Oneshot,
}

/// What to do with a running unit whose files changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnChange {
    /// Stop and start it.
    #[default]
    Restart,
    /// Run its `ExecReload=`.
    Reload,
    /// Leave it as it runs.
    None,
}

/// A file below /etc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcFile {
    /// Its content.
    pub file: File,
    /// Whether it is linked into the store instead of copied.
    pub link: bool,
    /// Permission bits of a copy.
    pub mode: u32,
    /// Owner of a copy as `user:group`, names or numbers.
    pub owner: String,
    /// What a change asks for.
    pub action: Option<EtcAction>,
    /// The command that validates it, `{}` for its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<Vec<String>>,
    /// Shared memory zones that it declares, if it is nginx's.
    #[serde(default)]
    pub zones: Vec<Zone>,
    /// Addresses that it passes requests on to, if it is nginx's.
    #[serde(default)]
    pub upstreams: BTreeSet<SocketAddr>,
}

/// What follows a change of a file below /etc.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EtcAction {
    /// Restart this unit.
    Restart(String),
    /// Reload this unit.
    Reload(String),
}

/// A Docker network as a compose file defines it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its key under `networks:`, which compose writes into a label.
    pub key: String,
    /// Compose project that owns it.
    pub project: String,
    /// Driver; `bridge` when the file says none.
    pub driver: String,
    /// `driver_opts`.
    pub options: BTreeMap<String, String>,
    /// Labels beyond those of compose.
    pub labels: BTreeMap<String, String>,
    /// Whether it has no way out.
    pub internal: bool,
    /// Whether containers may attach by hand (swarm).
    pub attachable: bool,
    /// Whether IPv6 is on.
    pub ipv6: bool,
    /// Its address ranges; none lets the engine choose.
    pub subnets: Vec<Subnet>,
    /// Unit that brings it up.
    pub owner: Option<String>,
    /// Containers that belong on it.
    pub members: Vec<Member>,
}

/// An address range of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subnet {
    /// The range.
    pub subnet: IpNet,
    /// The host's address on it.
    pub gateway: Option<IpAddr>,
    /// Where addresses that nobody asked for come from.
    pub ip_range: Option<IpNet>,
}

/// A container that belongs on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Which one.
    pub name: MemberName,
    /// Its expected address.
    pub address: Option<IpAddr>,
    /// Whether the address is enforced, not only reported.
    pub pin: bool,
    /// Names that it must answer to on the network.
    pub aliases: BTreeSet<String>,
}

/// How a member is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberName {
    /// By container name.
    Container(String),
    /// By compose project and service, all replicas.
    Service {
        /// Compose project.
        project: String,
        /// Compose service.
        service: String,
    },
}

impl std::fmt::Display for MemberName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MemberName::Container(name) => f.write_str(name),
            MemberName::Service { project, service } => write!(f, "{project}:{service}"),
        }
    }
}

/// A Docker volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Its key under `volumes:`.
    pub key: String,
    /// Compose project that owns it.
    pub project: String,
    /// Driver.
    pub driver: String,
    /// `driver_opts`.
    pub options: BTreeMap<String, String>,
    /// Labels beyond those of compose.
    pub labels: BTreeMap<String, String>,
}

/// What the machine has. Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Memory.
    pub memory: Option<u64>,
    /// Swap.
    pub swap: Option<u64>,
    /// Disk.
    pub disk: Option<u64>,
    /// Processors.
    pub cpus: Option<f64>,
}

impl Desired {
    /// Whether nothing at all is wanted.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
            && self.units.is_empty()
            && self.etc.is_empty()
            && self.networks.is_empty()
            && self.volumes.is_empty()
    }

    /// Whether it asks of a host what `applied`, which is applied there, asks already: an apply that
    /// has nothing to change has nothing to write down then, either. What the machine has
    /// (its budget) and what only says how a run goes about it (times) asks for nothing. A health
    /// gate that is new has to be asked.
    pub fn asks_nothing_new(&self, applied: &Desired) -> bool {
        self == applied
            || self.lasting() == applied.lasting()
                && self.gates.iter().all(|gate| applied.gates.contains(gate))
    }

    /// What a host is held to.
    pub fn lasting(&self) -> Desired {
        let mut lasting = Desired {
            drain_timeout: None,
            soak: Duration::ZERO,
            gates: Vec::new(),
            budget: Budget::default(),
            ..self.clone()
        };
        for unit in lasting.units.values_mut() {
            unit.on_change = OnChange::default();
            unit.may_fail = false;
            unit.start_timeout = Duration::ZERO;
            unit.settle = Duration::ZERO;
            // What is read out of its files follows from them, and records of earlier versions have less of it.
            *unit = Unit {
                stacks: Vec::new(),
                outside: BTreeSet::new(),
                runs: Vec::new(),
                pull: None,
                docker_config: None,
                user: None,
                ..std::mem::take(unit)
            };
        }
        for upstreams in lasting.all_upstreams() {
            upstreams.clear();
        }
        lasting
    }

    fn all_upstreams(&mut self) -> impl Iterator<Item = &mut BTreeSet<SocketAddr>> {
        let sites = self.sites.values_mut().map(|site| &mut site.upstreams);
        sites.chain(self.etc.values_mut().map(|etc| &mut etc.upstreams))
    }

    /// Whether there is something that only Docker has.
    pub fn needs_docker(&self) -> bool {
        !self.networks.is_empty() || !self.volumes.is_empty()
    }

    /// Addresses that nginx passes requests on to, each with the sites and files that say so.
    pub fn upstreams(&self) -> BTreeMap<SocketAddr, BTreeSet<ResourceId>> {
        let mut upstreams: BTreeMap<SocketAddr, BTreeSet<ResourceId>> = BTreeMap::new();
        let mut add = |id: ResourceId, addresses: &BTreeSet<SocketAddr>| {
            for address in addresses {
                upstreams.entry(*address).or_default().insert(id.clone());
            }
        };
        for (name, site) in self.sites.iter().filter(|(_, site)| site.enabled) {
            add(ResourceId::new(Kind::Site, name), &site.upstreams);
        }
        for (path, etc) in &self.etc {
            add(
                ResourceId::new(Kind::Etc, path.to_string_lossy()),
                &etc.upstreams,
            );
        }
        upstreams
    }

    /// Ids of all resources.
    pub fn ids(&self) -> Vec<ResourceId> {
        let named = |kind, name: &String| ResourceId::new(kind, name);
        let path = |kind, path: &PathBuf| ResourceId::new(kind, path.to_string_lossy());
        let mut ids: Vec<ResourceId> = Vec::new();
        ids.extend(self.sites.keys().map(|name| named(Kind::Site, name)));
        ids.extend(self.units.keys().map(|name| named(Kind::Unit, name)));
        ids.extend(self.etc.keys().map(|name| path(Kind::Etc, name)));
        ids.extend(
            self.files
                .values()
                .map(|file| path(Kind::File, &file.source)),
        );
        ids.extend(self.networks.keys().map(|name| named(Kind::Network, name)));
        ids.extend(self.volumes.keys().map(|name| named(Kind::Volume, name)));
        ids
    }
}
