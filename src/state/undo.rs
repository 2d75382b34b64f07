//! What undoes one step of a run, as it is on record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{Addresses, Container, Network, UfwPlaces, UfwRule};

/// How to undo one step. Each is safe to do when its step was not done, and to do twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Undo {
    /// Nothing by itself: the socket of the engine of which the other steps speak.
    Engine(PathBuf),
    /// Nothing by itself: the steps are of a backup or a restore, which bring no revision.
    OfBackup,
    /// Nothing by itself: the containers of these services of a stack stay as they were adopted when it is reloaded.
    Leave {
        unit: String,
        services: BTreeSet<String>,
    },
    /// Remove packages that were not there, as far as they are; their configuration stays.
    RemovePackages(BTreeSet<String>),
    /// Install packages again in these versions.
    InstallPackages(BTreeMap<String, String>),
    /// Give kernel parameters their values from before, by their paths below `/proc/sys`.
    SetParameters(BTreeMap<String, String>),
    /// Remove the network that was made, by name.
    RemoveNetwork(String),
    /// Make a network again that was removed.
    CreateNetwork { name: String, spec: Network },
    /// Put back what stood at a path.
    Restore { path: PathBuf, saved: Saved },
    /// Switch the store back, if the live tree is the one of this run.
    Exchange {
        /// Marks the live tree of the run.
        run: String,
    },
    /// Decrypt the secrets of a generation again, and take away what it has none of. `None`: nothing was applied before.
    Secrets { generation: Option<u64> },
    /// Remove a folder that was made, if it is empty.
    RemoveFolder(PathBuf),
    /// Forget the generation that the run wrote.
    ForgetGeneration(u64),
    /// systemd read units of this run.
    DaemonReload,
    /// nginx loaded sites of this run.
    ReloadNginx,
    /// nginx was restarted with sites of this run.
    RestartNginx,
    /// Stop a unit that was not running.
    Stop(String),
    /// Stop a unit once its file has gone: without its `ExecStop=` the containers that ran before it go on running.
    Forget(String),
    /// Remove containers of a compose project that were made since: a unit's `down` that comes
    /// before its `up` has made them knows nothing of them, and they hold names and ports.
    RemoveContainers {
        project: String,
        /// Ids of the containers that it had.
        known: BTreeSet<String>,
        /// Services that it had: those are their unit's to make anew.
        services: BTreeSet<String>,
        /// Ports of the copy of a stack: nginx asks the other copy again before its containers go, and what it has begun
        /// to ask of them ends.
        #[serde(default)]
        serves: BTreeSet<u16>,
    },
    /// Remove networks of a compose project that were made since, and that nobody is on.
    RemoveNetworks {
        project: String,
        /// Networks that were there.
        known: BTreeSet<String>,
        /// Whether that waits until units run with their old files again: containers are on them until then.
        last: bool,
    },
    /// Remove networks that were made since in the place of others, with the containers of their project on them, before
    /// their unit runs with its old files again.
    RemoveOthers {
        project: String,
        /// The ids of those that were there, by name.
        networks: BTreeMap<String, BTreeSet<String>>,
    },
    /// Give a container its name back: docker-compose 1 renames the one that it is about to replace, and does not
    /// take that back when the new one cannot start.
    Rename {
        container: String,
        /// The name that it had.
        name: String,
    },
    /// Make a name lead to the image again that ran under it: a unit that starts again takes what its name leads to.
    Tag {
        /// The name, with its tag.
        name: String,
        image: String,
        /// Whether that waits until units run with their old files again: what the name led to is not what ran.
        last: bool,
    },
    /// Have the kernel have the rules of the firewall that it had.
    Firewall {
        /// Our table as it was listed; `None`: it was not there.
        table: Option<String>,
    },
    /// Have ufw have a rule of ours, or not have it.
    Ufw {
        rule: UfwRule,
        /// Whether it had it.
        add: bool,
        /// Where it was in each of the files of ufw, from 1.
        #[serde(default)]
        places: UfwPlaces,
    },
    /// Start a unit that was running.
    Start(String),
    /// Restart a unit that ran with its old files.
    Restart(String),
    /// Make a unit reload its old files: a restart could take others along.
    ReloadUnit(String),
    /// Attach a container that was on the network.
    Connect {
        network: String,
        container: String,
        /// Its names on the network.
        aliases: BTreeSet<String>,
        /// The addresses that were asked for.
        #[serde(alias = "address")]
        addresses: Addresses,
    },
    /// Attach a container that was on the network and that its unit may have made anew, once it
    /// runs.
    Rejoin {
        network: String,
        container: String,
        /// What else may have come back in its place; `None` for a container that compose did not make.
        #[serde(default)]
        replicas: Option<Replicas>,
        /// Its names on the network.
        aliases: BTreeSet<String>,
        /// The addresses that were asked for.
        #[serde(alias = "address")]
        addresses: Addresses,
    },
    /// Detach a container that was not on the network.
    Disconnect { network: String, container: String },
}

/// What stood at a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Saved {
    /// Nothing.
    Missing,
    /// A link with this target.
    Link(PathBuf),
    /// A regular file, whose content is kept in this file.
    File {
        /// Where the content is kept.
        copy: PathBuf,
        mode: u32,
        owner: (u32, u32),
    },
}

/// The containers of one service of a compose project. Those that compose makes again may get other numbers, and with them
/// other names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Replicas {
    pub project: String,
    pub service: String,
    /// The names of those that ran.
    pub names: BTreeSet<String>,
}

impl Replicas {
    /// Whether a container is one of the service.
    pub(crate) fn has(&self, container: &Container) -> bool {
        let labels = container.compose.as_ref();
        !container.oneoff
            && labels.is_some_and(|(project, service)| {
                *project == self.project && *service == self.service
            })
    }
}
