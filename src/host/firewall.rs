//! The table of nftables that is ours: listed, compared and loaded by nft(8), which is called directly.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::Uid;
use serde::Deserialize;

use super::observe::{self, NEEDS_ROOT};
use super::program::{Ran, run};
use super::{Host, HostError, ssh};
use crate::model::{FIREWALL_TABLE, FirewallState, WatchedFirewall};

/// Where distributions put it.
const PROGRAMS: [&str; 4] = [
    "/usr/sbin/nft",
    "/sbin/nft",
    "/usr/bin/nft",
    "/usr/local/sbin/nft",
];
/// How long it may take: it is done in milliseconds.
pub(super) const BOUND: Duration = Duration::from_secs(20);
/// Interfaces and their ports, <https://docs.kernel.org/networking/bridge.html#sysfs>.
const INTERFACES: &str = "/sys/class/net";

/// What `nft -j list tables` prints, libnftables-json(5).
#[derive(Deserialize)]
struct Listed {
    nftables: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    table: Option<Table>,
}

#[derive(Deserialize)]
struct Table {
    family: String,
    name: String,
}

impl Host {
    /// Looks at our table, and has nft list the wanted one in a network namespace of its own: what differs then differs in
    /// the kernel, whatever the version of nft. A `lenient` look goes on without what nft does not say.
    pub(super) fn observe_firewall(
        &self,
        watch: &WatchedFirewall,
        lenient: bool,
    ) -> Result<FirewallState, HostError> {
        let mut state = FirewallState {
            program: program(),
            bridged: bridged(Path::new(INTERFACES), &watch.trusted),
            ..FirewallState::default()
        };
        let Some(program) = state.program.clone() else {
            return Ok(state);
        };
        if !Uid::effective().is_root() {
            state.silent = Some(NEEDS_ROOT.to_owned());
            return Ok(state);
        }
        match look(&program, watch, &mut state) {
            Err(error) if lenient => state.silent = Some(observe::said_of(&error)),
            looked => looked?,
        }
        Ok(state)
    }

    /// Our table as nft lists it; `None`: it is not there.
    pub(crate) fn firewall(&self) -> Result<Option<String>, HostError> {
        match program() {
            Some(program) => list(&program),
            None => Ok(None),
        }
    }

    /// Loads rules in one transaction, once nft has accepted them.
    ///
    /// # Errors
    /// When nft cannot be run or refuses them; nothing has changed then.
    pub(crate) fn load_firewall(&self, rules: &str) -> Result<(), HostError> {
        let Some(program) = program() else {
            return Err(absent());
        };
        for arguments in [&["-c", "-f", "-"][..], &["-f", "-"]] {
            let ran = run(&program, arguments, rules, BOUND)?;
            if !ran.status.success() {
                return Err(refused("load the rules of the firewall", "nftables", &ran));
            }
        }
        Ok(())
    }

    /// Deletes our table, if it is there.
    pub(crate) fn remove_firewall(&self) -> Result<(), HostError> {
        // Whoever has no nft has no table that it made.
        if program().is_none() {
            return Ok(());
        }
        // `table` makes it where it is not there, so that deleting it cannot fail for that.
        let table = FIREWALL_TABLE;
        self.load_firewall(&format!("table inet {table}\ndelete table inet {table}\n"))
    }
}

fn look(
    program: &Path,
    watch: &WatchedFirewall,
    state: &mut FirewallState,
) -> Result<(), HostError> {
    state.loaded = list(program)?;
    let Some(rules) = &watch.rules else {
        return Ok(());
    };
    let wanted = listed_elsewhere(program, rules)?;
    // Whoever is logged in matters where the rules change. Those of ufw are in its files.
    if watch.drives_ufw || wanted.as_ref().ok() != state.loaded.as_ref() {
        let found = ssh::look();
        (state.ssh, state.sessions) = (found.ports, found.sessions);
    }
    state.wanted = Some(wanted);
    Ok(())
}

fn program() -> Option<PathBuf> {
    let mut programs = PROGRAMS.iter().map(PathBuf::from);
    programs.find(|path| path.is_file())
}

fn absent() -> HostError {
    HostError::Program {
        program: "nft".to_owned(),
        source: io::ErrorKind::NotFound.into(),
    }
}

pub(super) fn refused(doing: &'static str, program: &'static str, ran: &Ran) -> HostError {
    HostError::Firewall {
        program,
        doing,
        said: said(ran),
    }
}

/// What nft said, without the lines that repeat the rule and mark a place in it.
fn said(ran: &Ran) -> Vec<String> {
    let lines = ran.said.lines().filter(|line| !line.trim().is_empty());
    let errors: Vec<String> = lines
        .clone()
        .filter(|line| line.contains("rror: "))
        .map(str::to_owned)
        .collect();
    match errors.is_empty() {
        true => lines.take(4).map(str::to_owned).collect(),
        false => errors,
    }
}

fn list(program: &Path) -> Result<Option<String>, HostError> {
    let tables = run(program, &["-j", "list", "tables", "inet"], "", BOUND)?;
    if !tables.status.success() {
        return Err(refused("list the tables of nftables", "nftables", &tables));
    }
    let listed: Listed =
        serde_json::from_str(&tables.printed).map_err(|source| HostError::Program {
            program: "nft -j list tables inet".to_owned(),
            source: source.into(),
        })?;
    let tables = listed
        .nftables
        .iter()
        .filter_map(|item| item.table.as_ref());
    let mut ours = tables.filter(|one| one.family == "inet" && one.name == FIREWALL_TABLE);
    match ours.next() {
        Some(_) => list_ours(program).map(Some),
        None => Ok(None),
    }
}

fn list_ours(program: &Path) -> Result<String, HostError> {
    let ran = run(
        program,
        &["-s", "list", "table", "inet", FIREWALL_TABLE],
        "",
        BOUND,
    )?;
    match ran.status.success() {
        true => Ok(ran.printed),
        false => Err(refused("list the rules of the firewall", "nftables", &ran)),
    }
}

/// Rules as nft lists them once they are loaded, or what it says against them. They are loaded into a network that has
/// nothing and ends with this call: namespaces are of a thread, unshare(2).
fn listed_elsewhere(program: &Path, rules: &str) -> Result<Result<String, String>, HostError> {
    let looked = std::thread::scope(|scope| {
        let look = || {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|source| HostError::Program {
                program: "nft in a network namespace of its own".to_owned(),
                source: source.into(),
            })?;
            let ran = run(program, &["-f", "-"], rules, BOUND)?;
            match ran.status.success() {
                true => list_ours(program).map(Ok),
                false => Ok(Err(said(&ran).join("\n"))),
            }
        };
        scope.spawn(look).join()
    });
    looked.unwrap_or_else(|_| Err(absent()))
}

/// Bridges that a pattern fits, each with the first of its ports that is no end of a container's pair.
fn bridged(interfaces: &Path, trusted: &[String]) -> Vec<(String, String)> {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    let patterns: Vec<&str> = trusted
        .iter()
        .filter_map(|name| name.strip_suffix('*'))
        .collect();
    let mut found = Vec::new();
    for bridge in names(interfaces) {
        let is_named = trusted.contains(&bridge);
        if is_named || !patterns.iter().any(|begin| bridge.starts_with(begin)) {
            continue;
        }
        let ports = names(&interfaces.join(&bridge).join("brif"));
        let foreign = ports.into_iter().find(|port| !port.starts_with("veth"));
        found.extend(foreign.map(|port| (bridge, port)));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn a_bridge_of_the_local_network_is_no_network_of_containers() {
        let folder = tempfile::tempdir().unwrap();
        for port in [
            "br-0a1b/brif/veth1",
            "br-lan/brif/eth0",
            "br0/brif/eth1",
            "docker0/brif/veth2",
        ] {
            fs::create_dir_all(folder.path().join(port)).unwrap();
        }
        let of = |trusted: &[&str]| {
            let trusted: Vec<String> = trusted.iter().map(|name| (*name).to_owned()).collect();
            bridged(folder.path(), &trusted)
        };
        let lan = ("br-lan".to_owned(), "eth0".to_owned());
        assert_eq!(of(&["docker0", "br-*"]), [lan]);
        assert_eq!(of(&["docker0", "br-*", "br-lan"]), []);
        assert_eq!(of(&["docker0"]), []);
    }

    /// nft repeats the rule and marks the place below it: what it says is in the first line of each.
    #[test]
    fn what_nft_refuses_is_said_in_its_words() {
        let said =
            "/dev/stdin:3:1-5: Error: syntax error, unexpected string\ntabel inet x\n^^^^^\n";
        let ran = |said: &str| Ran {
            status: ExitStatus::default(),
            printed: String::new(),
            said: said.to_owned(),
        };
        let error = refused("load the rules of the firewall", "nftables", &ran(said));
        assert_eq!(
            error.to_string(),
            "nftables: could not load the rules of the firewall\n    /dev/stdin:3:1-5: Error: syntax error, unexpected string"
        );
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.starts_with("nft -c -f /etc/watchme-apply/firewall.nft"))
        );
        // What has no such line is said as it is.
        let error = refused(
            "list the tables of nftables",
            "nftables",
            &ran("netlink: cache initialization failed\n"),
        );
        assert!(
            error.to_string().ends_with("cache initialization failed"),
            "{error}"
        );
        assert_eq!(absent().to_string(), "could not run nft");
    }

    #[test]
    fn a_program_that_says_nothing_useful() {
        let error = list(Path::new("/bin/echo")).err().unwrap();
        assert_eq!(error.to_string(), "could not run nft -j list tables inet");
    }
}
