//! Looks at the host, and plans from what is seen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Planned, ReconcileError, Request, select};
use crate::host::error::DockerAbsence;
use crate::host::{Host, HostError};
use crate::model::{
    Action, Change, DriftKind, Entry, Kind, Observed, Plan, Recorded, Selector, SystemdState,
    Watch, layout,
};
use crate::plan::{self, Inputs};
use crate::source::Revision;

/// How long what was rolled back has to come up.
const COMES_BACK: Duration = Duration::from_secs(60);
/// How often it is looked at meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Plans a revision of the checkout.
pub(super) async fn plan_revision(
    host: &Host,
    request: &Request,
    recorded: Recorded,
    revision: Revision,
    checkouts: Vec<PathBuf>,
) -> Result<Planned, ReconcileError> {
    let applied = recorded.applied.as_ref().map(|(_, desired)| desired);
    select::check(&request.only, &revision.desired, applied)?;
    let only = select::expand(&request.only, &revision.desired, applied);
    let desired = select::merge(revision.desired, applied, &only);
    let mut planned = Planned {
        plan: Plan::default(),
        origin: revision.origin,
        desired,
        observed: Observed::default(),
        recorded,
        checkouts,
        only,
        left_alone: BTreeSet::new(),
        incomplete: false,
        warnings: revision.warnings,
    };
    look_and_plan(host, request, &mut planned).await?;
    Ok(planned)
}

/// Looks at the host and plans; where something restarts, asks systemd who is taken along and
/// plans once more with that.
pub(super) async fn look_and_plan(
    host: &Host,
    request: &Request,
    planned: &mut Planned,
) -> Result<(), ReconcileError> {
    let store = Path::new(layout::LIVE)
        .parent()
        .unwrap_or(Path::new(layout::LIVE));
    if matches!(
        host.root().entry(store).map_err(HostError::from)?,
        Entry::Link { .. }
    ) {
        return Err(ReconcileError::StoreIsLink {
            path: host.root().join(store),
        });
    }
    let mut watch = plan::watch(&planned.desired, &planned.recorded, &planned.only);
    planned.observed = observe(host, &watch, planned).await?;
    let nginx = planned.observed.nginx.as_ref();
    if !planned.desired.sites.is_empty() && nginx.is_some_and(|nginx| !nginx.installed) {
        return Err(ReconcileError::NginxAbsent);
    }
    planned.plan = plan_again(planned, request, &planned.observed, &planned.recorded);
    let adopted = unseen_units(&planned.plan, &watch);
    if !adopted.is_empty() {
        watch.units.extend(adopted);
        planned.observed = observe(host, &watch, planned).await?;
        planned.plan = plan_again(planned, request, &planned.observed, &planned.recorded);
    }
    let interrupted: BTreeSet<String> = planned
        .plan
        .changes
        .iter()
        .filter_map(|change| match &change.action {
            Action::Restart(step) | Action::Stop(step) => Some(step.unit.clone()),
            _ => None,
        })
        .collect();
    if !interrupted.is_empty() {
        host.observe_blast(&mut planned.observed, &interrupted)
            .await?;
        planned.plan = plan_again(planned, request, &planned.observed, &planned.recorded);
    }
    Ok(())
}

/// Units that leave and that nobody asked systemd about: only the look at the files has shown
/// that the old setup script linked them.
fn unseen_units(plan: &Plan, watch: &Watch) -> BTreeSet<String> {
    let removed = plan
        .changes
        .iter()
        .filter_map(|change| match &change.action {
            Action::Remove { path, .. } if path.parent() == Some(Path::new(layout::SYSTEMD)) => {
                path.file_name()?.to_str().map(str::to_owned)
            }
            _ => None,
        });
    removed
        .filter(|name| !watch.units.contains(name) && !name.contains("@."))
        .collect()
}

/// Plans from another look at the host, or other records.
pub(super) fn plan_again(
    planned: &Planned,
    request: &Request,
    observed: &Observed,
    recorded: &Recorded,
) -> Plan {
    let mut plan = plan::plan(Inputs {
        desired: &planned.desired,
        observed,
        recorded,
        only: &planned.only,
        checkouts: &planned.checkouts,
        allow_empty: request.allow_empty,
        now: Timestamp::now(),
    });
    plan.refusals
        .retain(|refusal| !planned.left_alone.contains(&refusal.id));
    plan.changes
        .retain(|change| !planned.left_alone.contains(&change.id));
    plan
}

/// Looks at the host. Without root, what may not be asked is left out and said.
async fn observe(host: &Host, watch: &Watch, planned: &mut Planned) -> Result<Observed, HostError> {
    match host.observe(watch).await {
        Err(HostError::DockerAbsent { why, .. })
            if why == DockerAbsence::Forbidden
                && !nix::unistd::Uid::effective().is_root()
                && !asks_docker_alone(&planned.only) =>
        {
            let text = "networks and members were not compared: that needs root";
            planned.warnings.push(text.to_owned());
            planned.incomplete = true;
            let without = Watch {
                docker: false,
                ..watch.clone()
            };
            host.observe(&without).await
        }
        other => other,
    }
}

/// Whether nothing is left to compare without the engine.
fn asks_docker_alone(only: &[Selector]) -> bool {
    let of_docker = |selector: &Selector| {
        matches!(selector.kind(), Kind::Network | Kind::Member | Kind::Volume)
    };
    !only.is_empty() && only.iter().all(of_docker)
}

/// Whether a change can only be seen once another one is done: containers that a unit has made.
pub(super) fn is_follow_up(change: &Change) -> bool {
    matches!(change.action, Action::Connect(_))
}

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
            return vec![format!(
                "the host could not be looked at: {}",
                super::error::chain(&error)
            )];
        }
    };
    let before = &planned.observed;
    let mut found = Vec::new();
    // The checkout is not ours to put back, and systemd puts mount points there.
    let applied = planned
        .recorded
        .applied
        .as_ref()
        .map(|(_, applied)| applied);
    let in_checkout = |path: &PathBuf| {
        planned.desired.files.contains_key(path)
            || applied.is_some_and(|applied| applied.files.contains_key(path))
    };
    for (path, entry) in &before.files {
        if !in_checkout(path) && !is_same(entry, after.entry(path)) {
            found.push(format!("{} is not as before", path.display()));
        }
    }
    if let (Some(before), Some(after)) = (&before.systemd, &after.systemd) {
        for (name, state) in &before.units {
            let now = after.units.get(name).is_some_and(|state| state.is_active());
            // What was starting may be up by now, or not.
            if state.is_active() != now && state.active != "activating" {
                let (was, is) = (word(state.is_active()), word(now));
                found.push(format!("{name} was {was} and is {is}"));
            }
            let unread =
                |units: &SystemdState| units.units.get(name).is_some_and(|state| state.need_reload);
            if unread(after) && !unread(before) {
                found.push(format!("systemd has not read {name} as it was"));
            }
        }
    }
    if let (Some(before), Some(after)) = (&before.nginx, &after.nginx)
        && before.master.is_some() != after.master.is_some()
    {
        found.push(format!("nginx was {}", word(before.master.is_some())));
    }
    if let (Some(before), Some(after)) = (&before.docker, &after.docker) {
        for container in before
            .containers
            .iter()
            .filter(|container| container.is_running())
        {
            let now = after
                .containers
                .iter()
                .find(|other| other.name == container.name);
            match now {
                Some(now) if now.is_running() && now.image_id == container.image_id => {}
                Some(now) if now.is_running() => found.push(format!(
                    "container {} runs image {} instead of {}",
                    container.name, now.image_id, container.image_id
                )),
                _ => found.push(format!("container {} does not run", container.name)),
            }
        }
    }
    found
}

/// Whether two entries are the same to a reader; when they were written does not count.
fn is_same(before: &Entry, after: &Entry) -> bool {
    match (before, after) {
        (
            Entry::File {
                content: a,
                mode: m,
                owner: o,
                ..
            },
            Entry::File {
                content: b,
                mode: n,
                owner: p,
                ..
            },
        ) => a == b && m == n && o == p,
        _ => before == after,
    }
}

fn word(active: bool) -> &'static str {
    if active { "running" } else { "not running" }
}

/// Whether a change is one that `drift` reports, and as what.
pub(super) fn drift_of(change: &Change) -> Option<DriftKind> {
    match change.action {
        // They follow from others, unless they are all there is.
        Action::DaemonReload | Action::ReloadNginx | Action::RestartNginx
            if change.drift == DriftKind::Drifted =>
        {
            None
        }
        _ => Some(change.drift),
    }
}
