//! One pass: read what is wanted, look at what is there, plan, apply, and prove it.

mod admission;
mod backup;
mod confirm;
mod doctor;
mod drift;
mod error;
mod named;
mod notify;
mod pause;
mod planning;
mod prune;
mod records;
mod request;
mod rollback;
mod secrets;
mod stages;
mod status;
mod unattended;
mod uninstall;
mod verify;

use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::apply::{Progress, Run};
use crate::host::Host;
use crate::host::candidate::Names;
use crate::model::{Observed, Outcome, RunKind, RunRecord};
use crate::source::Which;
use crate::state::{State, Undo};

pub(crate) use admission::consent::Loss;
pub(crate) use backup::{BackupStatus, Restoring, back_up, backups_of, rehearse, restore};
pub(crate) use confirm::{Confirm, Expiry, confirm, expire, kept, waiting, will_wait_for};
pub(crate) use doctor::{
    Cause, Diagnosis, LogKind, LogLine, LogSource, LogWish, Logs, Question, Told, doctor, logs,
};
pub(crate) use drift::{Drift, Seen, drift, fix};
pub(crate) use error::ReconcileError;
pub(crate) use notify::{Ended, tell_of_drift, tell_of_run, test_notifiers};
pub(crate) use pause::{pause, resume};
pub(crate) use planning::between::plan_between;
pub(crate) use planning::checkout::{at_commit, work_tree};
pub(crate) use planning::images::ask_registries;
pub(crate) use planning::versions::ask_versions;
pub(crate) use prune::{Going, Surplus, prune};
pub(crate) use records::history::{Entry, History, Lines, Part, Span, history};
pub(crate) use records::show::{OtherImage, Shown, show};
pub(crate) use request::{Applied, Planned, Request};
pub(crate) use rollback::generation::{plan_back, rollback};
pub(crate) use rollback::undo::recover;
pub(crate) use secrets::{SecretStatus, load_secrets};
pub(crate) use status::{
    CertificateStatus, ContainerStatus, DaemonStatus, Foreign, Legacy, MemberStatus, Migration,
    MovedTo, Moving, NetworkStatus, Reply, Status, UnitStatus, migration, status,
};
pub(crate) use unattended::Skip;
pub(crate) use uninstall::{Independence, Instead, Left, leave_running, remove_all};

pub(crate) use crate::host::ssh::is_over_ssh;

use admission::validate;
use planning::checkout::read;
use planning::look;
use records::{commit, history};
use rollback::undo::{is_finished, undo, undo_killed};
use stages::docker_first;
use stages::packages::{self, Installed};
use unattended::Attempt;
use verify::converge::converge;
use verify::serving::Serving;
use verify::{gates, left_behind, ran};

/// What an apply would do. Writes nothing and takes no lock.
///
/// # Errors
/// When the input is bad, or the host cannot be looked at.
pub(crate) async fn plan(host: &Host, request: &Request) -> Result<Planned, ReconcileError> {
    let request = &request.sealed();
    let state = State::new(host.root().clone());
    let unfinished = match state.journal()?.is_empty() {
        true => None,
        false => Some(drift::unfinished(&state)),
    };
    let recorded = look::recorded(&state)?;
    let (mut revision, checkouts) = read(host, request, &request.which, &recorded)?;
    if !revision.origin.dirty.is_empty() && request.which == Which::Head {
        let dirty = std::mem::take(&mut revision.origin.dirty);
        (revision, _) = read(host, request, &Which::Worktree, &recorded)?;
        revision.origin.dirty = dirty;
    }
    let wanted = (revision.origin.clone(), revision.desired.clone());
    let known = recorded.clone();
    let planned = look::plan_revision(host, &state, request, recorded, revision, checkouts).await;
    let mut planned = match planned {
        Err(error) if docker_first::is_away(&error) => {
            docker_first::plan_instead(host, request, known, wanted, error).await?
        }
        planned => planned?,
    };
    planned.warnings.splice(0..0, unfinished);
    planned.warnings.splice(0..0, confirm::reminder(&state));
    validate::report(host, &mut planned, Names::Leave).await?;
    Ok(planned)
}

/// Makes the host as the revision wants it, as one transaction.
///
/// # Errors
/// [`ReconcileError::exit_status`] tells what an error means for the host.
pub(crate) async fn apply(
    host: &Host,
    request: &Request,
    progress: &mut dyn Progress,
    present: &mut dyn FnMut(&Planned) -> bool,
) -> Result<Applied, ReconcileError> {
    let state = State::new(host.root().clone());
    let mut attempt = Attempt::new(request);
    let result = attempt_to_apply(host, &state, &mut attempt, progress, present).await;
    attempt.remember(host, &state, &result, progress).await;
    result
}

async fn attempt_to_apply(
    host: &Host,
    state: &State,
    attempt: &mut Attempt<'_>,
    progress: &mut dyn Progress,
    present: &mut dyn FnMut(&Planned) -> bool,
) -> Result<Applied, ReconcileError> {
    let request = attempt.request;
    let mut agreed = None;
    // Without the lock and without a write, as long as there may be nothing to do, or nobody has agreed to it.
    if is_finished(state)? {
        match prepare(host, state, attempt).await {
            Ok(ControlFlow::Break(ended)) => {
                return gates::hold(host, request, ended, progress).await;
            }
            Ok(ControlFlow::Continue(mut planned)) if request.asks => {
                let loss = Loss::of(&planned);
                if !loss.is_none() {
                    validate::demand(host, &mut planned).await?;
                    agree(present, &planned)?;
                    agreed = Some(loss);
                }
            }
            Ok(ControlFlow::Continue(_)) => {}
            // Files of the engine's own may bring it back.
            Err(error) if docker_first::is_away(&error) => {
                if !docker_first::may_help(host, state, request).await? {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
    let _lock = request.lock(state)?;
    let mut leftover = undo_killed(host, state, request, progress).await?;
    confirm::admit(host, state).await?;
    let mut prepared = prepare(host, state, attempt).await;
    if prepared.as_ref().is_err_and(docker_first::is_away) {
        let wanted = docker_first::of_checkout(host, state, request)?;
        if docker_first::fix(
            host,
            state,
            request,
            wanted,
            &mut leftover,
            progress,
            present,
        )
        .await?
        {
            prepared = prepare(host, state, attempt).await;
        }
    }
    let mut planned = match prepared? {
        ControlFlow::Break(ended) => {
            if matches!(ended, Applied::InSync { .. }) {
                leftover.supersede(state, progress)?;
            }
            return gates::hold(host, request, ended, progress).await;
        }
        ControlFlow::Continue(planned) => planned,
    };
    validate::demand(host, &mut planned).await?;
    if agreed != Some(Loss::of(&planned)) {
        agree(present, &planned)?;
    }
    leftover.supersede(state, progress)?;
    let time = confirm::begin(host, state, request, &planned).await?;
    let record = transact(host, state, request, RunKind::Apply, &mut planned, progress).await;
    let record = confirm::end(host, state, time, record).await?;
    Ok(Applied::Done(Box::new(record)))
}

/// Shows a plan to whoever asked for it, and goes on unless that is a person who says no.
fn agree(
    present: &mut dyn FnMut(&Planned) -> bool,
    planned: &Planned,
) -> Result<(), ReconcileError> {
    match present(planned) {
        true => Ok(()),
        false => Err(ReconcileError::Declined),
    }
}

/// Plans what may be applied. The run ends there when nothing is to be done, or when it is
/// unattended and has to leave the host alone.
async fn prepare(
    host: &Host,
    state: &State,
    attempt: &mut Attempt<'_>,
) -> Result<ControlFlow<Applied, Planned>, ReconcileError> {
    let planned = plan_to_apply(host, state, attempt).await;
    match planned {
        Ok(mut planned) if planned.is_in_sync() => {
            planned.warnings.splice(0..0, confirm::reminder(state));
            Ok(ControlFlow::Break(Applied::InSync {
                planned: Box::new(planned),
                gates: Vec::new(),
            }))
        }
        planned => match attempt.skips(state, planned.as_ref().err())? {
            Some(skip) => Ok(ControlFlow::Break(Applied::Skipped(Box::new(skip)))),
            None => planned.map(ControlFlow::Continue),
        },
    }
}

/// Carries a plan out, verifies it and writes it down; or rolls it back. History has either.
async fn transact(
    host: &Host,
    state: &State,
    request: &Request,
    kind: RunKind,
    planned: &mut Planned,
    progress: &mut dyn Progress,
) -> Result<RunRecord, ReconcileError> {
    let mut record =
        history::begin(state, request, kind, planned).map_err(ReconcileError::before_any_change)?;
    let mut installed = Installed::default();
    let first = packages::begin(host, state, request, planned, &mut installed, progress).await;
    record.changes = std::mem::take(&mut installed.steps);
    let journal = match installed.journal.take() {
        Some(journal) => journal,
        None => state.journal()?,
    };
    let interrupted = request.interrupted.clone();
    let start = (journal, &planned.observed);
    let mut run = Run::new(host, state, start, interrupted, &mut *progress);
    let result = match first {
        Ok(()) => make_and_verify(&mut run, request, planned).await,
        Err(error) => Err(error),
    };
    let Run {
        mut journal,
        switched,
        steps,
        answers,
        degraded,
        ..
    } = run;
    record.changes.extend(steps);
    record.gates = answers;
    record.degraded = degraded.values().cloned().collect();
    record.time = Timestamp::now();
    let committed = match result {
        Ok(after) => {
            if !degraded.is_empty() {
                record.outcome = Outcome::Degraded;
            }
            let loaded = commit::loaded(planned, &after, switched, &degraded);
            let mut inventory = commit::inventory(planned, &after);
            inventory.generation = record.number.or(inventory.generation);
            let images = match record.number {
                Some(_) => commit::images(host, state, planned, &after, progress).await,
                None => Vec::new(),
            };
            let generation =
                (record.number).map(|number| (number, &record, &planned.desired, &*images));
            let commit = state.commit(&mut journal, generation, &inventory, &loaded);
            commit.map_err(ReconcileError::from)
        }
        Err(cause) => Err(cause),
    };
    let result = match committed {
        Ok(()) => Ok(()),
        Err(cause) => {
            let with = installed.undone(planned);
            Err(undo(
                host,
                state,
                (planned, with.as_ref()),
                journal,
                (kind, cause),
                progress,
            )
            .await)
        }
    };
    history::end(state, record, result, progress)
}

/// Does what is planned, and proves it: the gates hold, the host is as desired, and what served
/// before serves.
async fn make_and_verify(
    run: &mut Run<'_>,
    request: &Request,
    planned: &Planned,
) -> Result<Observed, ReconcileError> {
    let plan = &planned.plan;
    if let Some(socket) = &planned.desired.engine {
        let engine = Undo::Engine(socket.clone());
        run.journal.record(engine)?;
    }
    let serving = Serving::look(run, planned).await;
    let served = async {
        run.make(plan).await.map_err(ReconcileError::step)?;
        gates::verify(run, request, planned).await?;
        serving.hold(run, planned).await
    };
    if let Err(error) = served.await {
        run.tell_of_copies(plan).await;
        return Err(error);
    }
    run.retire(plan).await.map_err(ReconcileError::step)?;
    let after = converge(run, request, planned).await?;
    serving.hold(run, planned).await?;
    left_behind::report(planned, &after, run.progress);
    ran::report(planned, &after, run.progress);
    Ok(after)
}

/// Plans what may be applied: nothing is dirty, and nothing blocks it.
async fn plan_to_apply(
    host: &Host,
    state: &State,
    attempt: &mut Attempt<'_>,
) -> Result<Planned, ReconcileError> {
    let request = attempt.request;
    let recorded = look::recorded(state)?;
    let (revision, checkouts) = read(host, request, &request.which, &recorded)?;
    if !revision.origin.dirty.is_empty() && request.which == Which::Head {
        return Err(ReconcileError::Dirty {
            paths: revision.origin.dirty,
        });
    }
    attempt.tries(&revision.origin, &revision.desired);
    let planned = look::plan_revision(host, state, request, recorded, revision, checkouts).await?;
    match planned.plan.refusals.is_empty() {
        true => Ok(planned),
        false => Err(ReconcileError::Refused(planned.plan.refusals)),
    }
}
