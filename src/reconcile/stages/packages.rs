//! Packages come first: what else there is to do is only known once they are there, and only then can nginx and systemd validate
//! it. All of it is one transaction.

use crate::apply::{Progress, Run};
use crate::effect::{Effect, Plan};
use crate::host::Host;
use crate::kinds;
use crate::model::{Desired, Kind, Observed, Recorded, ResourceId, Selector};
use crate::reconcile::admission::validate;
use crate::reconcile::planning::look;
use crate::reconcile::{Planned, ReconcileError, Request};
use crate::state::{Journal, State, Undo};

/// How often lists are loaded and packages installed in one run: the first may show what the second has to do.
const ROUNDS: usize = 3;

/// What a run has found out by installing packages.
#[derive(Default)]
pub(in crate::reconcile) struct Installed {
    /// What undoes it, if it did any.
    pub journal: Option<Journal>,
    /// A line for each step.
    pub steps: Vec<String>,
    /// The host before the run, if it brought packages.
    pub before: Option<Observed>,
    /// The host with them. What is as it is there was not put there by anything else of the run: packages that are removed
    /// again leave their configuration.
    pub after: Option<Observed>,
}

impl Installed {
    /// Has a plan say again what the host was before the run, and returns what it was with the packages.
    pub(in crate::reconcile) fn undone(self, planned: &mut Planned) -> Option<Observed> {
        planned.observed = self.before?;
        self.after
    }
}

/// Where a plan brings packages: installs them, plans the rest, and validates that.
///
/// # Errors
/// As [`install`], and when what is left to do is not valid.
pub(in crate::reconcile) async fn begin(
    host: &Host,
    state: &State,
    request: &Request,
    planned: &mut Planned,
    installed: &mut Installed,
    progress: &mut dyn Progress,
) -> Result<(), ReconcileError> {
    if !planned.plan.brings_packages() {
        return Ok(());
    }
    let before = planned.observed.clone();
    installed.before = Some(before.clone());
    let interrupted = request.interrupted.clone();
    let journal = state.journal()?;
    let mut run = Run::new(host, state, (journal, &before), interrupted, &mut *progress);
    let done = install(&mut run, request, planned, installed).await;
    installed.journal = Some(run.journal);
    installed.steps = run.steps;
    done?;
    validate::demand(host, planned).await?;
    // Whoever agreed to the plan has not seen them.
    let warnings = planned
        .findings
        .iter()
        .filter(|finding| !finding.is_error());
    warnings.for_each(|finding| progress.warn(&finding.to_string()));
    Ok(())
}

/// Installs what a plan brings of packages, and plans the rest.
///
/// # Errors
/// When a step failed, or what is planned then is refused or not valid.
async fn install(
    run: &mut Run<'_>,
    request: &Request,
    planned: &mut Planned,
    installed: &mut Installed,
) -> Result<(), ReconcileError> {
    for _ in 0..ROUNDS {
        if !planned.plan.brings_packages() {
            return Ok(());
        }
        let plan = first(&planned.plan);
        let done = run.make(&plan).await.map_err(ReconcileError::step);
        installed.after = look_again(run.host, planned).await;
        done?;
        // They are ours from here on.
        let brought = run.journal.undos().iter().filter_map(|undo| match undo {
            Undo::RemovePackages(names) => Some(names),
            _ => None,
        });
        let brought = brought.flatten();
        let wanted = brought.filter(|name| planned.desired.packages.contains_key(*name));
        let wanted: Vec<String> = wanted.cloned().collect();
        planned.recorded.inventory.packages.extend(wanted);
        planned.findings.clear();
        planned.other_findings.clear();
        look::look_and_plan(run.host, request, planned).await?;
        if !planned.plan.refusals.is_empty() {
            let refusals = std::mem::take(&mut planned.plan.refusals);
            return Err(ReconcileError::Refused(refusals));
        }
    }
    match planned.plan.brings_packages() {
        true => Err(ReconcileError::NotConverged {
            left: vec!["apt plans to install more each time it is asked".to_owned()],
        }),
        false => Ok(()),
    }
}

/// Loads lists alone where there is that to do: what is installed is only known then.
fn first(plan: &Plan) -> Plan {
    let updates = |effect: &Effect| matches!(effect, Effect::UpdatePackageLists);
    let only_lists = plan.changes.iter().any(|change| updates(&change.effect));
    let is_first = |effect: &Effect| match only_lists {
        true => updates(effect),
        false => effect.brings_packages(),
    };
    let changes = plan
        .changes
        .iter()
        .filter(|change| is_first(&change.effect));
    Plan {
        changes: changes.cloned().collect(),
        ..Plan::default()
    }
}

async fn look_again(host: &Host, planned: &Planned) -> Option<Observed> {
    let watch = kinds::watch(&planned.desired, &planned.recorded, &[]);
    host.observe(&watch).await.ok()
}

/// What a plan is about that can only bring packages.
fn only(planned: &Planned) -> Vec<Selector> {
    let names = planned.desired.packages.keys();
    let ids = names.map(|name| ResourceId::new(Kind::Package, name));
    let ids = ids.filter(|id| Selector::any(&planned.only, id));
    ids.map(Selector::exactly).collect()
}

/// Plans the packages alone, on a host that lacks what the rest needs to be looked at. Returns whether it brings any.
///
/// # Errors
/// When the host cannot be looked at.
pub(in crate::reconcile) async fn plan(
    host: &Host,
    request: &Request,
    planned: &mut Planned,
) -> Result<bool, ReconcileError> {
    let only = only(planned);
    if only.is_empty() {
        return Ok(false);
    }
    let watch = kinds::watch(
        &Desired {
            packages: planned.desired.packages.clone(),
            ..Desired::default()
        },
        &Recorded::default(),
        &only,
    );
    planned.observed = host.observe(&watch).await?;
    let all = std::mem::replace(&mut planned.only, only);
    look::plan_again(planned, request);
    planned.only = all;
    let brings = planned.plan.brings_packages() || !planned.plan.refusals.is_empty();
    if brings {
        let text = "only the packages are planned: the container engine does not answer yet; an apply plans the rest once they are installed";
        planned.warnings.push(text.to_owned());
        planned.incomplete = true;
    }
    Ok(brings)
}
