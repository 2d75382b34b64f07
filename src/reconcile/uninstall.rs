//! The end of a host's management: the host becomes independent of the store, or what was applied is removed; then the records
//! go.

mod independent;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::admission::validate;
use super::planning::look;
use super::rollback::undo::begin;
use super::{Applied, Planned, ReconcileError, Request, agree, confirm, transact};
use crate::apply::{Progress, StepError};
use crate::host::Host;
use crate::model::{Desired, Recorded, RunKind, RunRecord, layout};
use crate::state::State;
pub(crate) use independent::{Independence, Instead};

/// Bound of stopping a timer.
const STOP: Duration = Duration::from_secs(60);

/// Why a host cannot be left as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UninstallError {
    /// A pause ends with the records: the units would start at the next boot.
    #[error("paused: {}", .0.join(", "))]
    Paused(Vec<String>),
    /// Nothing would decrypt secrets at the next boot.
    #[error("the secrets {} are decrypted by this program at each boot", .0.join(", "))]
    Secrets(Vec<String>),
    /// There is nothing to leave.
    #[error("nothing is managed on this host")]
    Nothing,
}

impl UninstallError {
    /// The command that helps.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            UninstallError::Paused(units) => {
                let unit = units.first().map_or("UNIT", |unit| unit);
                format!("end the pauses first: watchme-apply resume {unit}")
            }
            UninstallError::Secrets(_) => format!(
                "copy what you need from {} to files of your own, have the desired state use those, and apply it; or remove \
                 everything: watchme-apply uninstall --remove",
                layout::SECRETS
            ),
            UninstallError::Nothing => {
                "to remove the program itself: apt-get purge watchme-apply, or rm /usr/local/bin/watchme-apply"
                    .to_owned()
            }
        })
    }
}

/// What a host was left with, for a person to remove.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Folders of records that are kept: files that were replaced, and what is known of backups.
    pub folders: Vec<PathBuf>,
    /// Volumes with data.
    pub volumes: BTreeSet<String>,
    /// Networks, which containers of others may use.
    pub networks: BTreeSet<String>,
}

/// Makes the host independent of this program: what runs goes on running, from plain files.
///
/// # Errors
/// When something needs this program, or the file system refuses; running it again goes on.
pub(crate) async fn leave_running(
    host: &Host,
    request: &Request,
    progress: &mut dyn Progress,
    present: &mut dyn FnMut(&Independence) -> bool,
) -> Result<Left, ReconcileError> {
    let state = State::new(host.root().clone());
    let _lock = begin(host, &state, request, progress).await?;
    confirm::admit(host, &state).await?;
    let recorded = managed(&state)?;
    let paused: Vec<String> = recorded.pauses.keys().cloned().collect();
    if !paused.is_empty() {
        return Err(UninstallError::Paused(paused).into());
    }
    if !recorded.inventory.secrets.is_empty() {
        let secrets = recorded.inventory.secrets.iter().cloned().collect();
        return Err(UninstallError::Secrets(secrets).into());
    }
    let checkout = recorded.run().map(|run| run.origin.folder.as_path());
    let independence = Independence::of(host.root(), checkout).map_err(failed)?;
    if !present(&independence) {
        return Err(ReconcileError::Declined);
    }
    stop(host, &independence).await.map_err(failed)?;
    independence.make(host.root()).map_err(failed)?;
    if host.is_live() {
        host.systemd().await?.reload().await?;
    }
    let kept = independence.kept.keys().map(PathBuf::as_path).collect();
    Ok(Left {
        folders: state.forget(&kept)?,
        volumes: recorded.inventory.volumes,
        networks: BTreeSet::new(),
    })
}

fn failed(source: impl Into<StepError>) -> ReconcileError {
    ReconcileError::Step {
        what: "making the host independent of watchme-apply".to_owned(),
        source: Box::new(source.into()),
    }
}

/// Removes what was applied, as an apply of an empty desired state does, and then the records. What others than the services
/// use stays: files under /etc, which may be those that let a person in, and networks, on which there may be containers of others.
///
/// # Errors
/// As [`super::apply`].
pub(crate) async fn remove_all(
    host: &Host,
    request: &Request,
    progress: &mut dyn Progress,
    present: &mut dyn FnMut(&Planned) -> bool,
) -> Result<(Applied, Left), ReconcileError> {
    let state = State::new(host.root().clone());
    let _lock = begin(host, &state, request, progress).await?;
    confirm::admit(host, &state).await?;
    let recorded = managed(&state)?;
    let (record, applied) = recorded
        .applied
        .clone()
        .ok_or(ReconcileError::NothingApplied)?;
    let record = RunRecord {
        number: None,
        ..record
    };
    let networks = applied.networks.into_iter().map(|(name, mut network)| {
        network.members.clear();
        (name, network)
    });
    let rest = Desired {
        networks: networks.collect(),
        etc: applied.etc,
        ..Desired::default()
    };
    let networks = rest.networks.keys().cloned().collect();
    let empty = (record, rest);
    let mut planned = look::plan_generation(host, request, recorded.clone(), empty, None).await?;
    name_containers(&mut planned);
    if !planned.plan.refusals.is_empty() {
        return Err(ReconcileError::Refused(planned.plan.refusals));
    }
    validate::demand(host, &mut planned).await?;
    agree(present, &planned)?;
    let kind = RunKind::Uninstall;
    let record = transact(host, &state, request, kind, &mut planned, progress).await?;
    let rest = Independence::of(host.root(), None).map_err(failed)?;
    rest.make(host.root()).map_err(failed)?;
    let kept = rest.kept.keys().map(PathBuf::as_path).collect();
    let left = Left {
        folders: state.forget(&kept)?,
        volumes: recorded.inventory.volumes,
        networks,
    };
    Ok((Applied::Done(Box::new(record)), left))
}

/// Says of each unit that stops which containers stop with it.
fn name_containers(planned: &mut Planned) {
    let engine = planned.observed.engine();
    for change in &mut planned.plan.changes {
        let step = change.effect.interrupts();
        let Some(unit) = step.and_then(|step| planned.recorded.unit(&step.unit)) else {
            continue;
        };
        let own = planned.observed.containers();
        let own = own.filter(|one| one.is_running() && unit.owns_in(engine, one));
        let names: Vec<&str> = own.map(|one| one.name.as_str()).collect();
        if !names.is_empty() {
            change.why = format!("{}; with its containers: {}", change.why, names.join(", "));
        }
    }
}

/// The records of a host that has any.
fn managed(state: &State) -> Result<Recorded, ReconcileError> {
    match state.has_records() {
        true => Ok(state.recorded()?),
        false => Err(UninstallError::Nothing.into()),
    }
}

/// Stops the timers that start this program. What they have started goes on to its end.
async fn stop(host: &Host, independence: &Independence) -> Result<(), StepError> {
    if !host.is_live() {
        return Ok(());
    }
    let systemd = host.systemd().await?;
    let timers = independence.callers.iter();
    for timer in timers.filter(|unit| unit.ends_with(".timer")) {
        systemd.stop(timer, STOP).await?;
    }
    Ok(())
}
