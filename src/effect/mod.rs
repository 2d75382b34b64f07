//! What a change does to the files, services and containers of a host. An effect is all that is needed to do it: it is
//! shown, simulated, validated, applied and undone from the same value, and nothing is decided on the way.
//!
//! A new effect is a variant here, its words in `words`, what it makes of files in `file`, of a host on paper in
//! `simulate`, and an arm in `apply`: what is forgotten does not compile.

mod candidate;
mod file;
mod plan;
mod simulate;
mod steps;
mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

pub use candidate::Candidate;
pub use file::{Becomes, FileEffect};
pub use plan::{Change, Diff, Note, Plan, Refusal};
pub use simulate::simulate;
pub use steps::{Connect, Drain, Holder, PullImage, Release, UnitStep};
pub use words::{Counted, Sign, Words};

use crate::model::{Certificate, File, Network, Volume};

/// A step, with all that is needed to carry it out without deciding anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
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

impl Effect {
    /// The unit that it starts or restarts, and how.
    pub fn starts(&self) -> Option<&UnitStep> {
        match self {
            Effect::Start(step) | Effect::Restart(step) => Some(step),
            _ => None,
        }
    }

    /// The unit that it stops for good or for a moment, and how.
    pub fn interrupts(&self) -> Option<&UnitStep> {
        match self {
            Effect::Stop(step) | Effect::Restart(step) => Some(step),
            _ => None,
        }
    }

    /// Whether nginx has loaded its configuration after it.
    pub fn loads_nginx(&self) -> bool {
        matches!(
            self,
            Effect::ReloadNginx | Effect::RestartNginx | Effect::StartNginx
        )
    }
}
