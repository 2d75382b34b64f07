//! Undoes a run from its journal, its own or one that was killed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::firewall::wait_for_ufw;
use super::made::{made, made_networks, renamed};
use super::one_start::OneStart;
use super::packages::is_of_gone_unit;
use super::rejoin::is_joined;
use super::take_down::has_others;
use super::undo::{describe, undo_one};
use super::{LOOK_AGAIN, Progress, StepError};
use crate::host::{Host, HostError};
use crate::state::{Journal, Undo};

/// Bound of each stop and start while rolling back; images are there already.
const UNIT: Duration = Duration::from_secs(180);
/// Bound of all stops and starts together as long as the Docker engine does not answer: what runs
/// containers waits for it, and in vain.
const WITHOUT_DOCKER: Duration = Duration::from_secs(60);
/// What each of them gets at least.
const AT_LEAST: Duration = Duration::from_secs(2);

/// How long containers have to run again that units make, all together.
const COMES_BACK: Duration = Duration::from_secs(60);

/// Something that could not be undone.
#[derive(Debug)]
pub(crate) struct Left {
    /// The step, to be tried again.
    pub undo: Undo,
    /// What was to be undone.
    pub what: String,
    pub error: StepError,
}

/// Undoes every step of `journal`. What fails is reported, and the rest goes on: as much as
/// possible is as before. Units of the run stop first, while their files are still there; then
/// the files come back; then what loads them does so.
pub(crate) async fn roll_back(
    host: &Host,
    journal: &mut Journal,
    progress: &mut dyn Progress,
) -> Vec<Left> {
    let mut undos: Vec<Undo> = journal.undos().iter().rev().cloned().collect();
    undos.sort_by_key(phase);
    let mut patience = Patience::default();
    let (mut left, mut put_back) = (Vec::new(), Vec::new());
    let mut without_engine = Vec::new();
    let mut unpulled = None;
    let of_packages = |undo: &Undo| matches!(undo, Undo::RemovePackages(_));
    let with_packages = undos.iter().any(of_packages);
    wait_for_reloads(host, &undos, &mut patience).await;
    wait_for_ufw(host, &undos);
    for undo in undos {
        if !is_needed(host, &undo).await {
            continue;
        }
        if starts(&undo).is_some() && unpulled.is_none() {
            remove_late(host, journal.undos(), &mut patience, progress).await;
            unpulled = Some(hold(host, journal, progress).await);
        }
        if matches!(undo, Undo::Exchange { .. }) {
            leave_out(journal, &put_back);
        }
        let what = describe(&undo);
        progress.say(&format!("undo: {what}"));
        let held = leave(host, journal, &undo, progress).await;
        let undone = undo_one(host, &undo, &mut patience).await;
        if let Err(error) = held.end(host).await {
            progress.warn(&format!("a drop-in stays until the next boot: {error}"));
        }
        match undone {
            Ok(()) if phase(&undo) == phase(&FILES) => put_back.push(undo),
            // The engine may run again: what waited for it comes before the units that start next.
            Ok(()) if starts(&undo).is_some() => {
                let waited = std::mem::take(&mut without_engine);
                without_engine = again(host, waited, &mut patience).await;
            }
            Ok(()) => {}
            // A recovery that was killed has removed its package.
            Err(error) if with_packages && is_of_gone_unit(&error) => {}
            Err(error) if error.is_engine_mute() => without_engine.push(Left { undo, what, error }),
            Err(error) => left.push(Left { undo, what, error }),
        }
    }
    left.extend(again(host, without_engine, &mut patience).await);
    for Left { what, error, .. } in &left {
        tracing::error!(%error, what, "could not undo");
    }
    wait_until_up(host, journal.undos(), &mut patience).await;
    if let Some(unpulled) = unpulled
        && let Err(error) = unpulled.end(host).await
    {
        progress.warn(&format!(
            "units went on without their pulls until the next boot: {error}"
        ));
    }
    left
}

/// Removes containers of the run once more, before what was there starts: the engine goes on making one whose compose was
/// ended as its unit stopped, and that one would keep the name.
async fn remove_late(
    host: &Host,
    undos: &[Undo],
    patience: &mut Patience,
    progress: &mut dyn Progress,
) {
    // Those that serve go when nginx asks others again.
    let is_idle =
        |undo: &&Undo| matches!(undo, Undo::RemoveContainers { serves, .. } if serves.is_empty());
    for undo in undos.iter().filter(is_idle) {
        if is_needed(host, undo).await {
            progress.say(&format!("undo: {}", describe(undo)));
            if let Err(error) = undo_one(host, undo, patience).await {
                tracing::error!(%error, what = describe(undo), "could not undo");
            }
        }
    }
}

/// Tries what the engine gave no answer for once more, and returns what is still without one.
async fn again(host: &Host, waited: Vec<Left>, patience: &mut Patience) -> Vec<Left> {
    if waited.is_empty() || host.engine_is_mute().await.is_some() {
        return waited;
    }
    let mut left = Vec::new();
    for Left { undo, what, .. } in waited {
        if is_needed(host, &undo).await
            && let Err(error) = undo_one(host, &undo, patience).await
        {
            left.push(Left { undo, what, error });
        }
    }
    left
}

/// Waits for reloads that go on: systemd ends the one of a run that was killed, and what it makes is known only then.
async fn wait_for_reloads(host: &Host, undos: &[Undo], patience: &mut Patience) {
    for undo in undos {
        let Undo::ReloadUnit(unit) = undo else {
            continue;
        };
        let until = patience.until_back();
        while let Ok(systemd) = host.systemd().await
            && let Ok(state) = systemd.unit(unit).await
            && state.active == "reloading"
            && Instant::now() < until
            && host.engine_is_mute().await.is_none()
        {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// Has the units start again without pulling: what they ran is on this host, and what a registry has now may be what failed.
async fn hold(host: &Host, journal: &Journal, progress: &mut dyn Progress) -> OneStart {
    let units = journal.undos().iter().filter_map(starts);
    let mut unpulled = OneStart::default();
    if let Err(error) = unpulled.without_pulls(host, units).await {
        progress.warn(&format!("units pull again as they start: {error}"));
    }
    unpulled
}

/// Has a stack that reloads its old files leave the containers as they are that were adopted.
async fn leave(
    host: &Host,
    journal: &Journal,
    undo: &Undo,
    progress: &mut dyn Progress,
) -> OneStart {
    let mut held = OneStart::default();
    let Undo::ReloadUnit(reloaded) = undo else {
        return held;
    };
    let services = journal.undos().iter().find_map(|undo| match undo {
        Undo::Leave { unit, services } if unit == reloaded => Some(services),
        _ => None,
    });
    if let Some(services) = services
        && let Err(error) = held.without_mounts(host, reloaded, services).await
    {
        progress.warn(&format!("adopted containers are recreated: {error}"));
    }
    held
}

/// The unit that an undo starts.
fn starts(undo: &Undo) -> Option<&str> {
    match undo {
        Undo::Start(unit) | Undo::Restart(unit) => Some(unit),
        _ => None,
    }
}

/// One of the undos that put files back.
const FILES: Undo = Undo::RemoveFolder(PathBuf::new());

/// Leaves out of the journal what was put back before the store is switched back: those files lead into the tree of the
/// run, and a recovery that is killed and begins anew must not make them lead there once that tree is gone.
fn leave_out(journal: &mut Journal, put_back: &[Undo]) {
    let rest = journal.undos().iter();
    let rest = rest.filter(|undo| !put_back.contains(undo)).cloned();
    if let Err(error) = journal.keep(rest.collect()) {
        tracing::warn!(%error, "the journal could not be shortened");
    }
}

/// How long is waited for jobs of units.
#[derive(Default)]
pub(super) struct Patience {
    /// What was spent while the engine did not answer.
    spent: Duration,
    /// Until when containers are waited for.
    back: Option<Instant>,
}

impl Patience {
    /// Bound of the next job.
    async fn bound(&self, host: &Host) -> Duration {
        match host.engine_is_mute().await {
            Some(_) => WITHOUT_DOCKER.saturating_sub(self.spent).max(AT_LEAST),
            None => UNIT,
        }
    }

    /// Until when containers are waited for that units make again: `docker-compose up` in a unit of its own goes on after the
    /// unit counts as started.
    pub(super) fn until_back(&mut self) -> Instant {
        *self.back.get_or_insert_with(|| Instant::now() + COMES_BACK)
    }

    /// Has a job done within the bound.
    pub(super) async fn wait<T>(
        &mut self,
        host: &Host,
        job: impl AsyncFnOnce(Duration) -> Result<T, HostError>,
    ) -> Result<T, StepError> {
        let bound = self.bound(host).await;
        let began = Instant::now();
        let done = job(bound).await;
        if bound < UNIT {
            self.spent += began.elapsed();
        }
        Ok(done?)
    }
}

/// Whether an undo has something to do: most of what a run would have done it never came to. What cannot be found out
/// is done.
async fn is_needed(host: &Host, undo: &Undo) -> bool {
    match undo {
        Undo::Stop(unit) | Undo::Forget(unit) => {
            let Ok(systemd) = host.systemd().await else {
                return true;
            };
            let state = systemd.unit(unit).await;
            !state.is_ok_and(|state| matches!(state.active.as_str(), "inactive" | ""))
        }
        Undo::RemoveContainers {
            project,
            known,
            services,
            ..
        } => {
            let made = made(host, project, known, services).await;
            !made.is_ok_and(|made| made.is_empty())
        }
        Undo::RemoveNetworks { project, known, .. } => {
            let made = made_networks(host, project, known).await;
            !made.is_ok_and(|made| made.is_empty())
        }
        Undo::RemoveOthers { networks, .. } => has_others(host, networks).await,
        Undo::Rename { container, name } => {
            let renamed = renamed(host, container, name).await;
            !renamed.is_ok_and(|renamed| renamed.is_none())
        }
        Undo::Tag { name, image, .. } => !leads_to(host, name, image).await,
        Undo::Rejoin {
            network,
            container,
            replicas,
            ..
        } => !is_joined(host, network, container, replicas.as_ref()).await,
        Undo::Engine(_) | Undo::OfBackup | Undo::Leave { .. } => false,
        Undo::RemoveNetwork(name) => is_there(host, name).await != Some(false),
        Undo::CreateNetwork { name, .. } => is_there(host, name).await != Some(true),
        _ => true,
    }
}

/// How long a request of a killed run may still be carried out.
const IN_FLIGHT: Duration = Duration::from_secs(3);

/// A run that was killed may have asked the engine for a network just before: it comes to be after that, when the undo
/// would have found none.
pub(crate) async fn await_last_request(host: &Host, journal: &Journal) {
    let Some(Undo::RemoveNetwork(name)) = journal.undos().last() else {
        return;
    };
    let until = Instant::now() + IN_FLIGHT;
    while is_there(host, name).await == Some(false) && Instant::now() < until {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether a name leads to that image.
async fn leads_to(host: &Host, name: &str, image: &str) -> bool {
    let Ok(docker) = host.docker().await else {
        return false;
    };
    let found = docker.image(name).await;
    found.is_ok_and(|found| found.is_some_and(|found| found.id == image))
}

/// Whether a network of that name exists; `None` where nobody tells.
async fn is_there(host: &Host, network: &str) -> Option<bool> {
    let found = host.docker().await.ok()?.network_id(network).await;
    found.ok().map(|id| id.is_some())
}

/// Waits, within bounds, until what was started again has started: planned before that, it
/// would look as if it did not run.
async fn wait_until_up(host: &Host, undos: &[Undo], patience: &mut Patience) {
    let until = Instant::now() + patience.bound(host).await;
    for undo in undos {
        let (Undo::Start(unit) | Undo::Restart(unit) | Undo::ReloadUnit(unit)) = undo else {
            continue;
        };
        while let Ok(systemd) = host.systemd().await
            && let Ok(state) = systemd.unit(unit).await
            && matches!(state.active.as_str(), "activating" | "deactivating")
            && Instant::now() < until
        {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

fn phase(undo: &Undo) -> u8 {
    match undo {
        Undo::RemoveContainers { serves, .. } if !serves.is_empty() => 7,
        Undo::Engine(_)
        | Undo::OfBackup
        | Undo::Leave { .. }
        | Undo::Stop(_)
        | Undo::RemoveContainers { .. }
        | Undo::RemoveNetworks { last: false, .. } => 0,
        Undo::Disconnect { .. } | Undo::Connect { .. } => 1,
        Undo::Restore { .. }
        | Undo::RemoveFolder(_)
        | Undo::Exchange { .. }
        | Undo::ForgetGeneration(_) => 2,
        Undo::CreateNetwork { .. } | Undo::Secrets { .. } => 3,
        Undo::DaemonReload
        | Undo::SetParameters(_)
        | Undo::Firewall { .. }
        | Undo::Ufw { .. }
        | Undo::RemoveOthers { .. }
        | Undo::Rename { .. }
        | Undo::Tag { last: false, .. } => 4,
        Undo::Restart(_) | Undo::ReloadUnit(_) | Undo::Start(_) | Undo::Forget(_) => 5,
        Undo::ReloadNginx | Undo::RestartNginx => 6,
        Undo::Rejoin { .. } | Undo::Tag { last: true, .. } => 7,
        // Units that the run has restarted were on it until they ran with their old files again.
        Undo::RemoveNetwork(_) | Undo::RemoveNetworks { last: true, .. } => 8,
        // What they run and load has its old files by then.
        Undo::RemovePackages(_) | Undo::InstallPackages(_) => 9,
    }
}

#[cfg(test)]
mod tests;
