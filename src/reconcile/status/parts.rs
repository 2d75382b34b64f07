//! The parts of a host, one by one: units, containers, daemons, and what is foreign.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use crate::kinds::find_members;
use crate::model::image::{digest_of, listed_name};
use crate::model::{
    Container, Desired, Entry, Health, ImageRecord, MemberName, Observed, Recorded, Unit,
    UnitState, UnitType, exit, layout,
};
use crate::source::unit::Name;

/// A daemon that the desired state needs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DaemonStatus {
    /// systemd, Docker or nginx.
    pub name: &'static str,
    /// Whether it answers, or runs.
    pub up: bool,
    /// Why not.
    pub why_not: Option<String>,
}

/// A unit of the desired state.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct UnitStatus {
    /// Its name.
    pub name: String,
    /// In a word or two: running, done, failed, paused, stopped, …
    pub state: String,
    /// Whether it is as it should be: up, done, or kept stopped on purpose.
    pub well: bool,
    /// systemd's own words, e.g. `active (running)`.
    pub systemd: String,
    /// Since when it is in that state.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub since: Option<Timestamp>,
    /// How often systemd restarted it.
    pub restarts: u32,
    /// How its last run ended, if it ended: the status, or the number of the signal.
    pub exit_status: Option<i32>,
    /// Whether that is the number of a signal.
    pub signalled: bool,
    /// What that means.
    pub meaning: Option<String>,
    /// Ports of this host that Podman publishes for it, of a Quadlet: `127.0.0.1:8011`, `53/udp`.
    pub publishes: Vec<String>,
}

/// A container that the desired state has: of a unit, or on a network.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ContainerStatus {
    /// Its name.
    pub name: String,
    /// The unit that runs it, if one does.
    pub unit: Option<String>,
    /// Networks of the desired state that it is on.
    pub networks: BTreeSet<String>,
    /// created, running, paused, restarting, removing, exited, dead.
    pub state: String,
    /// Since when it runs, or does not any more.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub since: Option<Timestamp>,
    /// How often Docker restarted it.
    pub restarts: i64,
    /// How its last run ended, if it ended.
    pub exit_code: Option<i64>,
    /// What that means.
    pub meaning: Option<String>,
    /// What its health check says.
    pub health: Health,
    /// Its image, as it was asked for.
    pub image: String,
    /// When that was made.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub image_created: Option<Timestamp>,
    /// The id of the image that it runs.
    pub image_id: String,
    /// The digest by which its registry knows that, that of an index where it came from one; nothing for an image that was
    /// made or tagged on the host.
    pub image_digest: Option<String>,
    /// The ID of another image of the host to which the name refers now: a restart runs that one.
    pub newer_image_id: Option<String>,
}

/// What is on the host, looks like a service, and is not in the desired state.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Foreign {
    /// unit, container or site.
    pub kind: &'static str,
    /// Its name, or its path.
    pub name: String,
}

/// The daemons that were asked, or looked for.
pub(super) fn daemons(desired: &Desired, observed: &Observed) -> Vec<DaemonStatus> {
    let mut daemons = Vec::new();
    let mut add = |name, up, why: Option<&String>| {
        daemons.push(DaemonStatus {
            name,
            up,
            why_not: why.cloned(),
        });
    };
    for (name, up) in [
        ("systemd", observed.systemd.is_some()),
        ("Docker", observed.docker.is_some()),
    ] {
        let why = observed.silent.get(name);
        if up || why.is_some() {
            add(name, up, why);
        }
    }
    if let Some(nginx) = observed
        .nginx
        .as_ref()
        .filter(|_| !desired.sites.is_empty())
    {
        let why = match nginx.installed {
            true => "it does not run".to_owned(),
            false => "it is not installed".to_owned(),
        };
        let up = nginx.master.is_some();
        add("nginx", up, Some(&why).filter(|_| !up));
    }
    if let Some(firewall) = observed
        .firewall
        .as_ref()
        .filter(|_| !desired.firewalls.is_empty())
    {
        let why = firewall.why_not();
        add("firewall", why.is_none(), why.as_ref());
    }
    daemons
}

/// Every unit of the desired state, templates apart.
pub(super) fn units(
    desired: &Desired,
    observed: &Observed,
    recorded: &Recorded,
    now: Timestamp,
) -> Vec<UnitStatus> {
    let Some(systemd) = &observed.systemd else {
        return Vec::new();
    };
    let named = desired
        .units
        .iter()
        .filter(|(name, _)| !name.contains("@."));
    named
        .map(|(name, unit)| {
            let unknown = UnitState::default();
            let state = systemd.units.get(name).unwrap_or(&unknown);
            let paused = recorded.pauses.get(name);
            let paused = paused.is_some_and(|pause| pause.holds(now));
            unit_status(name, unit, state, paused)
        })
        .collect()
}

fn unit_status(name: &str, unit: &Unit, state: &UnitState, paused: bool) -> UnitStatus {
    let (word, well) = word(unit, state, paused);
    let ended = !state.is_active() && !state.invocation.is_empty();
    let status = Some(state.exit_status).filter(|_| ended && name.ends_with(".service"));
    // systemctl stop ends most programs by SIGTERM: that is no news.
    let status = status.filter(|_| !(state.signalled && matches!(word, "stopped" | "paused")));
    let meaning =
        status.and_then(|status| exit::of_service(status, state.signalled, &state.result));
    let why = match state.result.as_str() {
        "" | "success" | "exit-code" | "signal" => None,
        result => Some(result.to_owned()),
    };
    UnitStatus {
        name: name.to_owned(),
        state: word.to_owned(),
        well,
        systemd: format!("{} ({})", state.active, state.sub),
        since: state.changed.or(state.started),
        restarts: state.restarts,
        exit_status: status,
        signalled: status.is_some() && state.signalled,
        meaning: meaning.or(why.filter(|_| ended)),
        publishes: published(unit),
    }
}

/// What Podman publishes for the unit of a Quadlet: its containers are not Docker's, and have no line of their own.
fn published(unit: &Unit) -> Vec<String> {
    let run = unit.by_podman.iter();
    let all = run.flat_map(|run| &run.published).map(|publish| {
        let port = match publish.protocol.as_str() {
            "tcp" => publish.port.to_string(),
            other => format!("{}/{other}", publish.port),
        };
        match publish.address {
            Some(IpAddr::V6(address)) => format!("[{address}]:{port}"),
            Some(address) => format!("{address}:{port}"),
            None => port,
        }
    });
    all.collect()
}

fn word(unit: &Unit, state: &UnitState, paused: bool) -> (&'static str, bool) {
    let is_oneshot = unit.service_type == UnitType::Oneshot && !unit.remain_after_exit;
    let done =
        unit.alone || is_oneshot && state.result == "success" && !state.invocation.is_empty();
    match (
        state.load.as_str(),
        state.active.as_str(),
        state.sub.as_str(),
    ) {
        (_, "active" | "reloading", _) if paused => ("runs although paused", false),
        (_, "active" | "reloading", "exited") => ("done", true),
        (_, "active" | "reloading", "running" | "listening" | "waiting" | "mounted") => {
            ("running", true)
        }
        (_, "active" | "reloading", _) => ("active", true),
        _ if paused => ("paused", true),
        ("not-found", ..) => ("not known to systemd", false),
        ("masked", ..) => ("masked", !unit.start),
        ("error" | "bad-setting", ..) => ("cannot be loaded", false),
        (_, "failed", _) => ("failed", false),
        (_, _, "auto-restart") => ("keeps failing", false),
        (_, "activating", _) => ("starting", false),
        (_, "deactivating", _) => ("stopping", false),
        _ if done => ("done", true),
        _ => ("stopped", !unit.start),
    }
}

/// Every container of the desired state, those of each unit together.
pub(super) fn containers(
    desired: &Desired,
    observed: &Observed,
    images: &BTreeMap<String, ImageRecord>,
) -> Vec<ContainerStatus> {
    let Some(docker) = &observed.docker else {
        return Vec::new();
    };
    let mut leads: BTreeMap<&str, &String> = BTreeMap::new();
    for (id, image) in images {
        leads.extend(image.names.iter().map(|name| (name.as_str(), id)));
    }
    let mut found: Vec<ContainerStatus> = Vec::new();
    for container in &docker.containers {
        let image = images.get(&container.image_id);
        let listed = listed_name(&container.image);
        let leads_to = listed.and_then(|name| leads.get(name.as_str()));
        let unit = unit_of(desired, container);
        let networks = networks_of(desired, observed, container);
        if unit.is_none() && networks.is_empty() {
            continue;
        }
        let ended = !container.is_running() && container.since.is_some();
        let code = Some(container.exit_code).filter(|_| ended);
        found.push(ContainerStatus {
            name: container.name.clone(),
            unit: unit.map(|(name, _)| name.clone()),
            networks,
            state: container.state.clone(),
            since: container.since,
            restarts: container.restarts,
            exit_code: code,
            meaning: code.and_then(|code| exit::of_container(code, container.oom_killed)),
            health: container.health,
            image: container.image.clone(),
            image_created: image.and_then(|image| image.created),
            image_id: container.image_id.clone(),
            image_digest: image.and_then(|image| digest_of(image, &container.image)),
            newer_image_id: leads_to
                .filter(|id| **id != &container.image_id)
                .map(|id| (*id).clone()),
        });
    }
    let order = |one: &ContainerStatus| (one.unit.is_none(), one.unit.clone(), one.name.clone());
    found.sort_by_key(order);
    found
}

fn unit_of<'d>(desired: &'d Desired, container: &Container) -> Option<(&'d String, &'d Unit)> {
    desired.units.iter().find(|(_, unit)| unit.owns(container))
}

/// The networks whose member it is.
fn networks_of(desired: &Desired, observed: &Observed, container: &Container) -> BTreeSet<String> {
    let Some(docker) = &observed.docker else {
        return BTreeSet::new();
    };
    let is_member = |name: &MemberName| {
        let members = find_members(docker, name);
        members.iter().any(|member| member.id == container.id)
    };
    let networks = desired.networks.iter();
    networks
        .filter(|(_, network)| network.members.iter().any(|member| is_member(&member.name)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Enabled sites, files that nginx includes, unit files and running containers that are not in the desired state.
pub(super) fn foreign(desired: &Desired, observed: &Observed, recorded: &Recorded) -> Vec<Foreign> {
    let inventory = &recorded.inventory;
    let mut found = BTreeSet::new();
    let mut add = |kind, name: String| {
        found.insert(Foreign { kind, name });
    };
    let enabled = Path::new(layout::NGINX).join("sites-enabled");
    let included = Path::new(layout::NGINX).join("conf.d");
    let is_desired_etc = |path: &Path| {
        let below = path.strip_prefix("/etc");
        below.is_ok_and(|below| desired.etc.contains_key(below))
    };
    for (path, entry) in &observed.files {
        let there = !matches!(entry, Entry::Missing | Entry::Directory);
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let (Some(name), Some(folder)) = (name.filter(|_| there), path.parent()) else {
            continue;
        };
        let is_ours = inventory.paths.contains_key(path);
        if folder == enabled && !is_ours && !desired.sites.contains_key(&name) {
            add("site", name);
        } else if folder == included && name.ends_with(".conf") && !is_ours && !is_desired_etc(path)
        {
            add("site", path.display().to_string());
        } else if folder == Path::new(layout::SYSTEMD)
            && matches!(entry, Entry::File { .. } | Entry::Unreadable)
            && !is_ours
            && !desired.units.contains_key(&name)
            && !layout::OWN_UNITS.contains(&&*name)
            && Name::parse(&name).is_ok()
        {
            add("unit", name);
        }
    }
    let running = observed.containers();
    for container in running.filter(|container| container.is_running()) {
        if unit_of(desired, container).is_none()
            && networks_of(desired, observed, container).is_empty()
        {
            add("container", container.name.clone());
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests;
