//! Plans as JSON.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{FORMAT_VERSION, Finding};
use crate::cli::masks::DiffMask;
use crate::effect::{self, Effect};
use crate::model::Origin;
use crate::reconcile::Planned;

/// `plan --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Plan {
    format_version: u32,
    origin: Origin,
    /// The generation that it goes back to, if it does not apply the checkout.
    generation: Option<u64>,
    /// With `--from`: the revision that the host is assumed to match; no host was asked.
    from: Option<Origin>,
    in_sync: bool,
    changes: Vec<Change>,
    /// Health gates that an apply would check.
    gates: Vec<Gate>,
    refusals: Vec<Refusal>,
    /// What nginx and systemd say about what would be applied.
    findings: Vec<Finding>,
    /// Findings about files that this plan does not change.
    other_findings: Vec<Finding>,
    notes: Vec<Note>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Change {
    /// `kind/name`.
    resource: String,
    action: &'static str,
    /// The path, unit, network or container that the action is done to.
    subject: String,
    why: String,
    /// Units that are interrupted besides the subject.
    interrupts: BTreeSet<String>,
    /// Of a stack that is started or reloaded, the services that run and whose containers compose recreates or restarts; missing where that is not known beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Diff>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Diff {
    old_path: String,
    new_path: String,
    /// A unified diff; values that look like secrets are masked.
    unified: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Gate {
    /// A URL, or `tcp ADDRESS:PORT`, `container NAME`, `unit NAME`.
    gate: String,
    /// The expected answer.
    expects: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Refusal {
    resource: String,
    why: String,
    help: Vec<String>,
    /// What would be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Diff>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Note {
    resource: String,
    text: String,
}

impl Plan {
    pub(in crate::cli) fn new(planned: &Planned, show_secrets: bool) -> Self {
        let plan = &planned.plan;
        let gates = plan.gates.iter().map(|gate| Gate {
            gate: gate.probe.to_string(),
            expects: gate.probe.expects(),
        });
        let refusals = plan.refusals.iter().map(|refusal| Refusal {
            resource: refusal.id.to_string(),
            why: refusal.why.clone(),
            help: refusal.help.clone(),
            diff: refusal.diff.as_ref().map(|one| diff(one, show_secrets)),
        });
        let notes = plan.notes.iter().map(|note| Note {
            resource: note.id.to_string(),
            text: note.text.clone(),
        });
        Self {
            format_version: FORMAT_VERSION,
            origin: planned.origin.clone(),
            generation: planned.generation,
            from: planned.from.clone(),
            in_sync: planned.is_in_sync(),
            changes: changes(&plan.changes, show_secrets),
            gates: gates.collect(),
            refusals: refusals.collect(),
            findings: planned.findings.iter().map(Finding::from).collect(),
            other_findings: planned.other_findings.iter().map(Finding::from).collect(),
            notes: notes.collect(),
            warnings: planned.warnings.clone(),
        }
    }
}

pub(in crate::cli) fn changes(changes: &[effect::Change], show_secrets: bool) -> Vec<Change> {
    let changes = changes.iter().map(|one| change(one, show_secrets));
    changes.collect()
}

fn change(change: &effect::Change, show_secrets: bool) -> Change {
    let words = change.words();
    Change {
        resource: change.id.to_string(),
        action: words.verb,
        subject: words.subject,
        why: change.why.clone(),
        interrupts: change.interrupts.clone(),
        services: match &change.effect {
            Effect::Start(step) | Effect::ReloadUnit(step) => step.anew.clone(),
            _ => None,
        },
        diff: change.diff.as_ref().map(|one| diff(one, show_secrets)),
    }
}

fn diff(diff: &effect::Diff, show_secrets: bool) -> Diff {
    Diff {
        old_path: diff.old_path.to_string_lossy().into_owned(),
        new_path: diff.new_path.to_string_lossy().into_owned(),
        unified: unified(diff, show_secrets),
    }
}

pub(in crate::cli) fn unified(diff: &effect::Diff, show_secrets: bool) -> String {
    let old = diff.old.as_deref().unwrap_or_default();
    let new = diff.new.as_deref().unwrap_or_default();
    let text = similar::TextDiff::from_lines(old, new);
    let text = text.unified_diff().to_string();
    if show_secrets {
        return text;
    }
    let mut mask = DiffMask::default();
    let lines = text.lines().map(|line| mask.unified(line));
    lines.collect::<Vec<_>>().join("\n")
}
