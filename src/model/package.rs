//! What a host is found to have of packages.

use std::collections::{BTreeMap, BTreeSet};

/// Which packages have to be looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedPackages {
    /// Those that are wanted, each with its version where one is named.
    pub wanted: BTreeMap<String, Option<String>>,
    /// Those of ours that nothing wants any more.
    pub leaving: BTreeSet<String>,
}

/// The packages of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackagesState {
    /// Those that were looked for and that are there in any way, by name.
    pub there: BTreeMap<String, PackageFound>,
    /// Why there are none to speak of: no dpkg, or no apt.
    pub absent: Option<String>,
    /// Whether dpkg was interrupted in the middle.
    pub interrupted: bool,
    /// What apt would do to install what is missing; `None`: nothing is.
    pub install: Option<Result<AptPlan, AptRefusal>>,
    /// What would go with each of ours that leaves, itself included, or what apt says against that.
    pub remove: BTreeMap<String, Result<BTreeSet<String>, Vec<String>>>,
    /// Whether nobody has looked: what only a host knows is taken to be right.
    pub simulated: bool,
}

/// A package that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageFound {
    /// Its version; empty where another package provides it.
    pub version: String,
    /// How it is there.
    pub state: PackageState,
    /// Whether the system needs it: `Essential` or `Protected`, deb-control(5).
    pub essential: bool,
}

/// How a package is there; dpkg(1), "Package states".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PackageState {
    /// It is installed.
    #[default]
    Installed,
    /// Another package that is installed provides it.
    Provided,
    /// dpkg did not come to the end with it; dpkg's word for how far it came.
    Broken(String),
}

/// What apt would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AptPlan {
    /// Packages that come, with their versions.
    pub installs: BTreeMap<String, String>,
    /// Packages that are replaced by another version: the one from before and the new one.
    pub upgrades: BTreeMap<String, (String, String)>,
    /// Those of them whose new version is an older one.
    pub downgrades: BTreeSet<String>,
    /// Packages that would go.
    pub removes: BTreeSet<String>,
}

/// Why apt would do nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AptRefusal {
    /// What it says.
    pub said: Vec<String>,
    /// Whether that may be over once its lists of packages are loaded anew: it does not know a name or a version, and they
    /// are old or not there.
    pub outdated: bool,
}
