//! Whether a host that was rolled back is as it was: "rolled back" is said only after looking.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Planned;
use crate::host::Host;
use crate::model::{Container, DockerState, Entry, NginxState, Observed, SystemdState};
use crate::plan;

/// How long what was rolled back has to come up.
const COMES_BACK: Duration = Duration::from_secs(60);
/// How often it is looked at meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How the host differs from what it was before the run. Containers take a moment to come back.
pub(super) async fn differences(host: &Host, planned: &Planned) -> Vec<String> {
    let until = Instant::now() + COMES_BACK;
    loop {
        let found = differences_now(host, planned).await;
        if found.is_empty() || Instant::now() > until {
            return found;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn differences_now(host: &Host, planned: &Planned) -> Vec<String> {
    let watch = plan::watch(&planned.desired, &planned.recorded, &[]);
    let after = match host.observe(&watch).await {
        Ok(after) => after,
        Err(error) => {
            let why = super::error::chain(&error);
            return vec![format!("the host could not be looked at: {why}")];
        }
    };
    let before = &planned.observed;
    let mut found = files(planned, &after);
    if let (Some(before), Some(after)) = (&before.systemd, &after.systemd) {
        found.extend(units(before, after));
    }
    if let (Some(before), Some(after)) = (&before.nginx, &after.nginx) {
        found.extend(nginx(before, after));
    }
    if let (Some(before), Some(after)) = (&before.docker, &after.docker) {
        found.extend(containers(before, after));
        found.extend(additional(before, after, &watch.projects));
        found.extend(memberships(before, after));
    }
    found
}

fn files(planned: &Planned, after: &Observed) -> Vec<String> {
    // The checkout is not ours to put back, and systemd puts mount points there.
    let applied = planned.recorded.applied.as_ref();
    let in_checkout = |path: &PathBuf| {
        planned.desired.files.contains_key(path)
            || applied.is_some_and(|(_, applied)| applied.files.contains_key(path))
    };
    let files = planned.observed.files.iter();
    files
        .filter(|(path, entry)| !in_checkout(path) && !is_same(entry, after.entry(path)))
        .map(|(path, _)| format!("{} is not as before", path.display()))
        .collect()
}

/// Whether two entries are the same to a reader; when they were written does not count.
fn is_same(before: &Entry, after: &Entry) -> bool {
    let without_time = |entry: &Entry| match entry {
        Entry::File {
            content,
            mode,
            owner,
            ..
        } => Some((content.clone(), *mode, *owner)),
        _ => None,
    };
    match (without_time(before), without_time(after)) {
        (Some(before), Some(after)) => before == after,
        _ => before == after,
    }
}

fn units(before: &SystemdState, after: &SystemdState) -> Vec<String> {
    let mut found = Vec::new();
    for (name, state) in &before.units {
        let now = after.units.get(name);
        let runs = now.is_some_and(|now| now.is_active());
        // What was starting may be up by now, or not.
        if state.is_active() != runs && state.active != "activating" {
            let (was, is) = (word(state.is_active()), word(runs));
            found.push(format!("{name} was {was} and is {is}"));
        }
        if now.is_some_and(|now| now.need_reload) && !state.need_reload {
            found.push(format!("systemd has not read {name} as it was"));
        }
    }
    found
}

fn nginx(before: &NginxState, after: &NginxState) -> Option<String> {
    let (ran, runs) = (before.master.is_some(), after.master.is_some());
    (ran != runs).then(|| format!("nginx was {} and is {}", word(ran), word(runs)))
}

fn word(active: bool) -> &'static str {
    if active { "running" } else { "not running" }
}

fn containers(before: &DockerState, after: &DockerState) -> Vec<String> {
    let mut found = Vec::new();
    for container in before.containers.iter().filter(|known| known.is_running()) {
        let name = &container.name;
        let now = after.containers.iter().find(|now| now.name == *name);
        match now.filter(|now| now.is_running()) {
            Some(now) if now.image_id == container.image_id => {}
            Some(now) => found.push(format!(
                "container {name} runs image {} instead of {}",
                now.image_id, container.image_id
            )),
            None => found.push(format!("container {name} does not run")),
        }
    }
    found
}

/// Containers that run now, of compose projects of units, and were not there.
fn additional(
    before: &DockerState,
    after: &DockerState,
    projects: &BTreeSet<String>,
) -> Vec<String> {
    let is_new = |container: &&Container| {
        let project = container.compose.as_ref().map(|(project, _)| project);
        project.is_some_and(|project| projects.contains(project))
            && container.is_running()
            && !container.oneoff
            && !before
                .containers
                .iter()
                .any(|known| known.name == container.name)
    };
    let new = after.containers.iter().filter(is_new);
    new.map(|container| format!("container {} runs, and was not there", container.name))
        .collect()
}

/// Containers that ran and were on a network, and are not on it now.
fn memberships(before: &DockerState, after: &DockerState) -> Vec<String> {
    let after = members(after);
    members(before)
        .into_iter()
        .filter(|member| !after.contains(member))
        .map(|(network, container)| format!("container {container} is not on {network}"))
        .collect()
}

fn members(docker: &DockerState) -> BTreeSet<(&str, &str)> {
    let mut members = BTreeSet::new();
    for (name, networks) in &docker.networks {
        for container in docker.containers.iter().filter(|known| known.is_running()) {
            let listed = networks
                .iter()
                .any(|network| network.endpoints.contains_key(&container.id));
            if listed {
                members.insert((name.as_str(), container.name.as_str()));
            }
        }
    }
    members
}
