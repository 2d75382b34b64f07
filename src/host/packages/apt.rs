//! apt-get(8) and dpkg(1), run to the end; what they say.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::Uid;

use crate::host::HostError;
use crate::model::{AptPlan, AptRefusal};

pub(super) const APT: &str = "/usr/bin/apt-get";
pub(super) const DPKG: &str = "/usr/bin/dpkg";

/// Nobody may be asked, nothing may restart besides what the packages themselves restart, and files of the configuration
/// that somebody edited stay: debconf(7), needrestart(1), apt-listchanges(1), ucf(1).
const ENVIRONMENT: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("NEEDRESTART_MODE", "l"),
    ("NEEDRESTART_SUSPEND", "1"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("UCF_FORCE_CONFFOLD", "1"),
];

/// How often it is looked whether one has ended.
const POLL: Duration = Duration::from_millis(10);
/// How many lines of what they said are shown.
const LINES: usize = 12;
/// The user who may do nothing.
const NOBODY: u32 = 65_534;

/// How one ended, and what it said on both of its outputs.
pub(super) struct Ran {
    pub well: bool,
    pub said: String,
}

/// Runs a program with nothing of this process in its environment. One that takes too long goes on: who ends dpkg in the
/// middle leaves packages that are neither here nor there.
pub(super) fn run(
    program: &str,
    arguments: &[&str],
    as_nobody: bool,
    bound: Duration,
) -> Result<Ran, HostError> {
    let called = || format!("{program} {}", arguments.join(" "));
    let failed = |source| HostError::Program {
        program: called(),
        source,
    };
    let begin = || {
        // A file, not a pipe: nobody has to read while it writes.
        let said = File::from(memfd_create("said", MFdFlags::MFD_CLOEXEC)?);
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(ENVIRONMENT.iter().copied())
            .current_dir("/")
            // What interrupts this program does not interrupt dpkg.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said.try_clone()?);
        if as_nobody && Uid::effective().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        io::Result::Ok((command.spawn()?, said))
    };
    let (mut child, mut said) = begin().map_err(failed)?;
    let until = Instant::now() + bound;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if Instant::now() > until {
            return Err(HostError::Timeout {
                what: format!("run {}", called()),
                after: bound,
            });
        }
        std::thread::sleep(POLL);
    };
    let mut bytes = Vec::new();
    let read = said.rewind().and_then(|()| said.read_to_end(&mut bytes));
    read.map_err(failed)?;
    Ok(Ran {
        well: status.success(),
        said: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

pub(super) fn is_there() -> bool {
    Path::new(APT).is_file()
}

/// What apt would do, from the lines of a simulation.
pub(super) fn simulated(said: &str) -> AptPlan {
    let mut plan = AptPlan::default();
    let mut older = false;
    for line in said.lines() {
        // A list of names is indented below its heading.
        if older && line.starts_with("  ") {
            let names = line.split_whitespace().map(str::to_owned);
            plan.downgrades.extend(names);
            continue;
        }
        older = line.contains("will be DOWNGRADED");
        let mut words = line.split_whitespace();
        let verb = words.next().unwrap_or_default();
        let Some(name) = words.next().map(str::to_owned) else {
            continue;
        };
        match verb {
            "Inst" => {
                let bare = |word: &str| word.trim_matches(['[', ']', '(', ')']).to_owned();
                let mut rest = words.map(|word| (word.starts_with('['), bare(word)));
                match (rest.next(), rest.next()) {
                    (Some((true, old)), Some((_, new))) => {
                        plan.upgrades.insert(name, (old, new));
                    }
                    (Some((false, new)), _) => {
                        plan.installs.insert(name, new);
                    }
                    _ => {}
                }
            }
            "Remv" | "Purg" => drop(plan.removes.insert(name)),
            _ => {}
        }
    }
    plan
}

/// Why apt would do nothing, from what it says. `old`: whether its lists may lack what there is.
pub(super) fn refused(said: &str, old: bool) -> AptRefusal {
    let unknown = [
        "Unable to locate package",
        "has no installation candidate",
        "was not found",
    ];
    let said = reasons(said);
    let is_unknown = |line: &String| unknown.iter().any(|words| line.contains(words));
    AptRefusal {
        outdated: old && said.iter().any(is_unknown),
        said,
    }
}

/// The lines that say why: dependencies that cannot be met, and errors.
pub(super) fn reasons(said: &str) -> Vec<String> {
    let is_reason =
        |line: &&str| line.starts_with("E: ") || line.starts_with(' ') && line.contains(": ");
    let lines = said.lines().filter(is_reason);
    let lines = lines.map(|line| line.trim_start_matches("E: ").trim().to_owned());
    // The solver of Debian 13 says it once more, at length.
    lines
        .take_while(|line| !line.contains("provide additional context"))
        .take(LINES)
        .collect()
}

/// The last lines, without those that only count.
pub(super) fn last(said: &str) -> Vec<String> {
    let noise = [
        "Reading ",
        "Building ",
        "Solving ",
        "(Reading ",
        "Get:",
        "Need to get",
        "debconf: ",
    ];
    let lines = said.lines().map(str::trim_end);
    let lines =
        lines.filter(|line| !line.is_empty() && !noise.iter().any(|noise| line.starts_with(noise)));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    lines[lines.len().saturating_sub(LINES)..].to_vec()
}

/// What is behind a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AptFailure {
    /// Another program has the lock of dpkg.
    Locked,
    /// A file could not be fetched.
    NotFetched,
    NoRoom,
    Interrupted,
    /// A package, or what was asked.
    Other,
}

impl AptFailure {
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Locked => {
                "another program installs packages: fuser -v /var/lib/dpkg/lock-frontend; systemctl status unattended-upgrades"
            }
            Self::NotFetched => {
                "apt-get update says which source does not answer; grep -r . /etc/apt/sources.list*"
            }
            Self::NoRoom => "df -h / /var/cache/apt/archives; apt-get clean",
            Self::Interrupted => "dpkg --configure -a",
            Self::Other => "tail -n 50 /var/log/apt/term.log; dpkg --audit",
        }
    }

    /// What lines of apt and dpkg say.
    pub(super) fn of(said: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
        match () {
            () if says(&[
                "Could not get lock",
                "lock was locked by another process",
                "is locked by another process",
                "Unable to acquire the dpkg frontend lock",
            ]) =>
            {
                Self::Locked
            }
            () if says(&[
                "No space left on device",
                "You don't have enough free space",
            ]) =>
            {
                Self::NoRoom
            }
            () if says(&["dpkg was interrupted"]) => Self::Interrupted,
            () if says(&[
                "Failed to fetch",
                "Unable to fetch",
                "Temporary failure resolving",
                "Could not resolve",
                "Could not connect",
                "Unable to connect",
            ]) =>
            {
                Self::NotFetched
            }
            () => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_simulation_says() {
        let plan = simulated(
            "Reading package lists...\nThe following packages will be REMOVED:\n  exim4\nThe following packages will be DOWNGRADED:\n  curl libcurl4\n\
             0 upgraded, 1 newly installed, 2 downgraded, 1 to remove and 0 not upgraded.\n\
             Remv exim4 [4.96]\nInst nginx-common (1.22.1-9 Debian:12.5/stable [all]) []\nInst nginx (1.22.1-9 Debian:12.5/stable [amd64])\n\
             Inst curl [8.0] (7.88 Debian:12.5/stable [amd64])\nConf nginx (1.22.1-9 Debian:12.5/stable [amd64])\n",
        );
        let text = |text: &str| text.to_owned();
        let new = [("nginx", "1.22.1-9"), ("nginx-common", "1.22.1-9")];
        assert_eq!(
            plan.installs,
            new.map(|(name, version)| (text(name), text(version)))
                .into()
        );
        assert_eq!(
            plan.upgrades,
            [(text("curl"), (text("8.0"), text("7.88")))].into()
        );
        assert_eq!(plan.downgrades, ["curl", "libcurl4"].map(text).into());
        assert_eq!(plan.removes, [text("exim4")].into());
    }

    #[test]
    fn why_apt_does_nothing() {
        let unknown = refused(
            "Reading package lists...\nE: Unable to locate package ngnix\n",
            true,
        );
        assert_eq!(unknown.said, ["Unable to locate package ngnix"]);
        assert!(unknown.outdated);
        assert!(!refused("E: Unable to locate package ngnix\n", false).outdated);
        let conflict = refused(
            "The following packages have unmet dependencies:\n c : Conflicts: b but 1.0 is to be installed\n\
             E: Unable to correct problems, you have held broken packages.\nE: The following information from --solver 3.0 may provide additional context:\n   1. c\n",
            true,
        );
        assert_eq!(
            conflict.said,
            [
                "c : Conflicts: b but 1.0 is to be installed",
                "Unable to correct problems, you have held broken packages."
            ]
        );
        assert!(!conflict.outdated);
    }

    #[test]
    fn each_failure_is_known_by_its_words() {
        for (said, failure) in [
            (
                "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 71 (unattended-upgr)",
                AptFailure::Locked,
            ),
            (
                "dpkg: error: dpkg frontend lock was locked by another process with pid 7",
                AptFailure::Locked,
            ),
            (
                "E: Failed to fetch http://192.0.2.1/nginx.deb  404  Not Found",
                AptFailure::NotFetched,
            ),
            (
                "E: You don't have enough free space in /var/cache/apt/archives/.",
                AptFailure::NoRoom,
            ),
            (
                "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
                AptFailure::Interrupted,
            ),
            (
                "dpkg: error processing package bad (--configure):",
                AptFailure::Other,
            ),
        ] {
            assert_eq!(AptFailure::of(said), failure, "{said}");
        }
    }

    #[test]
    fn the_last_lines_are_those_that_matter() {
        let said = "Reading package lists...\n(Reading database ... 5%\nSetting up bad (1.0) ...\nno such user\n\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n";
        assert_eq!(
            last(said),
            [
                "Setting up bad (1.0) ...",
                "no such user",
                "E: Sub-process /usr/bin/dpkg returned an error code (1)"
            ]
        );
    }
}
