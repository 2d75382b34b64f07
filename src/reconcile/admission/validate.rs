//! Validates what would be applied before anything live changes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::sure;
use crate::check::{self, Subject};
use crate::host::candidate::Names;
use crate::host::{Host, HostError};
use crate::model::{Finding, Preflight, Severity, Stack};
use crate::plan;
use crate::reconcile::planning::{lacking, outside};
use crate::reconcile::{Planned, ReconcileError, ask_versions};
use crate::source::Revision;

/// Adds what only the host knows about a plan to its findings: what nginx and systemd say about its
/// candidate, what units need and do not find, and compose files outside the checkout. What could
/// not be validated is added to its warnings. On an offline root nothing runs, and so nothing is
/// validated; a plan without changes costs nothing, and only one that starts something looks at who
/// listens and how much room there is.
///
/// # Errors
/// When the candidate could not be put together.
pub(in crate::reconcile) async fn report(
    host: &Host,
    planned: &mut Planned,
    ask: Names,
) -> Result<(), HostError> {
    if !planned.plan.is_empty()
        && let Some(revision) = &mut planned.revision
    {
        planned.warnings.extend(ask_versions(host, revision).await);
    }
    sure::report(planned);
    if !host.is_live() {
        return Ok(());
    }
    // First of all: it is for whoever reads the plan before they apply it.
    let code = plan::outside_packages(&planned.plan, &planned.desired, &planned.observed);
    planned.findings.splice(0..0, code);
    // What units and sites need may come with them, the programs that validate as well.
    if planned.plan.brings_packages() {
        let text = "nginx and systemd validate the rest once the packages are installed, before anything else changes";
        planned.warnings.push(text.to_owned());
        return Ok(());
    }
    preflight(host, planned);
    let Some(candidate) = plan::candidate(&planned.plan, &planned.desired) else {
        return Ok(());
    };
    if !nix::unistd::Uid::effective().is_root() {
        let text = "not validated by nginx and systemd: needs root";
        planned.warnings.push(text.to_owned());
        return Ok(());
    }
    let validation = host.validate(&candidate, ask).await?;
    planned.findings.extend(validation.findings);
    planned.warnings.extend(validation.not_validated);
    Ok(())
}

/// Validates what is around the plan.
fn preflight(host: &Host, planned: &mut Planned) {
    let mut external = Vec::new();
    if !planned.plan.is_empty()
        && let Some(revision) = &mut planned.revision
    {
        let known = outside::named_before(host, &planned.desired, &planned.recorded);
        let (findings, notes, stacks) = look_at_external(host, revision, &known);
        planned.warnings.extend(notes);
        external = stacks;
        let changed = sure::changed(planned, &external);
        let (of_the_plan, others): (Vec<_>, Vec<_>) = findings
            .into_iter()
            .partition(|finding| sure::concerns(finding, &changed));
        planned.findings.extend(of_the_plan);
        planned.other_findings.extend(others);
    }
    if let Some(revision) = &planned.revision {
        let (of_the_plan, others) = lacking::findings(host, revision, &planned.plan);
        let of_the_plan = check::set(of_the_plan, revision);
        let others = check::set(others, revision);
        planned.findings.extend(of_the_plan);
        planned.other_findings.extend(others);
    }
    let (mut needs, mut preflight) = (Vec::new(), Preflight::default());
    if plan::preflight::starts_units(&planned.plan) {
        needs = planned
            .revision
            .as_ref()
            .map(Revision::needs)
            .unwrap_or_default();
        preflight = host.preflight(plan::preflight::paths(&needs));
    }
    let findings = plan::preflight::findings(&plan::preflight::Case {
        plan: &planned.plan,
        desired: &planned.desired,
        observed: &planned.observed,
        needs: &needs,
        external: &external,
        preflight: &preflight,
    });
    planned.findings.extend(match &planned.revision {
        Some(revision) => check::set(findings, revision),
        None => findings,
    });
}

/// What the rules about compose files say of those that units name outside the checkout, what could not be read, and
/// what units run of them. Nobody can fix those in a commit, so that none of it stops an apply.
fn look_at_external(
    host: &Host,
    revision: &mut Revision,
    known: &BTreeSet<PathBuf>,
) -> (Vec<Finding>, Vec<String>, Vec<(String, Stack)>) {
    let external = revision.external(host.root().directory(), known);
    if external.is_empty() {
        return (Vec::new(), external.notes, external.stacks);
    }
    let before = check::projects(&Subject {
        revision,
        wrong: &[],
    });
    revision.take_in(&external);
    let subject = Subject {
        revision,
        wrong: &external.wrong,
    };
    let findings = check::external(&subject, &before, &external.files);
    let findings = findings
        .into_iter()
        .map(|finding| finding.weighing(Severity::Warning));
    (findings.collect(), external.notes, external.stacks)
}

/// [`report`] before an apply: errors stop it.
///
/// # Errors
/// When there are any, or the candidate could not be put together.
pub(in crate::reconcile) async fn demand(
    host: &Host,
    planned: &mut Planned,
) -> Result<(), ReconcileError> {
    report(host, planned, Names::Ask).await?;
    match planned.findings.iter().any(|finding| finding.is_error()) {
        true => Err(ReconcileError::Invalid(std::mem::take(
            &mut planned.findings,
        ))),
        false => Ok(()),
    }
}
