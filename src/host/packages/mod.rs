//! Packages of the distribution: what dpkg has on record, and what apt does.

mod apt;
mod dpkg;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::{Host, HostError};
use crate::model::{AptPlan, AptRefusal, Package, PackageState, PackagesState, WatchedPackages};
pub(crate) use apt::AptFailure;
use dpkg::Record;

/// How long a simulation may take.
const SIMULATION: Duration = Duration::from_secs(60);
/// How long packages may take to be fetched and installed.
const BOUND: Duration = Duration::from_secs(3600);
/// How long another program that installs packages is waited for, such as unattended-upgrades; apt.conf(5).
const LOCK: &str = "DPkg::Lock::Timeout=120";
/// The same, before apt is asked.
const PATIENCE: Duration = Duration::from_secs(120);
/// The same for dpkg, which does not wait itself.
const WAIT: Duration = Duration::from_secs(600);
/// How often is looked whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
/// Lists of packages that are older may lack what there is.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);

/// Locks of apt and dpkg, in the order in which an installation has them.
const LOCKS: [&str; 3] = [
    "/var/lib/dpkg/lock-frontend",
    "/var/cache/apt/archives/lock",
    "/var/lib/dpkg/lock",
];

/// A simulation reads, and leaves nothing behind: no cache, and no lock.
const SIMULATE: &[&str] = &[
    "-s",
    "-q",
    "-y",
    "--allow-downgrades",
    "--no-install-recommends",
    "-o",
    "Dir::Cache::pkgcache=",
    "-o",
    "Dir::Cache::srcpkgcache=",
    "-o",
    "Dir::Log::Planner=",
    "-o",
    "Dir::Log::Solver=",
    "-o",
    "APT::Get::Show-User-Simulation-Note=false",
];

impl Host {
    /// Looks for packages, and has apt say what it would do about those that are missing and those that leave.
    pub(super) fn observe_packages(
        &self,
        watch: &WatchedPackages,
    ) -> Result<PackagesState, HostError> {
        let mut state = PackagesState::default();
        let Some(record) = Record::read(self.root())? else {
            state.absent = Some("there is no dpkg on this host".to_owned());
            return Ok(state);
        };
        // Whoever has the lock is in the middle, and comes to the end.
        state.interrupted =
            record.interrupted && !LOCKS.iter().any(|path| is_locked(Path::new(path)));
        let names = watch.wanted.keys().chain(&watch.leaving);
        let found = names.filter_map(|name| Some((name.clone(), record.find(name)?)));
        state.there = found.collect();
        let is_as_wanted = |(name, version): &(&String, &Option<String>)| {
            let Some(found) = state.there.get(*name) else {
                return false;
            };
            match (&found.state, version) {
                (PackageState::Installed, Some(version)) => *version == found.version,
                (PackageState::Installed | PackageState::Provided, None) => true,
                _ => false,
            }
        };
        let missing = watch.wanted.iter().filter(|one| !is_as_wanted(one));
        let missing: Vec<String> = missing
            .map(|(name, version)| Package::asked(name, version.as_deref()))
            .collect();
        let leaving = watch.leaving.iter();
        let leaving: Vec<&String> = leaving
            .filter(|name| record.there.contains_key(*name))
            .collect();
        if missing.is_empty() && leaving.is_empty() {
            return Ok(state);
        }
        if !apt::is_there() {
            state.absent = Some("there is no apt-get on this host".to_owned());
            return Ok(state);
        }
        if state.interrupted {
            return Ok(state);
        }
        if !missing.is_empty() {
            state.install = Some(self.simulate_install(&missing)?);
        }
        for name in leaving {
            let ran = simulate("remove", std::slice::from_ref(name))?;
            let with = match ran.well {
                true => Ok(apt::simulated(&ran.said).removes),
                false => Err(apt::reasons(&ran.said)),
            };
            state.remove.insert(name.clone(), with);
        }
        Ok(state)
    }

    /// What apt would do to install packages.
    pub(crate) fn simulate_install(
        &self,
        asked: &[String],
    ) -> Result<Result<AptPlan, AptRefusal>, HostError> {
        let ran = simulate("install", asked)?;
        Ok(match ran.well {
            true => Ok(apt::simulated(&ran.said)),
            false => Err(apt::refused(&ran.said, self.has_old_lists())),
        })
    }

    /// Whether apt's lists may lack what there is.
    fn has_old_lists(&self) -> bool {
        if self.updated_lists() {
            return false;
        }
        let folder = Path::new("/var/lib/apt/lists");
        let Ok(entries) = std::fs::read_dir(folder) else {
            return true;
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut lists = names.filter(|name| name.to_string_lossy().contains("_Packages"));
        if lists.next().is_none() {
            return true;
        }
        let marks = [
            folder,
            Path::new("/var/lib/apt/periodic/update-success-stamp"),
        ];
        let times = marks
            .iter()
            .filter_map(|path| std::fs::metadata(path).ok()?.modified().ok());
        let age = times
            .max()
            .map(|last| SystemTime::now().duration_since(last));
        // A clock that was set back says nothing.
        age.is_none_or(|age| age.is_ok_and(|age| age > OLD))
    }

    /// Whether this run has loaded them.
    pub(crate) fn updated_lists(&self) -> bool {
        self.updated_lists.load(Ordering::Relaxed)
    }

    /// Has apt load its lists of packages. Sources that do not answer leave it with the lists that it has; that is an error
    /// only where it has none.
    pub(crate) fn update_package_lists(&self) -> Result<(), HostError> {
        let ran = apt::run(apt::APT, &["update", "-q", "-o", LOCK], false, BOUND)?;
        self.updated_lists.store(true, Ordering::Relaxed);
        match ran.well {
            true => Ok(()),
            false => Err(failed("load the lists of packages", "apt-get", &ran.said)),
        }
    }

    /// Has apt install packages, as `NAME` or `NAME=VERSION`, with what they need and nothing that they only recommend. `back`:
    /// to what was there before, which may be older.
    pub(crate) fn install_packages(&self, asked: &[String], back: bool) -> Result<(), HostError> {
        let mut words = vec![
            "install",
            "-q",
            "-y",
            "--no-install-recommends",
            "--no-remove",
            "-o",
            LOCK,
            "-o",
            "Dpkg::Use-Pty=0",
            "-o",
            "Dpkg::Options::=--force-confdef",
            "-o",
            "Dpkg::Options::=--force-confold",
            "-o",
            "Acquire::Retries=2",
        ];
        if back {
            words.push("--allow-downgrades");
        }
        words.push("--");
        words.extend(asked.iter().map(String::as_str));
        let ran = apt::run(apt::APT, &words, false, BOUND)?;
        match ran.well {
            true => Ok(()),
            false => {
                let doing = format!("install {}", asked.join(" "));
                Err(failed(&doing, "apt-get", &ran.said))
            }
        }
    }

    /// Waits while another program installs packages. Returns whether one did.
    pub(crate) fn await_packages(&self) -> bool {
        let busy = LOCKS.iter().any(|path| is_locked(Path::new(path)));
        if busy {
            wait_for_others(Instant::now() + PATIENCE);
        }
        busy
    }

    /// Has dpkg remove those of these packages that are there in any way; their configuration stays. It refuses what another
    /// package needs, and never removes anything else.
    pub(crate) fn remove_packages(&self, names: &BTreeSet<String>) -> Result<(), HostError> {
        let until = Instant::now() + WAIT;
        loop {
            wait_for_others(until);
            let Some(record) = Record::read(self.root())? else {
                return Ok(());
            };
            let bare = |name: &str| name.split(':').next().unwrap_or(name).to_owned();
            let there = names
                .iter()
                .filter(|name| record.there.contains_key(&bare(name)));
            let there: Vec<&str> = there.map(String::as_str).collect();
            if there.is_empty() {
                return Ok(());
            }
            let mut words = vec!["--force-remove-reinstreq", "--remove", "--"];
            words.extend(&there);
            let ran = apt::run(apt::DPKG, &words, false, BOUND)?;
            if ran.well {
                return Ok(());
            }
            let failure = AptFailure::of(&ran.said);
            if failure != AptFailure::Locked || Instant::now() > until {
                return Err(failed(
                    &format!("remove {}", there.join(" ")),
                    "dpkg",
                    &ran.said,
                ));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Has apt install again what was removed, or another version in the place of one.
    pub(crate) fn restore_packages(
        &self,
        versions: &BTreeMap<String, String>,
    ) -> Result<(), HostError> {
        let record = Record::read(self.root())?.unwrap_or_default();
        let is_there = |name: &String, version: &String| {
            let found = record.there.get(name);
            found.is_some_and(|found| {
                found.version == *version && found.state == PackageState::Installed
            })
        };
        let other = versions
            .iter()
            .filter(|(name, version)| !is_there(name, version));
        let asked: Vec<String> = other
            .map(|(name, version)| Package::asked(name, Some(version)))
            .collect();
        match asked.is_empty() {
            true => Ok(()),
            false => self.install_packages(&asked, true),
        }
    }
}

fn simulate(verb: &str, asked: &[String]) -> Result<apt::Ran, HostError> {
    let mut words = SIMULATE.to_vec();
    words.extend([verb, "--"]);
    words.extend(asked.iter().map(String::as_str));
    apt::run(apt::APT, &words, true, SIMULATION)
}

fn failed(doing: &str, program: &'static str, said: &str) -> HostError {
    HostError::Apt {
        doing: doing.to_owned(),
        program,
        failure: AptFailure::of(said),
        said: apt::last(said),
    }
}

/// Waits until nobody installs packages: the apt of a run that was killed goes on to its end.
fn wait_for_others(until: Instant) {
    let mut free = 0;
    // Between two locks it may have none.
    while free < 2 && Instant::now() < until {
        free = match LOCKS.iter().any(|path| is_locked(Path::new(path))) {
            true => 0,
            false => free + 1,
        };
        if free < 2 {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

/// Whether another process has a lock of fcntl(2) on a file.
fn is_locked(path: &Path) -> bool {
    let Ok(file) = std::fs::File::options().read(true).write(true).open(path) else {
        return false;
    };
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let asked = fcntl(&file, FcntlArg::F_GETLK(&mut lock));
    asked.is_ok() && lock.l_type != libc::F_UNLCK as libc::c_short
}
