//! Units: what loads and runs.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::made::{removals, renames};
use super::rejoin::rejoins;
use super::up::is_changing;
use super::{LOOK_AGAIN, Run, StepError};
use crate::effect::UnitStep;
use crate::host::HostError;
use crate::model::{Container, Entry, layout};
use crate::state::Undo;

/// How often the Docker engine is asked whether it answers while a unit starts.
const ASK_ENGINE: Duration = Duration::from_secs(3);
/// How long it may not answer meanwhile. One that was killed runs again after some seconds.
const ENGINE_HANGS: Duration = Duration::from_secs(40);

impl Run<'_> {
    pub(super) async fn reload_systemd(&mut self) -> Result<(), StepError> {
        self.journal.record(Undo::DaemonReload)?;
        self.host.systemd().await?.reload().await?;
        self.forget_failures().await
    }

    /// systemd goes on listing a unit that failed, also when its file is gone, and the host as degraded.
    async fn forget_failures(&self) -> Result<(), StepError> {
        let systemd = self.host.systemd().await?;
        let known = self.before.systemd.iter();
        for unit in known.flat_map(|known| known.units.keys()) {
            let state = systemd.unit(unit).await?;
            if state.load == "not-found" && state.active == "failed" {
                systemd.reset_failed(unit).await?;
            }
        }
        Ok(())
    }

    /// Writes down what undoes these starts, before the first of them: a unit may bring others along that require it or
    /// are required, and which would run already when their own turn comes.
    pub(super) async fn record_starts<'s>(
        &mut self,
        steps: impl Iterator<Item = &'s UnitStep>,
    ) -> Result<(), StepError> {
        for step in steps {
            let state = self.host.systemd().await?.unit(&step.unit).await?;
            // The copy of a stack goes when nginx asks the other one again.
            let serves = step.port.filter(|_| self.is_new(step));
            // One that is starting already goes on starting, whatever becomes of this run; one that
            // keeps failing goes on with its old files.
            let undo = match (state.active.as_str(), state.sub.as_str()) {
                ("inactive" | "failed" | "", _) if serves.is_some() || self.takes_over(step) => {
                    Undo::Forget(step.unit.clone())
                }
                ("inactive" | "failed" | "", _) => Undo::Stop(step.unit.clone()),
                (_, "auto-restart") => Undo::Restart(step.unit.clone()),
                _ => continue,
            };
            self.journal
                .record_all(removals(self.before, &step.stacks, serves))?;
            self.journal.record(undo)?;
        }
        Ok(())
    }

    /// Whether the containers of a unit that this run brings ran before it, started by a person.
    fn takes_over(&self, step: &UnitStep) -> bool {
        let mut running = self.before.containers().filter(|one| one.is_running());
        let owns = |container: &Container| step.stacks.iter().any(|stack| stack.owns(container));
        self.is_new(step) && step.oneshot && running.any(owns)
    }

    /// Whether this run brings the file of a unit.
    pub(super) fn is_new(&self, step: &UnitStep) -> bool {
        *self.before.entry(&layout::unit(&step.unit)) == Entry::Missing
    }

    pub(super) async fn start(&mut self, step: &UnitStep) -> Result<(), StepError> {
        let systemd = self.host.systemd().await?;
        let held = self.hold_mounts(step).await?;
        let job = systemd.start(&step.unit, step.timeout);
        let started = self.unless_interrupted(job).await;
        let ended = held.end(self.host).await;
        started.and(ended)?;
        self.count_restarts(&step.unit).await?;
        self.tell_ignored_failures(&step.unit).await?;
        self.wait_running(step).await
    }

    /// What a restart takes along comes back with it, unless the restart fails: then it has to be
    /// started again.
    pub(super) async fn restart(
        &mut self,
        step: &UnitStep,
        interrupts: &BTreeSet<String>,
    ) -> Result<(), StepError> {
        self.journal.record_all(rejoins(self.before))?;
        self.journal.record_all(renames(self.before))?;
        self.record_image_names().await?;
        for unit in interrupts {
            self.journal.record(Undo::Start(unit.clone()))?;
        }
        self.journal
            .record_all(removals(self.before, &step.stacks, None))?;
        self.journal.record(Undo::Restart(step.unit.clone()))?;
        let systemd = self.host.systemd().await?;
        // What it takes along starts again as well, and earlier starts of those do not count, either.
        for unit in interrupts {
            systemd.reset_failed(unit).await?;
            self.count_restarts(unit).await?;
        }
        let job = systemd.restart(&step.unit, step.timeout);
        self.unless_interrupted(job).await?;
        self.count_restarts(&step.unit).await?;
        self.tell_ignored_failures(&step.unit).await?;
        self.wait_running(step).await?;
        for other in &step.along {
            self.wait_started(other).await?;
        }
        Ok(())
    }

    /// Waits for a unit that comes back by itself with the one that took it along.
    async fn wait_started(&mut self, step: &UnitStep) -> Result<(), StepError> {
        let until = Instant::now() + step.timeout;
        loop {
            let state = self.host.systemd().await?.unit(&step.unit).await?;
            if !is_changing(&state) {
                break;
            }
            if Instant::now() > until {
                return Err(self.late(step, None).await);
            }
            self.moment().await?;
        }
        self.count_restarts(&step.unit).await?;
        self.wait_running(step).await
    }

    pub(super) async fn reload_unit(&mut self, step: &UnitStep) -> Result<(), StepError> {
        self.journal.record_all(rejoins(self.before))?;
        self.journal.record_all(renames(self.before))?;
        self.record_image_names().await?;
        self.journal
            .record_all(removals(self.before, &step.stacks, None))?;
        self.journal.record(Undo::ReloadUnit(step.unit.clone()))?;
        let held = self.hold_mounts(step).await?;
        let reloaded = self.reload_or_start(step).await;
        let ended = held.end(self.host).await;
        reloaded.and(ended)?;
        match step.stacks.is_empty() {
            true => Ok(()),
            false => self.wait_running(step).await,
        }
    }

    async fn reload_or_start(&self, step: &UnitStep) -> Result<(), StepError> {
        let systemd = self.host.systemd().await?;
        let (unit, bound) = (&step.unit, step.timeout);
        match step.alone && !systemd.unit(unit).await?.is_active() {
            // Its start is what its reload is.
            true => self.unless_hanging(systemd.start(unit, bound)).await,
            false => self.unless_hanging(systemd.reload_unit(unit, bound)).await,
        }
    }

    pub(super) async fn stop(
        &mut self,
        step: &UnitStep,
        interrupts: &BTreeSet<String>,
    ) -> Result<(), StepError> {
        self.journal.record_all(rejoins(self.before))?;
        self.record_image_names().await?;
        for unit in interrupts {
            self.journal.record(Undo::Start(unit.clone()))?;
        }
        self.journal.record(Undo::Start(step.unit.clone()))?;
        let systemd = self.host.systemd().await?;
        // One that is inactive would not stop what runs without it.
        if step.alone && !systemd.unit(&step.unit).await?.is_active() {
            let job = systemd.start(&step.unit, step.timeout);
            self.unless_hanging(job).await?;
        }
        let job = systemd.stop(&step.unit, step.timeout);
        self.unless_hanging(job).await
    }

    /// Lets a moment pass in a wait, which a signal ends.
    pub(super) async fn moment(&self) -> Result<(), StepError> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(StepError::Interrupted);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        Ok(())
    }

    /// Waits for a job, which a signal ends: what the rollback asks for takes the job's place.
    pub(super) async fn unless_interrupted(
        &self,
        job: impl Future<Output = Result<(), HostError>>,
    ) -> Result<(), StepError> {
        let signal = async { while self.moment().await.is_ok() {} };
        tokio::select! {
            done = self.unless_hanging(job) => done,
            () = signal => Err(StepError::Interrupted),
        }
    }

    /// Waits for a job, as long as the Docker engine answers or is not needed.
    async fn unless_hanging(
        &self,
        job: impl Future<Output = Result<(), HostError>>,
    ) -> Result<(), StepError> {
        tokio::select! {
            done = job => Ok(done?),
            hangs = self.engine_hangs() => Err(hangs.into()),
        }
    }

    /// Ends once the Docker engine has not answered for [`ENGINE_HANGS`]: a unit that runs containers
    /// would wait for it until its own bound is over.
    async fn engine_hangs(&self) -> HostError {
        let mut mute: Option<Instant> = None;
        loop {
            tokio::time::sleep(ASK_ENGINE).await;
            match self.host.engine_is_mute().await {
                Some(error) if mute.is_some_and(|since| since.elapsed() > ENGINE_HANGS) => {
                    return error;
                }
                Some(_) => {
                    mute.get_or_insert_with(Instant::now);
                }
                None => mute = None,
            }
        }
    }

    /// A pull that failed behind `ExecStartPre=-` leaves an old image running, or none.
    async fn tell_ignored_failures(&mut self, unit: &str) -> Result<(), StepError> {
        for failure in self.host.systemd().await?.ignored_failures(unit).await? {
            self.progress
                .warn(&format!("{unit}: {failure}, which its `-` ignores"));
            self.ignored
                .entry(unit.to_owned())
                .or_default()
                .push(failure);
        }
        Ok(())
    }

    /// Remembers how often systemd has restarted a unit up to its start by this run.
    async fn count_restarts(&mut self, unit: &str) -> Result<(), StepError> {
        let state = self.host.systemd().await?.unit(unit).await?;
        self.restarts.insert(unit.to_owned(), state.restarts);
        Ok(())
    }

    /// How often systemd had restarted a unit before its start by this run, or before the run.
    pub(super) fn restarts(&self, unit: &str) -> u32 {
        let before = || Some(self.before.unit_state(unit)?.restarts);
        let known = self.restarts.get(unit).copied();
        known.or_else(before).unwrap_or(0)
    }
}
