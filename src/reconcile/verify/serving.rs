//! What served before serves after: no upstream of nginx that accepted connections before a run may be lost by it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::apply::{Run, StepError};
use crate::model::{ResourceId, Unit};
use crate::reconcile::{Planned, ReconcileError};

/// How long a program has to listen again once its unit is up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// The upstreams that served before a run.
pub(in crate::reconcile) struct Serving {
    before: BTreeMap<SocketAddr, BTreeSet<ResourceId>>,
}

impl Serving {
    /// Looks who serves, where a plan may take away what serves.
    pub(in crate::reconcile) async fn look(run: &Run<'_>, planned: &Planned) -> Self {
        let mut changes = planned.plan.changes.iter();
        let may_lose = changes.any(|change| change.effect.may_lose_upstreams());
        if !may_lose || !run.host.is_live() {
            return Self {
                before: BTreeMap::new(),
            };
        }
        let mut before = planned.desired.upstreams();
        let asked = before
            .keys()
            .copied()
            .filter(|address| !is_paused(planned, *address));
        let serving = run.host.serving(&asked.collect()).await;
        before.retain(|address, _| serving.contains(address));
        Self { before }
    }

    /// Waits until all of them serve again, but for those of units that may fail and have failed.
    pub(in crate::reconcile) async fn hold(
        &self,
        run: &Run<'_>,
        planned: &Planned,
    ) -> Result<(), ReconcileError> {
        let until = Instant::now() + PATIENCE;
        let failed_units = run.degraded.keys();
        let failed_units: Vec<&Unit> = failed_units
            .filter_map(|name| planned.desired.units.get(name))
            .collect();
        let excused = |address: &SocketAddr| {
            let mut units = failed_units.iter();
            units.any(|unit| unit.publishes(address.port()))
        };
        let mut missing: BTreeSet<SocketAddr> = self.before.keys().copied().collect();
        missing.retain(|address| !excused(address));
        loop {
            let serving = run.host.serving(&missing).await;
            missing.retain(|address| !serving.contains(address));
            if missing.is_empty() {
                return Ok(());
            }
            if run.interrupted.load(Ordering::Relaxed) {
                return Err(failed(StepError::Interrupted));
            }
            if Instant::now() > until {
                return Err(failed(self.lost(&missing)));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn lost(&self, missing: &BTreeSet<SocketAddr>) -> StepError {
        let by = missing
            .iter()
            .filter_map(|address| self.before.get(address));
        let by: BTreeSet<String> = by.flatten().map(ToString::to_string).collect();
        StepError::NoLongerServed {
            addresses: missing.iter().map(ToString::to_string).collect(),
            by: by.into_iter().collect(),
        }
    }
}

fn failed(source: StepError) -> ReconcileError {
    ReconcileError::of_step("what served before".to_owned(), source)
}

/// A paused unit is to be stopped, and the plan says so.
fn is_paused(planned: &Planned, address: SocketAddr) -> bool {
    let paused = planned.recorded.pauses.keys();
    let mut paused = paused.filter_map(|name| planned.desired.units.get(name));
    paused.any(|unit| unit.publishes(address.port()))
}
