//! Carries a plan out as one transaction: each step is written down with what undoes it before
//! it is done, and a failed one undoes them all. Nothing is decided here.

mod backup;
mod certificate;
mod docker;
mod error;
mod files;
mod firewall;
mod gates;
mod images;
mod load;
mod made;
mod nginx;
mod not_up;
mod one_start;
mod packages;
mod rejoin;
mod roll_back;
mod secrets;
mod settling;
mod switch;
mod take_down;
mod undo;
mod units;
mod up;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::effect::{Change, Effect, Plan, UnitStep};
use crate::host::Host;
use crate::model::{Answer, Gate, Observed};
use crate::state::{Journal, State, Undo};

pub(crate) use backup::{BackupError, OneBackup, failure};
pub(crate) use error::StepError;
pub(crate) use files::clear_mount_point;
pub(crate) use gates::ask_gates;
pub(crate) use one_start::OneStart;
pub(crate) use roll_back::{Left, await_last_request, roll_back};
pub(crate) use undo::describe;

/// How often a wait looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Hears of each step, and shows it.
pub(crate) trait Progress {
    fn begin(&mut self, change: &Change);
    fn done(&mut self, change: &Change);
    /// A gate is asked, after so many tries that were in vain.
    fn asks(&mut self, gate: &Gate, in_vain: u32);
    fn holds(&mut self, gate: &Gate, answer: &Answer);
    /// Something worth knowing happened on the way.
    fn say(&mut self, text: &str);
    /// Something happened that somebody should look at, and that fails nothing.
    fn warn(&mut self, text: &str);
}

/// A run that changes the host.
pub(crate) struct Run<'a> {
    pub host: &'a Host,
    pub state: &'a State,
    /// What undoes the steps so far.
    pub journal: Journal,
    /// When the run began: names its backups.
    pub time: Timestamp,
    pub before: &'a Observed,
    /// Who hears of it.
    pub progress: &'a mut dyn Progress,
    /// Set by a signal: the step in progress ends, then all is undone.
    pub interrupted: Arc<AtomicBool>,
    /// What brings the names of images back, once it was looked up: see [`Run::image_names`].
    pub names: Option<Vec<Undo>>,
    /// Pulls of units that are held back.
    pub unpulled: OneStart,
    /// How often systemd had restarted each unit when this run started it.
    pub restarts: BTreeMap<String, u32>,
    /// Commands of each unit that failed when this run started it, and were ignored.
    pub ignored: BTreeMap<String, Vec<String>>,
    /// When this run switched the store, if it did.
    pub switched: Option<Timestamp>,
    /// Paths of which the backups have a copy.
    pub kept: BTreeSet<PathBuf>,
    /// One line for each step that was begun.
    pub steps: Vec<String>,
    /// Gates that were asked, with their answers.
    pub answers: Vec<Answer>,
    /// Units that did not come up and that the run goes on without, each with the reason.
    pub degraded: BTreeMap<String, String>,
}

impl<'a> Run<'a> {
    /// A run that has done nothing yet, on a host that is as observed.
    pub(crate) fn new(
        host: &'a Host,
        state: &'a State,
        (journal, before): (Journal, &'a Observed),
        interrupted: Arc<AtomicBool>,
        progress: &'a mut dyn Progress,
    ) -> Self {
        Self {
            host,
            state,
            journal,
            time: Timestamp::now(),
            before,
            progress,
            interrupted,
            names: None,
            unpulled: OneStart::default(),
            restarts: BTreeMap::new(),
            ignored: BTreeMap::new(),
            switched: None,
            kept: BTreeSet::new(),
            steps: Vec::new(),
            answers: Vec::new(),
            degraded: BTreeMap::new(),
        }
    }
}

impl Run<'_> {
    /// Does every change of `plan` that comes before the gates, in its order.
    ///
    /// # Errors
    /// The first step that failed, with its change. The caller rolls back.
    pub(crate) async fn make(&mut self, plan: &Plan) -> Result<(), (Change, StepError)> {
        let done = self.carry_out(plan, false).await;
        let holds = |change: &&Change| matches!(change.effect, Effect::HoldPulls(_));
        let Some(hold) = plan.changes.iter().find(holds) else {
            return done;
        };
        // What failed is said first; its undo takes the drop-ins away as well.
        let ended = std::mem::take(&mut self.unpulled).end(self.host).await;
        done.and(ended.map_err(|error| (hold.clone(), error)))
    }

    /// Does what comes once the gates hold: takes away what served before.
    pub(crate) async fn retire(&mut self, plan: &Plan) -> Result<(), (Change, StepError)> {
        self.carry_out(plan, true).await
    }

    async fn carry_out(&mut self, plan: &Plan, after: bool) -> Result<(), (Change, StepError)> {
        let mut started = Vec::new();
        let mut recorded = false;
        let changes = plan.changes.iter();
        let mut changes = changes
            .filter(|change| change.after_gates == after)
            .peekable();
        while let Some(change) = changes.next() {
            let failed = |error| (change.clone(), error);
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(failed(StepError::Interrupted));
            }
            self.progress.begin(change);
            if change.effect.counts() {
                let done = change.words().text;
                let step = format!("{}: {done} ({})", change.id, change.why);
                self.steps.push(step);
            }
            tracing::info!(resource = %change.id, why = change.why, "step");
            if !recorded && matches!(change.effect, Effect::Start(_) | Effect::Restart(_)) {
                recorded = true;
                let starts = plan
                    .changes
                    .iter()
                    .filter_map(|change| match &change.effect {
                        Effect::Start(step) if change.after_gates == after => Some(step),
                        _ => None,
                    });
                self.record_starts(starts).await.map_err(failed)?;
            }
            match self.step(change, plan).await {
                Ok(()) => {
                    if let Some(step) = change.effect.starts() {
                        started.push((step, change));
                    }
                    self.progress.done(change);
                }
                Err(error) => self.go_on_without(change, error).map_err(failed)?,
            }
            let units_follow = changes
                .peek()
                .is_some_and(|next| next.effect.starts().is_some());
            if !units_follow {
                let ports: Vec<u16> = started.iter().filter_map(|(step, _)| step.port).collect();
                self.settle_all(&mut started).await?;
                let copies = self.verify_copies(&ports, &plan.gates).await;
                copies.map_err(|error| (change.clone(), error))?;
            }
        }
        Ok(())
    }

    /// Lets what was started settle, without those that may fail and do.
    async fn settle_all(
        &mut self,
        started: &mut Vec<(&UnitStep, &Change)>,
    ) -> Result<(), (Change, StepError)> {
        while let Some((_, last)) = started.last() {
            let Err(error) = self.settle(started).await else {
                started.clear();
                break;
            };
            let fell = match &error {
                StepError::NotUp { unit, .. } => {
                    started.iter().position(|(step, _)| step.unit == *unit)
                }
                _ => None,
            };
            let (_, change) = match fell {
                Some(fell) => started.remove(fell),
                None => return Err(((*last).clone(), error)),
            };
            self.go_on_without(change, error)
                .map_err(|error| (change.clone(), error))?;
        }
        Ok(())
    }

    /// Writes down that a unit failed that may, and tells it; any other failure ends the run.
    fn go_on_without(&mut self, change: &Change, error: StepError) -> Result<(), StepError> {
        let (Effect::Start(step) | Effect::Restart(step) | Effect::ReloadUnit(step)) =
            &change.effect
        else {
            return Err(error);
        };
        let of_the_unit = match &error {
            StepError::NotUp { .. } => true,
            StepError::Host(error) => error.is_of_a_unit(),
            _ => false,
        };
        if !step.may_fail || !of_the_unit {
            return Err(error);
        }
        let text = error.to_string();
        let why = text.lines().next().unwrap_or_default().to_owned();
        self.progress
            .warn(&format!("{why}; the run continues without it"));
        for line in text.lines().skip(1) {
            self.progress.say(line.trim_start());
        }
        self.degraded.insert(step.unit.clone(), why);
        Ok(())
    }

    async fn step(&mut self, change: &Change, plan: &Plan) -> Result<(), StepError> {
        if matches!(change.effect, Effect::Stop(_) | Effect::Restart(_)) {
            self.record_networks(plan)?;
        }
        match &change.effect {
            Effect::UpdatePackageLists => Ok(self.host.update_package_lists()?),
            Effect::InstallPackages(install) => self.install_packages(install),
            Effect::RemovePackages(packages) => self.remove_packages(packages),
            Effect::CreateNetwork { name, spec } => self.create_network(name, spec).await,
            Effect::RemoveNetwork {
                name,
                id,
                spec,
                detach,
            } => {
                self.record_network(name, spec)?;
                self.remove_network(name, id, detach).await
            }
            Effect::CreateVolume { name, spec } => {
                Ok(self.host.docker().await?.create_volume(name, spec).await?)
            }
            Effect::WriteCertificate(pair) => self.write_certificate(pair),
            Effect::Switch(switch) => self.switch(switch),
            // The switch has put it.
            Effect::Store { file: Some(_), .. } => Ok(()),
            Effect::Store { path, keep, .. } => self.remove_stored(path, *keep),
            Effect::Link {
                path, target, keep, ..
            } => self.put_link(path, target, *keep),
            Effect::Copy {
                path,
                file,
                mode,
                owner,
                keep,
            } => self.put_copy(path, file, *mode, owner, *keep),
            Effect::Remove { path, keep } => self.remove(path, *keep),
            Effect::ClearMountPoint { path, checkout } => self.clear_mount_point(path, checkout),
            Effect::PutSecret { name, secret } => self.put_secret(name, secret),
            Effect::RemoveSecret(name) => self.remove_secret(name),
            Effect::BackUp { name, backup } => self.back_up(name, backup).await,
            Effect::DaemonReload => self.reload_systemd().await,
            Effect::Start(step) => self.start(step).await,
            Effect::Restart(step) => self.restart(step, &change.interrupts).await,
            Effect::ReloadUnit(step) => self.reload_unit(step).await,
            Effect::Stop(step) => self.stop(step, &change.interrupts).await,
            Effect::Pull(pull) => self.pull(pull).await,
            Effect::Build(build) => self.build(build).await,
            Effect::Tag(tag) => self.tag(tag).await,
            Effect::HoldPulls(units) => self.hold_pulls(units).await,
            Effect::Release(release) => self.release(release).await,
            Effect::RemoveContainer { id, .. } => self.remove_stopped(id).await,
            Effect::TakeDown(gone) => self.take_down(gone).await,
            Effect::Soak(time) => self.soak(*time, &plan.gates).await,
            Effect::Drain(drain) => self.drain(drain).await,
            Effect::Connect(connect) => self.connect(connect).await,
            Effect::Load(load) => self.load(load),
            Effect::LoadFirewall(rules) => {
                self.record_firewall()?;
                Ok(self.host.load_firewall(rules)?)
            }
            Effect::RemoveFirewall => {
                self.record_firewall()?;
                Ok(self.host.remove_firewall()?)
            }
            Effect::AllowInUfw(rule) => {
                self.record_ufw(rule, false)?;
                Ok(self.host.allow_in_ufw(rule)?)
            }
            Effect::DeleteInUfw(rule) => {
                self.record_ufw(rule, true)?;
                Ok(self.host.delete_in_ufw(rule)?)
            }
            Effect::ReloadNginx => self.reload_nginx().await,
            Effect::RestartNginx => self.restart_nginx().await,
            Effect::StartNginx => self.start_nginx().await,
        }
    }
}
