//! What was applied, when and by which run, and how each part of it is.

pub(super) mod certificates;
pub(super) mod migration;
mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::backup::{self, BackupStatus};
use super::drift::Seen;
use super::drift::unfinished as what_follows;
use super::planning::look;
use super::secrets::{SecretStatus, secrets};
use super::{Drift, ReconcileError, Request, Skip, error};
use crate::host::Host;
use crate::kinds::{find_members, not_running};
use crate::model::{
    Attempts, Container, Desired, DockerState, DriftKind, Hash, Health, Kind, Member, Network,
    NetworkState, Observed, Outcome, Pause, RunRecord, Waiting,
};
use crate::state::{InProgress, State, StateError};
pub(crate) use certificates::CertificateStatus;
pub(crate) use migration::{Legacy, Migration, MovedTo, Moving, Reply, migration};
pub(crate) use parts::{ContainerStatus, DaemonStatus, Foreign, UnitStatus};

/// A host at a glance.
#[derive(Debug, Default)]
pub(crate) struct Status {
    /// What was applied last; `None`: nothing yet.
    pub applied: Option<RunRecord>,
    /// How the host deviates.
    pub drift: Drift,
    /// The last run, whatever became of it.
    pub last: Option<RunRecord>,
    /// The last run, if it failed.
    pub failed: Option<RunRecord>,
    /// What unattended runs have to heed.
    pub attempts: Attempts,
    /// Why they leave the checkout's revision alone, if they do.
    pub skip: Option<Skip>,
    /// Units that are kept stopped.
    pub pauses: BTreeMap<String, Pause>,
    /// Whether a run was interrupted and is not undone yet.
    pub interrupted: bool,
    /// What becomes of that.
    pub unfinished: Option<String>,
    /// What is rolled back unless somebody confirms it.
    pub waiting: Option<Waiting>,
    /// Daemons, and whether they answer.
    pub daemons: Vec<DaemonStatus>,
    /// Each unit.
    pub units: Vec<UnitStatus>,
    /// Each container of a unit or on a network.
    pub containers: Vec<ContainerStatus>,
    /// Certificates of enabled sites.
    pub certificates: Vec<CertificateStatus>,
    /// Secrets of what was applied.
    pub secrets: Vec<SecretStatus>,
    /// Backups of what was applied.
    pub backups: Vec<BackupStatus>,
    /// What looks like a service and is not in the desired state.
    pub foreign: Vec<Foreign>,
    /// Each network.
    pub networks: Vec<NetworkStatus>,
    /// Records that only tell less than they should.
    pub warnings: Vec<String>,
    /// Why the host could not be compared with what was applied.
    pub problem: Option<ReconcileError>,
}

/// A network and who is on it.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NetworkStatus {
    /// Its name.
    pub name: String,
    /// Whether it exists.
    pub exists: bool,
    /// Its first address range, as desired.
    pub subnet: Option<String>,
    /// How many members are connected.
    pub connected: usize,
    /// The members.
    pub members: Vec<MemberStatus>,
    /// Containers on it that are no members.
    pub foreign: Vec<String>,
}

/// A member of a network.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct MemberStatus {
    /// The container, or how it is looked for when there is none.
    pub name: String,
    /// Whether the network lists it.
    pub connected: bool,
    /// Its address.
    pub address: Option<IpAddr>,
    /// The address that the desired state expects.
    pub expected_address: Option<IpAddr>,
    /// Whether that address is enforced.
    pub pinned: bool,
    /// Whether it runs.
    pub running: bool,
    /// Why not.
    pub why_not: Option<String>,
    /// What its health check says.
    pub health: Health,
    /// Names that it answers to on the network.
    pub aliases: BTreeSet<String>,
}

/// Looks at everything and reports it. Writes nothing. What cannot be found out is the status's problem,
/// and the rest is reported all the same.
pub(crate) async fn status(host: &Host, request: &Request) -> Status {
    let state = State::new(host.root().clone());
    let mut status = Status::default();
    last_runs(&state, &mut status);
    if let Err(problem) = compare(host, &state, request, &mut status).await {
        status.problem = Some(problem);
    }
    let head = status.drift.head.as_ref();
    status.skip = skip(&status.attempts, head);
    status
}

/// Records that nothing else depends on.
fn last_runs(state: &State, status: &mut Status) {
    match state.history() {
        Ok(mut runs) => {
            status.last = runs.pop();
            let last = status.last.clone();
            status.failed = last.filter(|run| run.outcome != Outcome::Applied);
        }
        // That is the status's problem, and reported as such.
        Err(StateError::Forbidden { .. }) => return,
        Err(cause) => status.warnings.push(error::with_hint(&cause, cause.hint())),
    }
    match state.waiting() {
        Ok(waiting) => status.waiting = waiting,
        Err(cause) => status.warnings.push(error::with_hint(&cause, cause.hint())),
    }
    match state.attempts() {
        Ok(attempts) => status.attempts = attempts,
        Err(cause) => status.warnings.push(error::with_hint(&cause, cause.hint())),
    }
}

async fn compare(
    host: &Host,
    state: &State,
    request: &Request,
    status: &mut Status,
) -> Result<(), ReconcileError> {
    let recorded = match look::recorded(state) {
        Ok(recorded) => recorded,
        Err(damaged) => {
            status.applied = latest(state);
            return Err(damaged);
        }
    };
    // A journal that is damaged is reported by `drift`.
    let unfinished = state.journal().is_ok_and(|journal| !journal.is_empty());
    status.interrupted = unfinished && state.in_progress() == InProgress::No;
    status.unfinished = status.interrupted.then(|| what_follows(state));
    status.pauses = recorded.pauses.clone();
    if let Some((_, applied)) = &recorded.applied
        && !applied.backups.is_empty()
    {
        status.backups = backup::status(state, &applied.backups, &recorded.backups)?;
    }
    status.applied = recorded.applied.map(|(record, _)| record);
    let request = Request {
        lenient: true,
        ..request.clone()
    };
    status.drift = super::drift::compare(host, &request).await?;
    if let Some(seen) = status.drift.seen.take() {
        fill(host, status, &seen).await;
        status.drift.seen = Some(seen);
    }
    let degraded = status
        .drift
        .items
        .iter()
        .filter(|item| item.kind == DriftKind::Degraded && item.resource.kind == Kind::Unit);
    let degraded: BTreeSet<&str> = degraded.map(|item| item.resource.name.as_str()).collect();
    for unit in &mut status.units {
        unit.well &= !degraded.contains(unit.name.as_str());
    }
    Ok(())
}

/// The parts of the host, from the look that drift was found by.
async fn fill(host: &Host, status: &mut Status, seen: &Seen) {
    let Seen {
        desired,
        observed,
        recorded,
    } = seen;
    status.networks = network_table(desired, observed);
    if !host.is_live() {
        return;
    }
    let now = Timestamp::now();
    let images = match (&observed.docker, host.docker().await) {
        // That an image's age is not known hides nothing else.
        (Some(_), Ok(docker)) => docker.images().await.unwrap_or_default(),
        _ => BTreeMap::new(),
    };
    status.daemons = parts::daemons(desired, observed);
    status.units = parts::units(desired, observed, recorded, now);
    status.containers = parts::containers(desired, observed, &images);
    status.certificates = certificates::certificates(desired, observed, now);
    status.secrets = secrets(desired, observed);
    status.foreign = parts::foreign(desired, observed, recorded);
}

/// What made the youngest generation whose record can be read.
fn latest(state: &State) -> Option<RunRecord> {
    let kept = state.generations().ok()?;
    let record = |number: &u64| state.generation_record(*number).ok().flatten();
    kept.iter().rev().find_map(record)
}

/// What holds unattended runs back; where the checkout cannot be read, what would if it has
/// not changed.
fn skip(attempts: &Attempts, head: Option<&Hash>) -> Option<Skip> {
    let held = attempts.hold.iter().flat_map(|hold| &hold.inputs);
    let failed = attempts.quarantine.iter().map(|failed| &failed.inputs);
    let inputs = head.or_else(|| held.chain(failed).next());
    Skip::of(attempts, inputs, false, Timestamp::now())
}

fn network_table(desired: &Desired, observed: &Observed) -> Vec<NetworkStatus> {
    let Some(docker) = &observed.docker else {
        return Vec::new();
    };
    desired
        .networks
        .iter()
        .map(|(name, spec)| {
            let present = docker.networks.get(name).and_then(|found| found.first());
            network_status(name, spec, present, docker)
        })
        .collect()
}

fn network_status(
    name: &str,
    spec: &Network,
    present: Option<&NetworkState>,
    docker: &DockerState,
) -> NetworkStatus {
    let mut known = BTreeSet::new();
    let mut members = Vec::new();
    for member in &spec.members {
        let containers = find_members(docker, &member.name);
        if containers.is_empty() {
            members.push(absent(member));
        }
        for container in containers {
            known.insert(container.id.clone());
            members.push(member_status(name, member, container, present));
        }
    }
    let foreign = docker
        .containers
        .iter()
        .filter(|container| {
            present.is_some_and(|network| network.endpoints.contains_key(&container.id))
        })
        .filter(|container| !known.contains(&container.id))
        .map(|container| container.name.clone())
        .collect();
    NetworkStatus {
        name: name.to_owned(),
        exists: present.is_some(),
        subnet: spec.subnets.first().map(|subnet| subnet.subnet.to_string()),
        connected: members.iter().filter(|member| member.connected).count(),
        members,
        foreign,
    }
}

fn absent(member: &Member) -> MemberStatus {
    MemberStatus {
        name: member.name.to_string(),
        connected: false,
        address: None,
        expected_address: member.address,
        pinned: member.pin,
        running: false,
        why_not: Some("no such container".to_owned()),
        health: Health::None,
        aliases: BTreeSet::new(),
    }
}

fn member_status(
    network: &str,
    member: &Member,
    container: &Container,
    present: Option<&NetworkState>,
) -> MemberStatus {
    let endpoint = present.and_then(|network| network.endpoints.get(&container.id));
    let attachment = container.attachments.get(network);
    MemberStatus {
        name: container.name.clone(),
        connected: endpoint.is_some(),
        address: endpoint.and_then(|known| match member.address {
            Some(expected) => known.like(expected),
            None => known.iter().next(),
        }),
        expected_address: member.address,
        pinned: member.pin,
        running: container.is_running(),
        why_not: not_running(container),
        health: container.health,
        aliases: attachment
            .map(|known| known.aliases.clone())
            .unwrap_or_default(),
    }
}

impl Status {
    /// Whether nothing needs a look.
    pub(crate) fn is_well(&self) -> bool {
        self.drift.is_none()
            && !self.drift.incomplete
            && !self.interrupted
            && self.problem.is_none()
    }

    /// Resources that are out of sync, each once.
    pub(crate) fn out_of_sync(&self) -> BTreeSet<String> {
        let items = self.drift.items.iter();
        items
            .filter(|item| item.resource.kind != Kind::Volume)
            .map(|item| item.resource.to_string())
            .collect()
    }
}
