//! What a merge would do, without a host: that one is taken to be as another revision has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::kinds;
use crate::model::{Desired, DriftKind, Observed};
use crate::plan::{Gates, Inputs};
use crate::reconcile::{Planned, ReconcileError};
use crate::source::unit::{self, Settings};
use crate::source::{Checkout, Revision, Which};

/// Plans `to` on a host that is as `from` has it. What only a host knows (who owns files, which
/// certificates are there, what containers do) is taken to be right.
///
/// # Errors
/// When one of the two cannot be read.
pub(crate) fn plan_between(
    checkout: &Checkout,
    from: &Which,
    to: &Which,
    allow_empty: bool,
) -> Result<Planned, ReconcileError> {
    let before = checkout
        .read_base(from)
        .map_err(|source| ReconcileError::Base {
            rev: match from {
                Which::Rev(rev) => rev.clone(),
                _ => "HEAD".to_owned(),
            },
            source: Box::new(source),
        })?;
    let after = checkout.read_after(to, &before.desired)?;
    let (mut observed, recorded) = kinds::simulated(&before.desired, &before.origin);
    kinds::simulate_host(&after.desired, &mut observed);
    fill_dependents(&before, &mut observed);
    fill_reloads(&before, &mut observed);
    let mut checkouts = vec![checkout.root().to_owned()];
    checkouts.extend(after.parsed.policy.checkout.as_deref().cloned());
    let mut plan = kinds::plan(Inputs {
        desired: &after.desired,
        observed: &observed,
        recorded: &recorded,
        only: &[],
        left_alone: None,
        checkouts: &checkouts,
        allow_empty,
        gates: Gates::Touched,
        ran: None,
        now: jiff::Timestamp::now(),
    });
    // How well things do only a host knows.
    plan.notes
        .retain(|note| note.drift != Some(DriftKind::Degraded));
    let mut warnings = before.warnings;
    warnings.extend(unknown_certificates(&before.desired, &after.desired));
    warnings.extend(touched(checkout, from, to, &after)?);
    warnings.extend(after.warnings);
    Ok(Planned {
        plan,
        origin: after.origin,
        from: Some(before.origin),
        desired: after.desired,
        observed,
        recorded,
        checkouts,
        warnings,
        ..Planned::default()
    })
}

/// Which hosts it concerns, where hosts have files of their own: those whose inputs differ.
fn touched(
    checkout: &Checkout,
    from: &Which,
    to: &Which,
    after: &Revision,
) -> Result<Option<String>, ReconcileError> {
    let mut touched = Vec::new();
    for host in &after.parsed.hosts {
        let of_host = |which: &Which| checkout.inputs_of(host, which);
        // A host that is new has none before.
        if of_host(from).ok() != Some(of_host(to)?) {
            touched.push(host.as_str());
        }
    }
    Ok(match (after.parsed.hosts.is_empty(), touched.is_empty()) {
        (true, _) => None,
        (false, true) => Some("no host is affected".to_owned()),
        (false, false) => Some(format!(
            "affects the hosts {}; --host NAME plans for one of them",
            touched.join(", ")
        )),
    })
}

/// Certificates that sites name anew.
fn unknown_certificates(before: &Desired, after: &Desired) -> Vec<String> {
    let named = |desired: &Desired| -> BTreeSet<std::path::PathBuf> {
        let pairs = desired.sites.values().flat_map(|site| &site.certificates);
        pairs.map(|pair| pair.certificate.clone()).collect()
    };
    let (known, wanted) = (named(before), named(after));
    let unknown = wanted.difference(&known);
    let bootstraps = after.bootstrap_certificates;
    unknown
        .map(|path| match bootstraps {
            true => format!(
                "{} is new in this revision: if it does not exist, a self-signed one is written",
                path.display()
            ),
            false => format!(
                "{} is new in this revision: only the host knows whether it exists",
                path.display()
            ),
        })
        .collect()
}

/// Which units a restart also restarts, by the units' own words: those that require, bind to or are part of another one,
/// systemd.unit(5).
fn fill_dependents(revision: &Revision, observed: &mut Observed) {
    let Some(systemd) = &mut observed.systemd else {
        return;
    };
    let dependents = dependents(&revision.parsed.units);
    for (name, state) in &mut systemd.units {
        let mut todo = vec![name.as_str()];
        while let Some(next) = todo.pop() {
            for other in dependents.get(next).into_iter().flatten() {
                let unit = revision.desired.units.get(other);
                let runs = unit.is_some_and(|unit| unit.start);
                if runs && other != name && state.dependents.insert(other.clone()) {
                    todo.push(other);
                }
            }
        }
    }
}

/// Which units can be reloaded: those that say how, systemd.service(5).
fn fill_reloads(revision: &Revision, observed: &mut Observed) {
    let states = observed.systemd.iter_mut();
    for (name, state) in states.flat_map(|systemd| &mut systemd.units) {
        let settings = revision.parsed.units.get(name);
        state.can_reload = settings.is_some_and(|settings| {
            let kind = settings.last("Service", "Type");
            !settings.list("Service", "ExecReload").is_empty()
                || kind.is_some_and(|kind| kind.text == "notify-reload")
        });
    }
}

/// Of each unit, those that stop with it.
fn dependents(units: &BTreeMap<String, Settings>) -> BTreeMap<String, BTreeSet<String>> {
    let mut dependents: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |unit: &str, dependent: &str| {
        let known = dependents.entry(unit.to_owned()).or_default();
        known.insert(dependent.to_owned());
    };
    for (name, settings) in units {
        for key in ["Requires", "BindsTo", "PartOf"] {
            for value in settings.list("Unit", key) {
                for other in unit::words(&value.text) {
                    add(other, name);
                }
            }
        }
        for value in settings.list("Install", "RequiredBy") {
            for other in unit::words(&value.text) {
                add(name, other);
            }
        }
    }
    dependents
}

#[cfg(test)]
mod tests;
