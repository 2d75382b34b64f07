//! What a change does to the files, services and containers of a host. An effect is all that is needed to do it: it is
//! shown, simulated, validated, applied and undone from the same value, and nothing is decided on the way.
//!
//! A new effect is a variant here, its words in `words`, what it makes of files in `file`, of a host on paper in
//! `simulate`, what it is to others in `role`, and an arm in `apply`: each of these names every effect, so that one that is
//! forgotten does not compile. What undoes it is written to the journal in its arm of `apply`, and tested there.

mod candidate;
mod file;
mod packages;
mod plan;
mod role;
mod simulate;
mod steps;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use candidate::Candidate;
pub(crate) use file::{Becomes, FileEffect};
pub(crate) use packages::InstallPackages;
pub(crate) use plan::{Change, Diff, Note, Plan, Refusal};
pub(crate) use role::Role;
pub(crate) use simulate::simulate;
pub(crate) use steps::{
    BuildImages, Connect, Drain, Holder, LoadFiles, Prime, PullImage, Release, Switch, TagImage,
    TakeDown, UnitStep,
};
pub(crate) use words::{Counted, Words};

use crate::model::{Backup, Certificate, File, Network, Secret, UfwRule, Volume};

/// A step, with all that is needed to carry it out without deciding anything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Have apt load its lists of packages anew.
    UpdatePackageLists,
    /// Have apt install packages, with what they need.
    InstallPackages(InstallPackages),
    /// Remove packages that this program has installed; their configuration stays.
    RemovePackages(BTreeMap<String, String>),
    /// Make a Docker network, and re-attach stopped containers that hold an older one's id.
    CreateNetwork {
        name: String,
        spec: Network,
    },
    /// Remove a Docker network that left the desired state.
    RemoveNetwork {
        name: String,
        id: String,
        /// What it was, to undo that.
        spec: Network,
        /// Containers that are taken off it first: those of units that leave, and members.
        detach: BTreeSet<String>,
    },
    /// Make a Docker volume.
    CreateVolume {
        name: String,
        spec: Volume,
    },
    /// Write a self-signed certificate and key where neither exists.
    WriteCertificate(Certificate),
    /// Exchange the store: everything that is written to it, and what nginx reads, changes at once.
    Switch(Switch),
    /// Change a file of the store. What is written comes with the [`Effect::Switch`] before it.
    Store {
        /// Path below the live tree.
        path: PathBuf,
        /// What it becomes; `None`: it goes away.
        file: Option<File>,
        /// Whether what is there was edited on the host and is kept in the backups.
        keep: bool,
    },
    /// Put a symbolic link, in place of whatever is there.
    Link {
        path: PathBuf,
        /// What it points to, as written.
        target: PathBuf,
        /// Where it leads in the end.
        leads_to: PathBuf,
        /// Whether what is there is kept in the backups.
        keep: bool,
    },
    /// Put a regular file, in place of whatever is there.
    Copy {
        path: PathBuf,
        file: File,
        /// Permission bits.
        mode: u32,
        /// `user:group`.
        owner: String,
        /// Whether what is there is kept in the backups.
        keep: bool,
    },
    /// Take a link or a regular file away.
    Remove {
        path: PathBuf,
        /// Whether it is kept in the backups.
        keep: bool,
    },
    /// Take away the empty file that systemd put at a checkout path to bind a stored file over
    /// it, once no unit names it any more. Nothing to do where something else is.
    ClearMountPoint {
        path: PathBuf,
        /// The checkout, which stays.
        checkout: PathBuf,
    },
    /// Make a backup before what it is made of is interrupted.
    BackUp {
        name: String,
        /// What it is made of, and where it goes.
        backup: Box<Backup>,
    },
    /// Decrypt a secret to where it lies in memory.
    PutSecret {
        name: String,
        /// What it is to be, encrypted.
        secret: Secret,
    },
    RemoveSecret(String),
    /// Make systemd read its units again.
    DaemonReload,
    /// Start a unit and wait until it is up.
    Start(UnitStep),
    /// Restart a unit and wait until it is up.
    Restart(UnitStep),
    /// Make a unit reload its configuration.
    ReloadUnit(UnitStep),
    Stop(UnitStep),
    /// Have an image on the host before what needs it is interrupted.
    Pull(PullImage),
    /// Have the images of a stack built before what needs them is interrupted.
    Build(BuildImages),
    /// Make the name of an image lead again to the one that ran under it.
    Tag(TagImage),
    /// Have units start without their own pulls, until what starts has settled.
    HoldPulls(BTreeSet<String>),
    /// Free the name and the ports of a container that a stopped unit leaves behind.
    Release(Release),
    /// Remove a container that cannot start any more and that its unit makes anew.
    RemoveContainer {
        name: String,
        id: String,
    },
    /// Remove what the stop of a stack kept and nobody runs any more.
    TakeDown(TakeDown),
    /// Ask the gates for that long before anything old stops.
    Soak(Duration),
    /// Wait for the last requests to a unit that leaves.
    Drain(Drain),
    /// Have a program of systemd load files of /etc.
    Load(LoadFiles),
    /// Attach a container to a network.
    Connect(Connect),
    /// Load the rules of the firewall, in one transaction, in the place of what is loaded.
    LoadFirewall(String),
    /// Take our table away from the kernel.
    RemoveFirewall,
    AllowInUfw(UfwRule),
    /// Delete a rule of ours from ufw.
    DeleteInUfw(UfwRule),
    /// Make nginx load its configuration, and prove that it did.
    ReloadNginx,
    /// Restart nginx, because no reload loads what changed.
    RestartNginx,
    /// Start nginx, which is not running.
    StartNginx,
}

impl Effect {
    /// The unit that it starts or restarts, or whose containers it makes anew where they changed, and how.
    pub(crate) fn starts(&self) -> Option<&UnitStep> {
        match self {
            Effect::Start(step) | Effect::Restart(step) => Some(step),
            Effect::ReloadUnit(step) if !step.stacks.is_empty() => Some(step),
            _ => None,
        }
    }

    /// The unit that it stops for good or for a moment, and how.
    pub(crate) fn interrupts(&self) -> Option<&UnitStep> {
        match self {
            Effect::Stop(step) | Effect::Restart(step) => Some(step),
            _ => None,
        }
    }

    /// Whether compose makes containers anew that run, as far as that is known before; a reload says where it is not.
    pub(crate) fn recreates(&self) -> bool {
        match self {
            Effect::Start(step) => step.anew.as_ref().is_some_and(|anew| !anew.is_empty()),
            Effect::ReloadUnit(step) => {
                !step.stacks.is_empty() && step.anew.as_ref().is_none_or(|anew| !anew.is_empty())
            }
            _ => false,
        }
    }

    /// Whether it brings packages: what else there is to do is only known once it is done.
    pub(crate) fn brings_packages(&self) -> bool {
        matches!(
            self,
            Effect::UpdatePackageLists | Effect::InstallPackages(_)
        )
    }

    /// Whether summaries count it. The exchange of the store only brings what the steps after it are about.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self, Effect::Switch(_))
    }

    /// Whether nginx has loaded its configuration after it.
    pub(crate) fn loads_nginx(&self) -> bool {
        matches!(
            self,
            Effect::ReloadNginx | Effect::RestartNginx | Effect::StartNginx
        )
    }
}
