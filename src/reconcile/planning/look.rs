//! Looks at the host, and plans from what is seen.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{adoption, outside, select};
use crate::effect::{Change, Effect, Plan, Role};
use crate::host::error::DockerAbsence;
use crate::host::sockets::listeners;
use crate::host::{Host, HostError};
use crate::kinds;
use crate::model::{
    Desired, DriftKind, Entry, Inventory, Kind, Observed, RanImages, Recorded, RunRecord, Selector,
    Watch, layout,
};
use crate::plan::{self, Inputs};
use crate::reconcile::admission::writable;
use crate::reconcile::stages::packages;
use crate::reconcile::{Planned, ReconcileError, Request};
use crate::source::{Revision, installed};
use crate::state::State;

/// All records. An inventory that was lost is what the last applied revision had: nothing that
/// is managed is forgotten.
pub(in crate::reconcile) fn recorded(state: &State) -> Result<Recorded, ReconcileError> {
    let mut recorded = state.recorded()?;
    if recorded.inventory.is_empty()
        && let Some((_, applied)) = &recorded.applied
    {
        let plan = kinds::plan(Inputs {
            desired: applied,
            observed: &Observed::default(),
            recorded: &recorded,
            only: &[],
            left_alone: None,
            checkouts: &[],
            allow_empty: true,
            gates: plan::Gates::None,
            ran: None,
            now: Timestamp::now(),
        });
        recorded.inventory = Inventory {
            // One that has nothing was not lost: an empty desired state was applied.
            generation: recorded.inventory.generation,
            ..plan.inventory
        };
    }
    Ok(recorded)
}

/// What was applied last.
pub(in crate::reconcile) fn applied<'a>(
    state: &State,
    recorded: &'a Recorded,
) -> Result<&'a (RunRecord, Desired), ReconcileError> {
    match (&recorded.applied, recorded.lost) {
        (Some(applied), _) => Ok(applied),
        (None, None) => Err(ReconcileError::NothingApplied),
        (None, Some(number)) => {
            // Its folder may be there without its record.
            let kept = state.generations()?.into_iter();
            Err(ReconcileError::GenerationLost {
                number,
                folder: state.generations_folder(),
                kept: kept.filter(|kept| *kept != number).collect(),
            })
        }
    }
}

/// Plans what a generation wants, as it is on record: git is not asked. What is started then runs the images that `ran`
/// has, if there are any.
pub(in crate::reconcile) async fn plan_generation(
    host: &Host,
    request: &Request,
    recorded: Recorded,
    (record, desired): (RunRecord, Desired),
    ran: Option<RanImages>,
) -> Result<Planned, ReconcileError> {
    select::check(&request.only, &desired, None)?;
    let mut planned = Planned {
        origin: record.origin,
        generation: record.number,
        ran,
        only: select::expand(&request.only, &desired, None),
        desired,
        recorded,
        ..Planned::default()
    };
    // Whoever applied it first was asked whether it may be empty.
    let request = Request {
        allow_empty: true,
        ..request.clone()
    };
    look_and_plan(host, &request, &mut planned).await?;
    Ok(planned)
}

/// Plans a revision of the checkout.
pub(in crate::reconcile) async fn plan_revision(
    host: &Host,
    state: &State,
    request: &Request,
    recorded: Recorded,
    mut revision: Revision,
    checkouts: Vec<PathBuf>,
) -> Result<Planned, ReconcileError> {
    // A part is a part of what was applied.
    if !request.only.is_empty() && recorded.lost.is_some() {
        applied(state, &recorded)?;
    }
    outside::watch(host, &mut revision, &recorded);
    let applied = recorded.desired();
    select::check(&request.only, &revision.desired, applied)?;
    let only = select::expand(&request.only, &revision.desired, applied);
    let desired = revision
        .desired
        .clone()
        .selected(applied.cloned().unwrap_or_default(), &only);
    let mut planned = Planned {
        origin: revision.origin.clone(),
        desired,
        recorded,
        checkouts,
        only,
        warnings: std::mem::take(&mut revision.warnings),
        revision: Some(revision),
        ..Planned::default()
    };
    if let Some(number) = planned.recorded.lost {
        planned.warnings.push(format!(
            "generation {number}, which was applied last, is gone: only the inventory says what is managed"
        ));
    }
    look_and_plan(host, request, &mut planned).await?;
    Ok(planned)
}

/// Looks at the host and plans; where something restarts, asks systemd who is taken along and
/// plans once more with that.
pub(in crate::reconcile) async fn look_and_plan(
    host: &Host,
    request: &Request,
    planned: &mut Planned,
) -> Result<(), ReconcileError> {
    host.use_engine(planned.desired.engine.as_deref());
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
    let (path, etc) = (
        host.root().join(store),
        host.root().join(Path::new(layout::SYSTEMD)),
    );
    if let (Some(one), Some(other)) = (device(&path), device(&etc))
        && one != other
    {
        return Err(ReconcileError::StoreElsewhere { path, etc });
    }
    let mut watch = kinds::watch(&planned.desired, &planned.recorded, &planned.only);
    watch.lenient = request.lenient;
    watch.sealed = request.sealed;
    match observe(host, &watch, planned).await {
        Ok(observed) => planned.observed = observed,
        // A package may bring it.
        Err(error) if error.is_engine_mute() => {
            match packages::plan(host, request, planned).await? {
                true => return Ok(()),
                false => return Err(error.into()),
            }
        }
        Err(error) => return Err(error.into()),
    }
    outside::observe(host, planned);
    plan_again(planned, request);
    let nginx = planned.observed.nginx.as_ref();
    let uninstalled = nginx.is_some_and(|nginx| !nginx.installed);
    if !planned.desired.sites.is_empty()
        && uninstalled
        && !request.lenient
        && !planned.plan.brings_packages()
    {
        return Err(ReconcileError::NginxAbsent);
    }
    let adopted = unseen_units(&planned.plan, &watch);
    if !adopted.is_empty() {
        watch.units.extend(adopted);
        planned.observed = observe(host, &watch, planned).await?;
        outside::observe(host, planned);
        plan_again(planned, request);
    }
    let changes = planned.plan.changes.iter();
    let interrupted: BTreeSet<String> = changes
        .filter_map(|change| Some(change.effect.interrupts()?.unit.clone()))
        .collect();
    if !interrupted.is_empty() {
        host.observe_dependents(&mut planned.observed, &interrupted)
            .await?;
    }
    let starts = plan::preflight::starts_units(&planned.plan);
    if host.is_live() && (starts || !interrupted.is_empty()) {
        planned.observed.listeners = listeners();
        let images = kinds::images_of(&planned.plan, &planned.desired, planned.ran.as_ref());
        let binds = kinds::binds_of(&planned.plan, &planned.desired, &planned.observed);
        host.observe_binds(&mut planned.observed, binds);
        let of_quadlets = kinds::podman_images_of(&planned.plan, &planned.desired);
        host.observe_images(&mut planned.observed, images).await?;
        host.observe_podman_images(&mut planned.observed, of_quadlets)
            .await?;
        planned.observed.installed = installed(host.root().directory(), &interrupted);
        adoption::observe(host, planned).await?;
        if any_stopped(&planned.observed) {
            planned.observed.stopped = host.stopped_ports().await;
        }
        plan_again(planned, request);
    } else if host.is_live() && brings_upstreams(planned) {
        planned.observed.listeners = listeners();
        plan_again(planned, request);
    }
    if let Some(docker) = &planned.observed.docker
        && !kinds::unlabelled_networks(planned.plan.changes.iter(), &planned.desired, docker)
            .is_empty()
    {
        planned.observed.compose = host.compose().await;
        plan_again(planned, request);
    }
    writable::refuse(host, planned);
    Ok(())
}

/// Whether the engine has containers that do not run.
fn any_stopped(observed: &Observed) -> bool {
    observed.containers().any(|one| !one.is_running())
}

/// Whether sites come to pass requests to other ports of this host.
fn brings_upstreams(planned: &Planned) -> bool {
    let new = kinds::new_upstreams(&planned.desired, &planned.recorded);
    !planned.plan.changes.is_empty() && !new.is_empty()
}

/// The file system of a folder that is there, systemctl(1), "link".
fn device(folder: &Path) -> Option<u64> {
    std::fs::metadata(folder).ok().map(|found| found.dev())
}

/// Units that leave and that nobody asked systemd about: only the look at the files has shown
/// that the old setup script linked them.
fn unseen_units(plan: &Plan, watch: &Watch) -> BTreeSet<String> {
    let changes = plan.changes.iter();
    let removed = changes.filter_map(|change| match &change.effect {
        Effect::Remove { path, .. } if path.parent() == Some(Path::new(layout::SYSTEMD)) => {
            path.file_name()?.to_str().map(str::to_owned)
        }
        _ => None,
    });
    removed
        .filter(|name| !watch.units.contains(name) && !name.contains("@."))
        .collect()
}

/// Plans from what is known by now.
pub(in crate::reconcile) fn plan_again(planned: &mut Planned, request: &Request) {
    planned.plan = plan_from(planned, request, &planned.observed, &planned.recorded);
}

/// Plans from another look at the host, and other records.
pub(in crate::reconcile) fn plan_from(
    planned: &Planned,
    request: &Request,
    observed: &Observed,
    recorded: &Recorded,
) -> Plan {
    kinds::plan(Inputs {
        desired: &planned.desired,
        observed,
        recorded,
        only: &planned.only,
        left_alone: Some(&planned.left_alone),
        checkouts: &planned.checkouts,
        allow_empty: request.allow_empty,
        gates: request.gates,
        ran: planned.ran.as_ref(),
        now: Timestamp::now(),
    })
}

/// Looks at the host. Without root, what may not be asked is left out and said.
async fn observe(host: &Host, watch: &Watch, planned: &mut Planned) -> Result<Observed, HostError> {
    let observed = host.observe(watch).await;
    if let Ok(observed) = &observed {
        let left_out = observed.silent.iter().map(|(daemon, why)| match *daemon {
            "systemd" => format!("units not checked: {why}"),
            _ => format!("networks and members not checked: {why}"),
        });
        for text in left_out
            .filter(|text| !planned.warnings.contains(text))
            .collect::<Vec<_>>()
        {
            planned.incomplete = true;
            planned.warnings.push(text);
        }
    }
    match observed {
        Err(HostError::DockerAbsent { why, .. })
            if why == DockerAbsence::Forbidden
                && !nix::unistd::Uid::effective().is_root()
                && !asks_docker_alone(&planned.only) =>
        {
            let text = "networks and members not checked: needs root";
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

/// Whether a change can only be seen once another one is done: containers that a unit has made,
/// and networks that the last container has left.
pub(in crate::reconcile) fn is_follow_up(change: &Change) -> bool {
    matches!(
        change.effect,
        Effect::Connect(_) | Effect::RemoveNetwork { .. }
    )
}

/// Whether a unit was failing before a run that does nothing about it. One that systemd keeps restarting may
/// have been up at that moment.
pub(in crate::reconcile) fn was_failing(planned: &Planned, unit: &str) -> bool {
    let now = Timestamp::now();
    let state = planned.observed.unit_state(unit);
    state.is_some_and(|state| !state.is_active() || state.restarted_lately(now))
        && !touches(planned, unit)
}

/// Whether a plan starts, restarts or reloads a unit.
pub(in crate::reconcile) fn touches(planned: &Planned, unit: &str) -> bool {
    let does = |change: &Change| change.effect.starts().is_some_and(|step| step.unit == unit);
    planned.plan.changes.iter().any(does)
}

/// Whether a change is one that `drift` reports, and as what.
pub(in crate::reconcile) fn drift_of(change: &Change) -> Option<DriftKind> {
    match change.effect.role() {
        // Unless they are all there is.
        Role::Follows if change.drift == DriftKind::Drifted => None,
        Role::Serves => None,
        Role::Follows | Role::Own => Some(change.drift),
    }
}
