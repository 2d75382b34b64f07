//! The looks: at first what `status` has seen already and little more; then logs, of those that they are asked of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use super::facts::{Disk, Facts, Log, Room, Takes};
use super::focus::Focus;
use crate::host::{Host, diagnosis, sockets};
use crate::model::{Container, Health};
use crate::reconcile::status::Status;

/// Folders that fill up, the host's own first.
const FOLDERS: [&str; 9] = [
    "/",
    "/var",
    "/var/lib/docker",
    "/var/log",
    "/var/log/journal",
    "/var/lib/watchme-apply",
    "/etc/watchme-apply",
    "/tmp",
    "/home",
];
/// Lines of a container's log that are read.
const LINES: usize = 60;
/// How old lines of a container that runs may be: what it said before is not what is wrong now.
const LATELY: SignedDuration = SignedDuration::from_hours(1);
/// The same for units.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How many of what takes room are told.
const MOST: usize = 5;

/// What is known without logs.
pub(super) async fn facts(host: &Host, status: Status, now: Timestamp) -> Facts {
    let mut facts = Facts {
        now,
        drift: status.drift.items.len(),
        units: status.units,
        networks: status.networks,
        certificates: status.certificates,
        warnings: status.warnings,
        ..Facts::default()
    };
    let pauses = status.pauses.into_iter();
    facts.pauses = pauses
        .filter(|(_, pause)| pause.holds(now))
        .map(|(unit, pause)| (unit, pause.reason))
        .collect();
    for daemon in status.daemons.iter().filter(|daemon| !daemon.up) {
        let why = daemon.why_not.clone().unwrap_or_default();
        facts.silent.insert(daemon.name.to_owned(), why);
    }
    if let Some(seen) = status.drift.seen {
        facts.desired = seen.desired;
        facts.docker = seen.observed.docker;
        facts.nginx = seen.observed.nginx;
        facts.states = seen
            .observed
            .systemd
            .map_or_else(BTreeMap::new, |systemd| systemd.units);
    } else {
        facts.warnings.push(
            "nothing was applied yet: only what nginx and the ports show is known".to_owned(),
        );
    }
    if !host.is_live() {
        return facts;
    }
    if facts.nginx.is_none() {
        facts.nginx = host.nginx().observe().ok();
    }
    facts.listeners = sockets::listeners();
    facts.stopped = host.stopped_ports().await;
    let disks = diagnosis::filled(&FOLDERS).into_iter();
    facts.disks = disks
        .map(|one| Disk {
            folder: one.folder,
            device: one.device,
            bytes: one.bytes,
            inodes: one.inodes,
        })
        .collect();
    facts.keyless = keyless(host, &facts);
    facts
}

/// Keys that enabled sites name and that are not there, beside certificates that are.
fn keyless(host: &Host, facts: &Facts) -> BTreeMap<std::path::PathBuf, BTreeSet<String>> {
    let mut found: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    let sites = facts.desired.sites.iter().filter(|(_, site)| site.enabled);
    for (name, site) in sites {
        let pairs = site.certificates.iter();
        for pair in pairs.filter(|pair| host.root().is_there(&pair.certificate)) {
            if !host.root().is_there(&pair.key) {
                let sites = found.entry(pair.key.clone()).or_default();
                sites.insert(name.clone());
            }
        }
    }
    found
}

/// Reads the logs of units that are not well and of containers, as far as the question is about them.
pub(super) async fn logs(host: &Host, facts: &mut Facts, focus: &Focus) {
    if !host.is_live() {
        return;
    }
    journals(host, facts, focus).await;
    container_logs(host, facts, focus).await;
    let is_killed = |container: &Container| !container.is_running() && container.exit_code == 137;
    if facts
        .containers()
        .any(|one| is_killed(one) || one.oom_killed)
    {
        facts.kernel = diagnosis::kills_of_the_kernel().await;
    }
}

async fn journals(host: &Host, facts: &mut Facts, focus: &Focus) {
    let named = matches!(focus, Focus::These { .. });
    let is_ill = |name: &str| {
        let mut units = facts.units.iter();
        units.any(|unit| unit.name == name && (!unit.well || unit.restarts > 0))
    };
    let asked = facts.units.iter().map(|unit| unit.name.clone());
    let mut asked: Vec<String> = asked
        .filter(|name| focus.has_unit(name) && (named || is_ill(name)))
        .collect();
    if facts.silent.contains_key("nginx") {
        asked.push(host.nginx().unit.clone());
    }
    let Ok(systemd) = host.systemd().await else {
        return;
    };
    let since = SystemTime::now().checked_sub(DAY);
    let since = since.unwrap_or(SystemTime::UNIX_EPOCH);
    for name in asked {
        let lines = systemd.journal(&name, since).await;
        let is_down = facts
            .states
            .get(&name)
            .is_some_and(|state| !state.is_active());
        if is_down && let Some(causes) = systemd.causes(&name, since).await {
            facts.needs.insert(name.clone(), causes.why);
        }
        facts.journals.insert(name, lines);
    }
}

async fn container_logs(host: &Host, facts: &mut Facts, focus: &Focus) {
    let asked = facts.containers();
    let asked = asked.filter(|container| focus.has_container(facts, container));
    let asked: Vec<(String, bool)> = asked
        .map(|container| {
            let is_well = container.is_running() && container.health != Health::Unhealthy;
            (container.id.clone(), is_well)
        })
        .collect();
    if asked.is_empty() {
        return;
    }
    let Ok(docker) = host.docker().await else {
        return;
    };
    // Of one that is asked about by its name, whether it wrote anything at all counts.
    let all = matches!(focus, Focus::These { .. });
    let lately = facts.now.checked_sub(LATELY).ok();
    for (id, is_well) in asked {
        let since = lately.filter(|_| is_well && !all);
        let log = match docker.lines_since(&id, LINES, since).await {
            Ok(lines) => Log::Lines(lines),
            Err(error) => Log::Unreadable(crate::host::observe::said_of(&error)),
        };
        facts.logs.insert(id, log);
    }
}

/// What takes room, the largest first.
pub(super) async fn room(host: &Host, facts: &mut Facts) {
    let mut takes = Vec::new();
    let journal = Path::new("/var/log/journal");
    takes.push(Takes {
        what: Room::Journal,
        bytes: diagnosis::taken_below(journal),
        device: diagnosis::device(journal),
    });
    let device = diagnosis::device(Path::new("/var/lib/docker"));
    let mut add = |what, bytes| {
        takes.push(Takes {
            what,
            bytes,
            device,
        });
    };
    for container in facts.containers() {
        let bytes = diagnosis::log_of(&container.id);
        add(Room::Log(container.name.clone()), bytes);
    }
    if facts.docker.is_some()
        && let Ok(docker) = host.docker().await
        && let Ok(room) = docker.room().await
    {
        add(Room::Images, room.unused_images);
        add(Room::BuildCache, room.build_cache);
        for (name, bytes) in room.volumes {
            add(Room::Volume(name), bytes);
        }
    }
    takes.retain(|one| one.bytes > 0);
    takes.sort_by_key(|one| std::cmp::Reverse(one.bytes));
    takes.truncate(MOST);
    facts.takes = takes;
}
