//! What has to be looked at for a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::certificate::WatchedCertificate;
use super::firewall::WatchedFirewall;
use super::package::WatchedPackages;
use super::{MemberName, Secret};

/// What to look at on a host. Nothing desired means nothing asked.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Paths to read, links followed.
    pub paths: BTreeSet<PathBuf>,
    /// Secrets to compare with what they decrypt to.
    pub secrets: BTreeMap<String, Secret>,
    /// Whether the folder of decrypted secrets is listed: there are some, or were.
    pub lists_secrets: bool,
    /// Whether nothing is decrypted: what is wanted may be of anybody.
    pub sealed: bool,
    /// Packages to look for; `None`: none are wanted, and none of ours leave.
    pub packages: Option<WatchedPackages>,
    /// Folders whose entries matter.
    pub folders: BTreeSet<PathBuf>,
    /// `user:group` names to resolve.
    pub owners: BTreeSet<String>,
    /// Units to ask systemd about; none: systemd is not asked.
    pub units: BTreeSet<String>,
    /// Networks of interest.
    pub networks: BTreeSet<String>,
    /// Containers of interest.
    pub members: Vec<MemberName>,
    /// Names of containers that units run without compose.
    pub containers: BTreeSet<String>,
    /// Compose projects of interest.
    pub projects: BTreeSet<String>,
    /// Whether Docker is asked.
    pub docker: bool,
    /// Whether the engine that watchme.toml names is asked, if it answers: it may be the Podman of Quadlets.
    pub quadlets: bool,
    /// Whether nginx's processes are looked at.
    pub nginx: bool,
    /// Certificates of sites.
    pub certificates: BTreeSet<WatchedCertificate>,
    /// What of the firewall is looked at.
    pub firewall: Option<WatchedFirewall>,
    /// Kernel parameters, by their paths below `/proc/sys`.
    pub parameters: BTreeSet<String>,
    /// Whether a daemon that does not answer is left out, instead of ending the look.
    pub lenient: bool,
}
