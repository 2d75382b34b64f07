//! What is done to units, containers and images, with all that is needed to do it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Image, Stack};

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
