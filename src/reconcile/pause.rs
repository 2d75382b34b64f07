//! Units that are kept stopped for a while, to free memory.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::planning::look;
use super::rollback::undo::begin;
use super::{ReconcileError, Request, named};
use crate::apply::{Progress, StepError};
use crate::host::Host;
use crate::model::{Pause, Recorded, layout};
use crate::state::State;

/// Bound of stopping and starting.
const UNIT: Duration = Duration::from_secs(180);

/// Stops a unit and keeps it stopped, over reboots too: neither an apply nor `drift --fix`
/// starts it until `resume`, or until the time is over.
///
/// # Errors
/// When the unit is not in what was applied, or cannot be stopped.
pub(crate) async fn pause(
    host: &Host,
    request: &Request,
    unit: &str,
    until: Option<SignedDuration>,
    reason: &str,
    progress: &mut dyn Progress,
) -> Result<(String, Pause), ReconcileError> {
    let state = State::new(host.root().clone());
    let (unit, alone) = known_unit(&state, &state.recorded()?, unit)?;
    let _lock = begin(host, &state, request, progress).await?;
    let recorded = state.recorded()?;
    let since = Timestamp::now();
    let pause = Pause {
        until: until.and_then(|duration| since.checked_add(duration).ok()),
        reason: reason.to_owned(),
        since,
        by: request.by.clone(),
    };
    let mut pauses = recorded.pauses;
    pauses.insert(unit.clone(), pause.clone());
    state.write_pauses(&pauses)?;
    let stop = async {
        // One that is inactive would not stop what runs without it; its start changes nothing.
        if alone && host.is_live() {
            let systemd = host.systemd().await?;
            if !systemd.unit(&unit).await?.is_active() {
                systemd.start(&unit, UNIT).await?;
            }
        }
        write_dropin(host, &unit, &pause)?;
        if host.is_live() {
            let systemd = host.systemd().await?;
            systemd.reload().await?;
            systemd.stop(&unit, UNIT).await?;
        }
        Ok(())
    };
    stop.await
        .map_err(|source| failed("pause", &unit, source))?;
    Ok((unit, pause))
}

/// Ends a pause and starts the unit.
///
/// # Errors
/// When the unit is not paused, or cannot be started.
pub(crate) async fn resume(
    host: &Host,
    request: &Request,
    unit: &str,
    progress: &mut dyn Progress,
) -> Result<String, ReconcileError> {
    let state = State::new(host.root().clone());
    let (unit, _) = known_unit(&state, &state.recorded()?, unit)?;
    let _lock = begin(host, &state, request, progress).await?;
    let recorded = state.recorded()?;
    let mut pauses = recorded.pauses;
    if pauses.remove(&unit).is_none() {
        return Err(ReconcileError::NotPaused { name: unit });
    }
    let start = async {
        lift(host, &unit)?;
        if host.is_live() {
            let systemd = host.systemd().await?;
            systemd.reload().await?;
            systemd.start(&unit, UNIT).await?;
        }
        Ok(())
    };
    start
        .await
        .map_err(|source| failed("resume", &unit, source))?;
    state.write_pauses(&pauses)?;
    Ok(unit)
}

/// A drop-in with a condition that never holds while the pause does: a unit that is enabled, or
/// that another one requires, then does not start. systemd.unit(5), "Conditions and Asserts".
/// Below /run it would not hold over a reboot.
fn write_dropin(host: &Host, unit: &str, pause: &Pause) -> Result<(), StepError> {
    let path = layout::dropin(unit, layout::PAUSE_DROPIN);
    if let Some(folder) = path.parent() {
        host.root().make_folder(folder)?;
    }
    let reason: String = pause.reason.chars().filter(|c| !c.is_control()).collect();
    let text = format!(
        "# Written by watchme-apply pause: {reason}\n# `watchme-apply resume {unit}` takes it away.\n[Unit]\nConditionPathExists=!{}\n",
        layout::STATE
    );
    Ok(host.root().write(&path, text.as_bytes(), 0o644)?)
}

/// Takes the drop-in of a pause away.
pub(super) fn lift(host: &Host, unit: &str) -> Result<(), StepError> {
    let path = layout::dropin(unit, layout::PAUSE_DROPIN);
    host.root().remove(&path)?;
    if let Some(folder) = path.parent() {
        host.root().remove_empty(Path::new(folder));
    }
    Ok(())
}

fn failed(verb: &'static str, unit: &str, source: StepError) -> ReconcileError {
    ReconcileError::Unit {
        verb,
        unit: unit.to_owned(),
        source: Box::new(source),
    }
}

/// A unit that was applied by any name that a person has for it, and [`crate::model::Unit::alone`] of it.
fn known_unit(
    state: &State,
    recorded: &Recorded,
    name: &str,
) -> Result<(String, bool), ReconcileError> {
    let (_, desired) = look::applied(state, recorded)?;
    let unit = named::unit(desired, name)?;
    let alone = desired.units.get(&unit).is_some_and(|unit| unit.alone);
    Ok((unit, alone))
}
