//! What an apply would do: changes in the order in which they are done, each with its reason.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use nginx_conf::Certificate;

use super::desired::{File, Network, Volume};
use super::gate::Gate;
use super::id::ResourceId;
use super::report::DriftKind;
use super::stack::{Image, Stack};

/// The difference between desired and observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What to do, in order.
    pub changes: Vec<Change>,
    /// Health gates that the changes touch.
    pub gates: Vec<Gate>,
    /// What stands in the way: while there is one, an apply changes nothing.
    pub refusals: Vec<Refusal>,
    /// What is worth knowing and needs no change by us.
    pub notes: Vec<Note>,
}

impl Plan {
    /// Whether the host is as desired.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.refusals.is_empty()
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The resource that it is about.
    pub id: ResourceId,
    /// What is done.
    pub action: Action,
    /// Why, without a full stop.
    pub why: String,
    /// How content changes, if it does.
    pub diff: Option<Diff>,
    /// Who else is interrupted: units that a restart takes along.
    pub interrupts: BTreeSet<String>,
    /// Which kind of drift it is when the host should already be so.
    pub drift: DriftKind,
    /// Whether it waits until the gates hold, because it takes away what served before.
    pub after_gates: bool,
}

/// Content before and after, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// Label of the old side: a path on the host.
    pub old_path: PathBuf,
    /// Label of the new side: a path in the checkout.
    pub new_path: PathBuf,
    /// Old text; `None`: there was nothing, or it is no text.
    pub old: Option<String>,
    /// New text; `None`: it goes away, or it is no text.
    pub new: Option<String>,
}

/// A step, with all that is needed to carry it out without deciding anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make a Docker network, and re-attach stopped containers that hold an older one's id.
    CreateNetwork {
        /// Its name.
        name: String,
        /// What it is to be.
        spec: Network,
    },
    /// Remove a Docker network that left the desired state.
    RemoveNetwork {
        /// Its name.
        name: String,
        /// Its id.
        id: String,
        /// What it was, to undo that.
        spec: Network,
        /// Containers that are taken off it first: those of units that leave, and members.
        detach: BTreeSet<String>,
    },
    /// Make a Docker volume.
    CreateVolume {
        /// Its name.
        name: String,
        /// What it is to be.
        spec: Volume,
    },
    /// Write a self-signed certificate and key where neither exists.
    WriteCertificate(Certificate),
    /// Change a file of the store; all of them are switched at once.
    Store {
        /// Path below the live tree.
        path: PathBuf,
        /// What it becomes; `None`: it goes away.
        file: Option<File>,
        /// Whether what stands there was edited on the host and is kept in the backups.
        keep: bool,
    },
    /// Put a symbolic link, in place of whatever stands there.
    Link {
        /// Where.
        path: PathBuf,
        /// What it points to, as written.
        target: PathBuf,
        /// Where it leads in the end.
        leads_to: PathBuf,
        /// Whether what stands there is kept in the backups.
        keep: bool,
    },
    /// Put a regular file, in place of whatever stands there.
    Copy {
        /// Where.
        path: PathBuf,
        /// The content.
        file: File,
        /// Permission bits.
        mode: u32,
        /// `user:group`.
        owner: String,
        /// Whether what stands there is kept in the backups.
        keep: bool,
    },
    /// Take a link or a regular file away.
    Remove {
        /// Where.
        path: PathBuf,
        /// Whether it is kept in the backups.
        keep: bool,
    },
    /// Take away the empty file that systemd put at a checkout path to bind a stored file over
    /// it, once no unit names it any more. Nothing to do where something else stands.
    ClearMountPoint {
        /// The path.
        path: PathBuf,
        /// The checkout, which stays.
        checkout: PathBuf,
    },
    /// Make systemd read its units again.
    DaemonReload,
    /// Start a unit and wait until it is up.
    Start(UnitStep),
    /// Restart a unit and wait until it is up.
    Restart(UnitStep),
    /// Make a unit reload its configuration.
    ReloadUnit(UnitStep),
    /// Stop a unit.
    Stop(UnitStep),
    /// Have an image on the host before what needs it is interrupted.
    Pull(PullImage),
    /// Free the name and the ports of a container that a stopped unit leaves behind.
    Release(Release),
    /// Ask the gates for that long before anything old stops.
    Soak(Duration),
    /// Wait for the last requests to a unit that leaves.
    Drain(Drain),
    /// Attach a container to a network.
    Connect(Connect),
    /// Make nginx load its configuration, and prove that it did.
    ReloadNginx,
    /// Restart nginx, because no reload loads what changed.
    RestartNginx,
    /// Start nginx, which is not running.
    StartNginx,
}

/// A unit whose last requests end before it stops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drain {
    /// Its name.
    pub unit: String,
    /// Ports that it publishes; none where they are not known.
    pub ports: BTreeSet<u16>,
    /// How long they are waited for.
    pub timeout: Duration,
}

/// An image that is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullImage {
    /// The image.
    pub image: Image,
    /// The unit that runs it.
    pub unit: String,
    /// Whose registry credentials count: the unit's `User=`, else root's.
    pub user: Option<String>,
    /// The folder of Docker's configuration that the unit names; `None`: that of the user.
    pub config: Option<PathBuf>,
    /// Whether the image that is there will do when it cannot be pulled.
    pub optional: bool,
    /// Bound of the pull.
    pub timeout: Duration,
}

/// A container that has to give up what another one needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub container: String,
    /// Its id.
    pub id: String,
    /// The unit that ran it, which is stopped by then.
    pub unit: String,
    /// Whether it is kept under another name: its unit did not make it, and so cannot make it again.
    pub keep: bool,
}

/// A unit to start, restart, reload or stop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnitStep {
    /// Its name.
    pub unit: String,
    /// Bound of the job.
    pub timeout: Duration,
    /// How long it has to stay up.
    pub settle: Duration,
    /// Compose projects whose containers must be up as well.
    pub stacks: Vec<Stack>,
    /// Whether it may be inactive after success.
    pub oneshot: bool,
    /// Whether the run goes on when it fails.
    pub may_fail: bool,
    /// Units that its restart takes along and that have to be up again, too.
    pub along: Vec<UnitStep>,
}

/// A container to attach, with everything that has to let go first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// The network's name.
    pub network: String,
    /// The container's name.
    pub container: String,
    /// The container's id.
    pub container_id: String,
    /// Its aliases, those it has already included.
    pub aliases: BTreeSet<String>,
    /// The address to ask for.
    pub address: Option<IpAddr>,
    /// Whether it has to be detached first: a ghost, an old network's id, another address.
    pub detach_first: bool,
    /// Other containers that hold the address: detached first, attached afterwards.
    pub holders: Vec<Holder>,
}

/// A container that has to give its address up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its name.
    pub container: String,
    /// The address that it gets instead. `None`: the engine chooses, which it cannot where the
    /// container that is to have the old one does not run and so reserves nothing.
    pub address: Option<IpAddr>,
}

/// Something that an apply will not do, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The resource.
    pub id: ResourceId,
    /// What is wrong.
    pub why: String,
    /// What helps, one step a line.
    pub help: Vec<String>,
    /// What would be lost: the host's content and the desired one.
    pub diff: Option<Diff>,
}

/// Something worth knowing about the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The resource.
    pub id: ResourceId,
    /// `Some` when it counts as drift that has no change to mend it.
    pub drift: Option<DriftKind>,
    /// What it is.
    pub text: String,
}
