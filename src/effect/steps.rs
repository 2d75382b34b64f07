//! What is done to units, containers and images, with all that is needed to do it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{
    Addresses, Container, EtcLoader, File, Image, Stack, Unit, UnitType, list, parameter_name,
};

/// The one exchange in which everything in the store becomes what is served.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Switch {
    /// Files that come with it, by their path in the store.
    pub files: BTreeMap<PathBuf, File>,
    /// Those of the store that were edited on the host and are kept in the backups.
    pub keep: BTreeSet<PathBuf>,
    /// What nginx reads and has to lead into the store before, so that it changes in the exchange and not link by link.
    pub prime: Vec<Prime>,
}

/// Something that nginx reads and that changes with the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prime {
    /// A link: until the exchange it leads to what nginx read at its place so far.
    Link {
        path: PathBuf,
        /// What it points to, as written.
        target: PathBuf,
        /// Where it leads in the end: a file that comes with the exchange.
        leads_to: PathBuf,
        /// Whether what is at its place is kept in the backups.
        keep: bool,
    },
    /// A file or link that leaves: the exchange empties it.
    Leave {
        path: PathBuf,
        /// Whether it is kept in the backups.
        keep: bool,
    },
}

/// A unit whose last requests end before it stops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drain {
    pub unit: String,
    /// Ports that it publishes; none where they are not known.
    pub ports: BTreeSet<u16>,
    /// How long they are waited for.
    pub timeout: Duration,
}

/// An image that is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PullImage {
    pub image: Image,
    pub unit: String,
    /// Whether it is root's Podman that pulls it, whichever engine is managed: for a Quadlet.
    pub podman: bool,
    /// Whose registry credentials count: the unit's `User=`, else root's.
    pub user: Option<String>,
    /// The folder of Docker's configuration that the unit names; `None`: that of the user.
    pub config: Option<PathBuf>,
    /// Whether the image that is there will do when it cannot be pulled.
    pub optional: bool,
    /// Bound of the pull.
    pub timeout: Duration,
}

/// Images of a stack that compose builds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuildImages {
    pub unit: String,
    pub project: String,
    /// Its compose files, absolute.
    pub files: Vec<PathBuf>,
    /// The services whose images are built.
    pub services: BTreeSet<String>,
    /// The port of its copy, if it updates start-first.
    pub port: Option<u16>,
    /// Bound of the build.
    pub timeout: Duration,
}

impl BuildImages {
    /// The arguments of compose, for people too.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--project-name".to_owned(), self.project.clone()];
        for file in &self.files {
            arguments.extend(["--file".to_owned(), file.display().to_string()]);
        }
        arguments.push("build".to_owned());
        arguments.extend(self.services.iter().cloned());
        arguments
    }

    /// The services, for people.
    pub(crate) fn names(&self) -> String {
        list(&self.services)
    }
}

/// A name that comes to lead to another image of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagImage {
    /// The name, as an engine lists it.
    pub name: String,
    pub image: String,
    /// The digest by which its registry knows it, if one does.
    pub digest: Option<String>,
}

/// A container that has to give up what another one needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Release {
    pub container: String,
    pub id: String,
    /// The unit that ran it, which is stopped by then.
    pub unit: String,
    /// Whether it is kept under another name: its unit did not make it, and so cannot make it again.
    pub keep: bool,
}

/// Containers and networks of a compose project that nobody runs any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TakeDown {
    /// The unit of the stack that made them.
    pub unit: String,
    pub project: String,
    /// The services whose containers go.
    pub services: BTreeSet<String>,
    /// Networks that compose made for the project.
    pub networks: BTreeSet<String>,
}

impl TakeDown {
    /// Whether a container is one of those that go.
    pub(crate) fn has(&self, container: &Container) -> bool {
        let labels = container.compose.as_ref();
        labels.is_some_and(|(project, service)| {
            *project == self.project && self.services.contains(service)
        })
    }
}

/// A unit to start, restart, reload or stop.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct UnitStep {
    pub unit: String,
    /// Bound of the job.
    pub timeout: Duration,
    /// How long it has to stay up.
    pub settle: Duration,
    /// Compose projects whose containers must be up as well.
    pub stacks: Vec<Stack>,
    /// The port of this host on which nginx asks it: of the copy of a stack.
    pub port: Option<u16>,
    /// Whether it may be inactive after success.
    pub oneshot: bool,
    /// Whether its containers may run though it is inactive, [`Unit::alone`].
    pub alone: bool,
    /// Services that run and whose containers its start or reload makes anew or restarts. `None`: not known before compose is
    /// called.
    pub anew: Option<BTreeSet<String>>,
    /// Services of a stack whose containers were adopted as they are and stay so, whatever is laid over its compose files.
    pub leaves: BTreeSet<String>,
    /// Whether the run goes on when it fails.
    pub may_fail: bool,
    /// Units that its restart takes along and that have to be up again, too.
    pub along: Vec<UnitStep>,
}

/// A container to attach, with everything that has to let go first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connect {
    pub network: String,
    pub container: String,
    pub container_id: String,
    /// Its aliases, those it has already included.
    pub aliases: BTreeSet<String>,
    /// The addresses to ask for.
    pub addresses: Addresses,
    /// Whether it has to be detached first: a ghost, an old network's id, another address.
    pub detach_first: bool,
    /// Other containers that hold the address: detached first, attached afterwards.
    pub holders: Vec<Holder>,
}

/// A container that has to give its address up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holder {
    pub container: String,
    /// The address that it gets instead. `None`: the engine chooses, which it cannot where the
    /// container that is to have the old one does not run and so reserves nothing.
    pub address: Option<IpAddr>,
}

impl UnitStep {
    /// The step that starts, restarts, reloads or stops `unit`.
    pub(crate) fn of(name: &str, unit: &Unit) -> Self {
        Self {
            unit: name.to_owned(),
            timeout: unit.start_timeout,
            settle: unit.settle,
            stacks: unit.stacks.clone(),
            port: unit.copy.as_ref().map(|copy| copy.port),
            oneshot: unit.service_type == UnitType::Oneshot,
            alone: unit.alone,
            anew: None,
            leaves: BTreeSet::new(),
            may_fail: unit.may_fail,
            along: Vec::new(),
        }
    }
}

/// Files of a folder of /etc that a program of systemd loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoadFiles {
    pub loader: EtcLoader,
    pub files: BTreeSet<PathBuf>,
    /// The kernel parameters that are set, by their paths below `/proc/sys`, with their values.
    pub parameters: BTreeMap<String, String>,
}

/// How many names are listed.
const LISTED: usize = 3;

impl LoadFiles {
    /// What it does, for people.
    pub(crate) fn words(&self) -> String {
        let files = || {
            let names = self.files.iter().filter_map(|path| path.file_name());
            list(names.map(|name| name.to_string_lossy()))
        };
        match self.loader {
            EtcLoader::Sysusers => format!("create the users of {}", files()),
            EtcLoader::Tmpfiles => format!("create the files and folders of {}", files()),
            EtcLoader::Sysctl if self.parameters.len() > LISTED => {
                format!("set {} kernel parameters", self.parameters.len())
            }
            EtcLoader::Sysctl if self.parameters.is_empty() => {
                format!("set the kernel parameters of {}", files())
            }
            EtcLoader::Sysctl => {
                let names = self.parameters.keys();
                format!("set {}", list(names.map(|name| parameter_name(name))))
            }
        }
    }
}
