//! One pass: read what is wanted, look at what is there, plan, apply, and prove it.

mod adoption;
mod backup;
mod between;
mod blame;
mod commit;
mod confirm;
mod consent;
mod converge;
mod copies;
mod docker_first;
mod doctor;
mod drift;
mod error;
mod gates;
mod hint;
mod history;
mod home;
mod images;
mod lacking;
mod left_behind;
mod look;
mod mount_points;
mod named;
mod notify;
mod outside;
mod owed;
mod packages;
mod pause;
mod prune;
mod ran;
mod reason;
mod request;
mod rollback;
mod secrets;
mod select;
mod serving;
mod show;
mod status;
mod supersede;
mod sure;
mod unattended;
mod undo;
mod uninstall;
mod validate;
mod verify_rollback;
mod versions;
mod writable;

use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::apply::{Progress, Run};
use crate::host::Host;
use crate::host::candidate::Names;
use crate::model::{Desired, Observed, Outcome, Recorded, RunKind, RunRecord};
use crate::source::{Revision, Which};
use crate::state::{State, Undo};

pub(crate) use backup::{BackupStatus, Restoring, back_up, backups_of, rehearse, restore};
pub(crate) use between::plan_between;
pub(crate) use confirm::{Confirm, Expiry, confirm, expire, kept, waiting, will_wait_for};
pub(crate) use consent::Loss;
pub(crate) use doctor::{
    Cause, Diagnosis, LogKind, LogLine, LogSource, LogWish, Logs, Question, Told, doctor, logs,
};
pub(crate) use drift::{Drift, Seen, drift, fix};
pub(crate) use error::ReconcileError;
pub(crate) use history::{Entry, History, Lines, Part, Span, history};
pub(crate) use images::ask_registries;
pub(crate) use notify::{Ended, tell_of_drift, tell_of_run, test_notifiers};
pub(crate) use pause::{pause, resume};
pub(crate) use prune::{Going, Surplus, prune};
pub(crate) use request::{Applied, Planned, Request};
pub(crate) use rollback::{plan_back, rollback};
pub(crate) use secrets::{SecretStatus, load_secrets};
pub(crate) use show::{OtherImage, Shown, show};
pub(crate) use status::{
    CertificateStatus, ContainerStatus, DaemonStatus, Foreign, Legacy, MemberStatus, Migration,
    MovedTo, Moving, NetworkStatus, Reply, Status, UnitStatus, migration, status,
};
pub(crate) use unattended::Skip;
pub(crate) use undo::recover;
pub(crate) use uninstall::{Independence, Instead, Left, leave_running, remove_all};
pub(crate) use versions::ask_versions;

pub(crate) use crate::host::ssh::is_over_ssh;

use converge::converge;
use packages::Installed;
use serving::Serving;
use supersede::Leftover;
use unattended::Attempt;
use undo::{is_finished, undo, undo_killed};

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
    let wanted = (
        docker_first::record(request, revision.origin.clone()),
        revision.desired.clone(),
    );
    let known = recorded.clone();
    let planned = look::plan_revision(host, &state, request, recorded, revision, checkouts).await;
    let mut planned = match planned {
        Err(error) if docker_first::is_away(&error) => {
            let part = docker_first::plan(host, request, known, wanted).await?;
            let Some((_, mut planned)) = part else {
                return Err(error);
            };
            let why = error::chain(&error);
            let text = format!(
                "{why}: this is only what an apply does first, the files of the engine; it plans the rest when the engine answers"
            );
            planned.warnings.push(text);
            planned.incomplete = true;
            planned
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
                let wanted = engines_part(host, state, request)?;
                let known = look::recorded(state)?;
                if docker_first::plan(host, request, known, wanted)
                    .await?
                    .is_none()
                {
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
    if prepared.as_ref().is_err_and(docker_first::is_away)
        && mend_docker(host, state, request, &mut leftover, progress, present).await?
    {
        prepared = prepare(host, state, attempt).await;
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

/// Applies what the revision has of the files of a Docker engine that does not run. Returns whether
/// it has any that change.
async fn mend_docker(
    host: &Host,
    state: &State,
    request: &Request,
    leftover: &mut Leftover,
    progress: &mut dyn Progress,
    present: &mut dyn FnMut(&Planned) -> bool,
) -> Result<bool, ReconcileError> {
    let wanted = (RunKind::Apply, engines_part(host, state, request)?);
    let told = (progress, present);
    docker_first::fix(host, state, request, wanted, leftover, told).await
}

/// The revision, as the record and the desired state of a part of it that is applied by itself.
fn engines_part(
    host: &Host,
    state: &State,
    request: &Request,
) -> Result<(RunRecord, Desired), ReconcileError> {
    let (revision, _) = read(host, request, &request.which, &look::recorded(state)?)?;
    let record = docker_first::record(request, revision.origin);
    Ok((record, revision.desired))
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
        Ok(()) => carry_out(&mut run, request, planned).await,
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
async fn carry_out(
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

/// The files of a checkout as they lie, as those of this host, and where the checkout is.
///
/// # Errors
/// When it cannot be read, or is another repository's than the host has.
pub(crate) fn work_tree(
    host: &Host,
    request: &Request,
) -> Result<(Revision, PathBuf), ReconcileError> {
    at(host, request, &Which::Worktree)
}

/// The same at a commit.
///
/// # Errors
/// The same, and when there is no such commit any more.
pub(crate) fn at_commit(
    host: &Host,
    request: &Request,
    commit: &str,
) -> Result<Revision, ReconcileError> {
    Ok(at(host, request, &Which::Rev(commit.to_owned()))?.0)
}

fn at(
    host: &Host,
    request: &Request,
    which: &Which,
) -> Result<(Revision, PathBuf), ReconcileError> {
    let recorded = look::recorded(&State::new(host.root().clone()))?;
    let checkout = home::open(host, request, &recorded)?;
    let folder = checkout.root().to_owned();
    Ok((home::read(checkout, request, which, &recorded)?.0, folder))
}

/// Reads the checkout, and says which folders count as it: where it is, and where watchme.toml
/// says that it does.
fn read(
    host: &Host,
    request: &Request,
    which: &Which,
    recorded: &Recorded,
) -> Result<(Revision, Vec<PathBuf>), ReconcileError> {
    let checkout = home::open(host, request, recorded)?;
    home::read(checkout, request, which, recorded)
}
