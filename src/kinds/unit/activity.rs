//! Units that have to start, restart, reload or stop.

use std::collections::BTreeSet;

use super::{adopted, anew, mounts, replacement, stacks};
use crate::effect::{Change, Effect, UnitStep};
use crate::model::{Desired, DriftKind, Kind, OnChange, ResourceId, Unit, UnitState, UnitType};
use crate::plan::draft::{Draft, Stage, change};
use crate::plan::loaded::{self, OnHost};

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(systemd) = &draft.observed.systemd else {
        return;
    };
    let desired = draft.desired;
    let mut planned: Vec<(Stage, Change)> = Vec::new();
    for (name, unit) in &desired.units {
        let is_template = name.contains("@.");
        if !unit.is_ours() || is_template {
            continue;
        }
        let unknown = UnitState::default();
        let state = systemd.units.get(name).unwrap_or(&unknown);
        planned.extend(plan_unit(draft, OnHost { name, unit, state }));
    }
    // Images are built while what runs them still serves. What takes others along goes before what is alone: those need no
    // restart of their own any more.
    planned.sort_by_key(|(_, change)| (!builds(desired, change), change.interrupts.is_empty()));
    let mut dependents: BTreeSet<String> = (draft.changes())
        .filter(|change| matches!(change.effect, Effect::Restart(_)))
        .flat_map(|change| change.interrupts.iter().cloned())
        .collect();
    for (stage, change) in planned {
        if matches!(&change.effect, Effect::Restart(step) if dependents.contains(&step.unit)) {
            continue;
        }
        dependents.extend(change.interrupts.iter().cloned());
        // A oneshot in which this run lives is starting until the run ends: waiting for that
        // would be waiting for itself.
        if matches!(&change.effect, Effect::Start(step) if systemd.own_unit.as_deref() == Some(&*step.unit))
        {
            continue;
        }
        match would_stop_itself(&change, systemd.own_unit.as_deref()) {
            Some(own) => {
                let text = format!(
                    "this run is part of {own}, which the change would interrupt: run `systemctl restart {}` from outside",
                    change.id.name
                );
                draft.note(change.id, None, text);
            }
            None => draft.change(stage, change),
        }
    }
}

/// Whether a change starts the unit of a Quadlet that builds an image.
fn builds(desired: &Desired, change: &Change) -> bool {
    let unit = change.effect.starts().map(|step| &step.unit);
    unit.and_then(|unit| desired.units.get(unit))
        .is_some_and(is_build)
}

fn is_build(unit: &Unit) -> bool {
    let quadlet = unit.quadlet.as_deref();
    quadlet.is_some_and(|quadlet| quadlet.ends_with(".build"))
}

/// A run that restarts the unit that it runs in would be killed by it in the middle.
fn would_stop_itself(change: &Change, own: Option<&str>) -> Option<String> {
    let (Effect::Restart(step) | Effect::Stop(step)) = &change.effect else {
        return None;
    };
    own.filter(|own| step.unit == *own || change.interrupts.contains(*own))
        .map(str::to_owned)
}

fn plan_unit(draft: &mut Draft<'_>, of: OnHost<'_>) -> Vec<(Stage, Change)> {
    let OnHost { name, unit, state } = of;
    let at_units = |change: Change| (Stage::Units, change);
    if draft.paused(name) {
        return keep_paused(draft, of).into_iter().map(at_units).collect();
    }
    if !state.is_active() && !stacks::goes_on_alone(draft, name, unit) {
        return start(draft, of).into_iter().map(at_units).collect();
    }
    let id = of.id();
    let Some(why) = loaded::is_outdated(&draft.inputs, of) else {
        note_restarts(draft, of);
        if let Some(path) = loaded::newer_at_adoption(&draft.inputs, of) {
            let text = format!(
                "{} is newer than the start of {name}: it may run with an older version; restart it when convenient: sudo systemctl restart {name}",
                path.display()
            );
            draft.note(id.clone(), None, text);
        }
        if let Some(text) = loaded::gone(&draft.inputs, of) {
            draft.note(id, Some(DriftKind::Unloaded), text);
        }
        return Vec::new();
    };
    let can_reload = state.can_reload || unit.alone;
    mounts::note(draft, &id, name, unit);
    match on_change(name, unit) {
        OnChange::None => Vec::new(),
        OnChange::Reload if can_reload && unit.stacks.is_empty() => {
            vec![at_units(reload(draft, of, why))]
        }
        asked => match replacement::stops_first(draft, name, unit) {
            // Compose sees no change of what is mounted, and a restart has Docker look again at what is there.
            None if asked == OnChange::Reload
                && can_reload
                && loaded::changed_secret(&draft.inputs, unit).is_none() =>
            {
                stacks::note_what_stays(draft, &id, name, unit);
                vec![at_units(reload(draft, of, why))]
            }
            None => {
                let restart = restart(draft, of, why);
                restart.into_iter().map(at_units).collect()
            }
            Some(because) => stop_with_old_files(draft, of, because),
        },
    }
}

/// One that died after it had settled runs again by `Restart=`, which hides it.
fn note_restarts(draft: &mut Draft<'_>, of: OnHost<'_>) {
    let OnHost { name, state, .. } = of;
    let known = draft.recorded.loaded.units.get(name);
    let same_run = known.is_some_and(|known| known.invocation == state.invocation);
    if !same_run && state.restarted_lately(draft.now) {
        let times = match state.restarts {
            1 => "once",
            _ => "again and again",
        };
        let text = format!(
            "it died and systemd restarted it {times} ({} in total): journalctl -u {name}",
            state.restarts
        );
        draft.note(of.id(), Some(DriftKind::Degraded), text);
    }
}

fn keep_paused(draft: &mut Draft<'_>, of: OnHost<'_>) -> Option<Change> {
    let pause = draft.recorded.pauses.get(of.name);
    let reason = pause.map_or("", |pause| &pause.reason);
    if of.state.is_active() {
        let why = format!("is paused ({reason}) and was started");
        let stop = Effect::Stop(UnitStep::of(of.name, of.unit));
        return Some(change(of.id(), stop, why));
    }
    draft.note(of.id(), None, format!("paused: {reason}"));
    None
}

/// A change of a target asks for nothing, and a slice takes its settings with the reload.
fn on_change(name: &str, unit: &Unit) -> OnChange {
    match name.rsplit_once('.').map(|(_, kind)| kind) {
        Some("target" | "slice") => OnChange::None,
        _ => unit.on_change,
    }
}

fn start(draft: &mut Draft<'_>, of: OnHost<'_>) -> Option<Change> {
    let OnHost { name, unit, state } = of;
    let id = of.id();
    let wanted = unit.start && !name.ends_with(".target");
    if wanted && is_build(unit) && !is_built(draft, name, unit) {
        let action = Effect::Start(UnitStep::of(name, unit));
        return Some(change(id, action, "what it builds changed"));
    }
    // What a timer or somebody else starts.
    if !wanted && state.active == "failed" {
        let text = format!("{}: journalctl -u {name}", failure("failed", state));
        draft.note(id, Some(DriftKind::Degraded), text);
        return None;
    }
    if !wanted || done(draft, name, unit, state) {
        return None;
    }
    let stopped = was_stopped(draft, name, unit, state);
    let recreated = adopted::recreated(draft, name, unit);
    let (why, drift) = match (state.active.as_str(), state.sub.as_str()) {
        _ if stopped => ("is stopped".to_owned(), DriftKind::Drifted),
        ("failed", _) => (failure("failed", state), DriftKind::Degraded),
        (_, "auto-restart") => (failure("keeps failing", state), DriftKind::Degraded),
        ("activating", _) => ("is still starting".to_owned(), DriftKind::Degraded),
        _ if draft.recorded.loaded.units.contains_key(name) => {
            ("is stopped".to_owned(), DriftKind::Drifted)
        }
        _ => {
            let why = stacks::new(draft, name, unit, &recreated);
            (why, DriftKind::Drifted)
        }
    };
    // One that this plan does not change may fail: it blocks nothing else.
    let changes = loaded::changes_files(&draft.inputs, name, unit);
    if !changes && !stopped && !only_fixes(draft) && gave_up(draft, name, unit, state) {
        let text = format!(
            "{why}, and this revision does not change it: journalctl -u {name}; `watchme-apply drift --fix` starts it"
        );
        draft.note(id, Some(DriftKind::Degraded), text);
        return None;
    }
    adopted::note(draft, &id, &recreated);
    let anew: BTreeSet<String> = recreated.into_keys().collect();
    let action = Effect::Start(UnitStep {
        leaves: adopted::leaves_at_start(draft, name, unit, &anew),
        anew: (!anew.is_empty()).then_some(anew),
        may_fail: unit.may_fail
            || !changes && !stopped && (state.is_failing() || state.active != "activating"),
        ..UnitStep::of(name, unit)
    });
    Some(Change {
        drift,
        ..change(id, action, why)
    })
}

/// signal(7).
const SIGTERM: i32 = 15;

/// Whether a unit that counts as failed was stopped by somebody: `docker compose up` ends with an error when it is told to
/// end. systemd restarts what fails by itself, and stops to do so only where that comes too often. A oneshot that is stopped while
/// it starts ends by SIGTERM, which is a clean end of every other type: systemd.service(5), SuccessExitStatus=.
fn was_stopped(draft: &Draft<'_>, name: &str, unit: &Unit, state: &UnitState) -> bool {
    let while_it_started = unit.service_type == UnitType::Oneshot
        && state.result == "signal"
        && state.signalled
        && state.exit_status == SIGTERM;
    if state.active == "failed" && while_it_started {
        return true;
    }
    let known = draft.recorded.loaded.units.get(name);
    let was_up = known.is_some_and(|known| !known.failed && known.invocation == state.invocation);
    state.active == "failed" && state.restarts_itself && (was_up || state.restarts == 0)
}

/// Whether the host is to be as it was applied, and nothing new is brought in.
pub(super) fn only_fixes(draft: &Draft<'_>) -> bool {
    draft.gates == crate::plan::Gates::None
}

/// Whether a unit that is not up was tried with its present files, and failed.
fn gave_up(draft: &Draft<'_>, name: &str, unit: &Unit, state: &UnitState) -> bool {
    let known = draft.recorded.loaded.units.get(name);
    let wanted = || loaded::unit_hash(draft.desired, draft.observed, unit);
    match state.is_failing() {
        true => known.is_none_or(|known| known.hash == wanted()),
        false => known.is_some_and(|known| {
            known.failed && known.invocation == state.invocation && known.hash == wanted()
        }),
    }
}

/// Whether the unit of a Quadlet that builds an image ran with what there is to be built now.
fn is_built(draft: &Draft<'_>, name: &str, unit: &Unit) -> bool {
    let hash = loaded::unit_hash(draft.desired, draft.observed, unit);
    (draft.recorded.loaded.units.get(name)).is_none_or(|known| known.hash == hash)
}

/// Whether an inactive unit has done its work: a oneshot that ran with success.
fn done(draft: &Draft<'_>, name: &str, unit: &Unit, state: &UnitState) -> bool {
    let ran = !state.invocation.is_empty() || draft.recorded.loaded.units.contains_key(name);
    unit.service_type == UnitType::Oneshot
        && !unit.remain_after_exit
        && state.active == "inactive"
        && state.result == "success"
        && ran
}

fn failure(verb: &str, state: &UnitState) -> String {
    match state.exit_status {
        0 => format!("{verb}: {}", state.result),
        signal if state.signalled => format!("{verb}: {}, signal {signal}", state.result),
        status => format!("{verb}: {}, status {status}", state.result),
    }
}

/// A unit that stops before the switch, and starts after it. What that takes along does not come
/// back by itself.
fn stop_with_old_files(draft: &Draft<'_>, of: OnHost<'_>, why: String) -> Vec<(Stage, Change)> {
    let OnHost { name, unit, state } = of;
    let stop = Change {
        interrupts: state.dependents.clone(),
        drift: DriftKind::Unloaded,
        ..change(of.id(), Effect::Stop(UnitStep::of(name, unit)), why)
    };
    let start = |name: &str, step: UnitStep, why: &str| {
        let id = ResourceId::new(Kind::Unit, name);
        (Stage::Units, change(id, Effect::Start(step), why))
    };
    let mut planned = vec![
        (Stage::MakeRoom, stop),
        start(name, UnitStep::of(name, unit), "its files changed"),
    ];
    for other in &state.dependents {
        let step = match draft.desired.units.get(other) {
            Some(unit) => UnitStep::of(other, unit),
            None => UnitStep {
                unit: other.clone(),
                timeout: unit.start_timeout,
                ..UnitStep::default()
            },
        };
        planned.push(start(other, step, &format!("stopped with {name}")));
    }
    planned
}

fn reload(draft: &Draft<'_>, of: OnHost<'_>, why: String) -> Change {
    let OnHost { name, unit, .. } = of;
    let anew = anew::services(draft, name, unit);
    let known = anew.clone().unwrap_or_default();
    let step = UnitStep {
        leaves: adopted::leaves(draft, name, unit, &known),
        anew,
        ..UnitStep::of(name, unit)
    };
    Change {
        drift: DriftKind::Unloaded,
        ..change(of.id(), Effect::ReloadUnit(step), why)
    }
}

fn restart(draft: &Draft<'_>, of: OnHost<'_>, why: String) -> Vec<Change> {
    let OnHost { name, unit, state } = of;
    let id = of.id();
    let restarted = Change {
        interrupts: state.dependents.clone(),
        drift: DriftKind::Unloaded,
        ..change(id.clone(), Effect::Restart(UnitStep::of(name, unit)), why)
    };
    // systemd refuses to restart a socket while its service runs, and leaves it inactive.
    let Some(stem) = name.strip_suffix(".socket") else {
        return vec![restarted];
    };
    let service = format!("{stem}.service");
    if !(draft.observed.unit_state(&service)).is_some_and(UnitState::is_active) {
        return vec![restarted];
    }
    let plain = UnitStep {
        unit: service.clone(),
        timeout: unit.start_timeout,
        settle: unit.settle,
        ..UnitStep::default()
    };
    let why = format!("{name} cannot restart while it runs");
    let stop = change(id.clone(), Effect::Stop(plain.clone()), why);
    let start = change(id, Effect::Start(plain), format!("stopped for {name}"));
    vec![stop, restarted, start]
}
