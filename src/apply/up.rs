//! Waiting until units stay up, and their containers run and are healthy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::settling::Settling;
use super::{Run, StepError};
use crate::effect::{Change, UnitStep};
use crate::model::{Container, Engine, Health, Stack, UnitState, exit, list};

/// Of a unit that is down, and did not fail.
pub(super) const STOPPED: &str = "it stopped";

/// Why a start has not settled, in words.
enum Lack {
    Down(String),
    /// All run, and a health check has not passed yet.
    Health(String),
}

impl Run<'_> {
    /// Waits until the containers of a unit's compose projects exist and run: images may have to
    /// be pulled, which the start's own bound covers.
    pub(super) async fn wait_running(&self, step: &UnitStep) -> Result<(), StepError> {
        let until = Instant::now() + step.timeout;
        let before = self.restarts(&step.unit);
        let mut ended = None;
        loop {
            let state = self.host.systemd().await?.unit(&step.unit).await?;
            if let Some(why) = fell_over(&state, before, step.oneshot) {
                return Err(self.not_up(&step.unit, detached(step), why).await);
            }
            let missing = self.missing(step).await?;
            if missing.is_empty() {
                return Ok(());
            }
            if let Some(why) = self.ended(step).await? {
                let since = *ended.get_or_insert_with(Instant::now);
                if since.elapsed() >= step.settle {
                    return Err(self.not_up(&step.unit, detached(step), why).await);
                }
            }
            if Instant::now() > until {
                return Err(self.late(step, Some(list(&missing))).await);
            }
            self.moment().await?;
        }
    }

    /// Waits until everything that was started stays up, and its containers are healthy where
    /// they say so. Units that a restart took along count as started.
    pub(super) async fn settle(&self, started: &[(&UnitStep, &Change)]) -> Result<(), StepError> {
        let mut units: BTreeMap<&str, u32> = BTreeMap::new();
        for (step, change) in started {
            units.insert(&step.unit, self.restarts(&step.unit));
            for dependent in &change.interrupts {
                units.insert(dependent, self.restarts(dependent));
            }
        }
        let along = started.iter().flat_map(|(step, _)| &step.along);
        let started: Vec<&UnitStep> = started.iter().map(|(step, _)| *step).chain(along).collect();
        let oneshots = started.iter().filter(|step| step.oneshot);
        let oneshots: BTreeSet<&str> = oneshots.map(|step| step.unit.as_str()).collect();
        let of = |unit: &str| {
            let step = started.iter().find(|step| step.unit == unit);
            step.map_or(&[][..], |step| detached(step))
        };
        let began = Instant::now();
        let mut settling = Settling::begins(began);
        let longest = |of: fn(&UnitStep) -> Duration| started.iter().map(|step| of(step)).max();
        let settle = longest(|step| step.settle).unwrap_or_default();
        let patience = longest(|step| step.timeout).unwrap_or_default();
        loop {
            for (unit, before) in &units {
                let state = self.host.systemd().await?.unit(unit).await?;
                if let Some(why) = fell_over(&state, *before, oneshots.contains(unit)) {
                    return Err(self.not_up(unit, of(unit), why).await);
                }
            }
            // One that its restart policy starts again runs at most moments.
            for step in &started {
                let containers = self.containers(&step.stacks).await?;
                if let Some(container) = settling.look(Instant::now(), &containers) {
                    let name = &container.name;
                    let why = format!("its container {name} keeps exiting and restarting");
                    return Err(self.not_up(&step.unit, detached(step), why).await);
                }
            }
            let lacks = self.lacks(&started).await?;
            match &lacks {
                None if settling.stays(Instant::now(), settle) => return Ok(()),
                Some(Lack::Down(_)) => settling.is_down(Instant::now()),
                None | Some(Lack::Health(_)) => {}
            }
            if began.elapsed() >= settle {
                for step in &started {
                    if let Some(why) = self.ended(step).await? {
                        return Err(self.not_up(&step.unit, detached(step), why).await);
                    }
                }
            }
            if began.elapsed() > patience.max(settle) {
                let why = match lacks {
                    Some(Lack::Down(why) | Lack::Health(why)) => why,
                    None => "it does not stay up".to_owned(),
                };
                let unit = started.last().map_or("", |step| &step.unit);
                return Err(self.not_up(unit, of(unit), why).await);
            }
            self.moment().await?;
        }
    }

    /// What containers lack yet. One that failed is an error.
    async fn lacks(&self, started: &[&UnitStep]) -> Result<Option<Lack>, StepError> {
        for step in started {
            for container in self.containers(&step.stacks).await? {
                match container.health {
                    // One that dies and starts again fails for that, with its status.
                    Health::Unhealthy if !container.is_running() => {
                        let why = format!("its container {} dies and restarts", container.name);
                        return Ok(Some(Lack::Down(why)));
                    }
                    Health::Unhealthy => {
                        let why = format!("its container {} is unhealthy", container.name);
                        return Err(self.not_up(&step.unit, detached(step), why).await);
                    }
                    Health::Starting => {
                        let why = format!("its container {} is still starting", container.name);
                        return Ok(Some(Lack::Health(why)));
                    }
                    Health::None | Health::Healthy => {}
                }
            }
            let missing = self.missing(step).await?;
            if !missing.is_empty() {
                let why = format!("{} does not run", list(&missing));
                return Ok(Some(Lack::Down(why)));
            }
        }
        Ok(None)
    }

    /// A container of this run that ended with a failure and that nothing restarts: waiting for it
    /// would be in vain. One from before may still be replaced, once its image is there.
    async fn ended(&self, step: &UnitStep) -> Result<Option<String>, StepError> {
        let is_new = |container: &Container| {
            self.before
                .containers()
                .all(|known| known.id != container.id)
        };
        let containers = self.containers(&step.stacks).await?;
        let engine = match step.stacks.is_empty() {
            true => Engine::Docker,
            false => self.host.docker().await?.kind(),
        };
        let has_failed = |container: &&Container| {
            container.state == "exited" && container.exit_code != 0 && is_new(container)
        };
        Ok(containers.iter().find(has_failed).map(|container| {
            let (name, code) = (&container.name, container.exit_code);
            let ended = format!("its container {name} ended with status {code}");
            match step.oneshot {
                false => format!("{ended}: {} logs {name}", engine.command()),
                // What it wrote is shown, since the rollback removes it.
                true => ended,
            }
        }))
    }

    /// Services of a unit's compose projects of which no container runs, or has done its work.
    async fn missing(&self, step: &UnitStep) -> Result<Vec<String>, StepError> {
        let good = |container: &Container| container.is_running() || finished(container);
        let containers = self.containers(&step.stacks).await?;
        let found: Vec<&Container> = containers.iter().filter(|one| good(one)).collect();
        let missing = step.stacks.iter().flat_map(|stack| {
            let is_missing =
                |service: &&String| !found.iter().any(|one| one.is_of(&stack.project, service));
            stack.services.iter().filter(is_missing).cloned()
        });
        Ok(missing.collect())
    }

    pub(super) async fn containers(&self, stacks: &[Stack]) -> Result<Vec<Container>, StepError> {
        if stacks.is_empty() {
            return Ok(Vec::new());
        }
        let ours = |container: &Container| stacks.iter().any(|stack| stack.owns(container));
        let docker = self.host.docker().await?;
        let state = docker.observe(&BTreeSet::new(), &ours).await?;
        Ok(state.containers.into_iter().filter(ours).collect())
    }

    /// The error for a unit, or a container of it, that did not start in time.
    pub(super) async fn late(&self, step: &UnitStep, missing: Option<String>) -> StepError {
        match self.host.systemd().await {
            Ok(systemd) => {
                let (unit, since) = (&step.unit, self.time.into());
                let error = systemd.late("start", unit, step.timeout, missing, since);
                error.await.into()
            }
            Err(error) => error.into(),
        }
    }
}

/// Why a unit that was started is not up: more restarts than up to its start, or one in progress.
fn fell_over(state: &UnitState, before: u32, oneshot: bool) -> Option<String> {
    match (state.active.as_str(), state.sub.as_str()) {
        ("failed", _) => Some(format!("{}, {}", state.result, ended(state))),
        (_, "auto-restart") => Some(format!("it ended with {} and restarts", ended(state))),
        ("inactive", _) if !oneshot => Some(STOPPED.to_owned()),
        _ if state.restarts > before => {
            Some(format!("systemd restarted it {} times", state.restarts))
        }
        _ => None,
    }
}

/// Whether a unit is on the way to another state: starting, or stopping before it starts again.
pub(super) fn is_changing(state: &UnitState) -> bool {
    matches!(state.active.as_str(), "activating" | "deactivating") && state.sub != "auto-restart"
}

/// `status 127 (command not found)`, `signal 15 (SIGTERM)`.
fn ended(state: &UnitState) -> String {
    let status = state.exit_status;
    match exit::of_service(status, state.signalled, &state.result) {
        Some(signal) if state.signalled => signal,
        Some(meaning) => format!("status {status} ({meaning})"),
        None => format!("status {status}"),
    }
}

/// The compose projects of a unit that does not stay with its containers: what those write is not in its journal. What
/// copies of stacks wrote is said of each failure.
fn detached(step: &UnitStep) -> &[Stack] {
    match step.oneshot && step.port.is_none() {
        true => &step.stacks,
        false => &[],
    }
}

/// One that did its work, such as a migration. A unit that ends with it is seen by its own state.
fn finished(container: &Container) -> bool {
    container.state == "exited" && container.exit_code == 0
}
