//! Plans, and the parts that other objects have, too.

use std::collections::BTreeSet;

use serde::Serialize;

use source_text::Location;

use super::super::masks::mask;
use super::FORMAT_VERSION;
use crate::check;
use crate::effect;
use crate::model::{self, Origin};
use crate::reconcile::Planned;

/// `plan --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Plan {
    format_version: u32,
    origin: Origin,
    /// The generation that it goes back to, if it is not an apply of the checkout.
    generation: Option<u64>,
    /// What the host is taken to be as, where `--from` says so and nobody looked at it.
    from: Option<Origin>,
    in_sync: bool,
    changes: Vec<Change>,
    /// Health gates that an apply would ask.
    gates: Vec<Gate>,
    refusals: Vec<Refusal>,
    /// What nginx and systemd say about what would be applied.
    findings: Vec<Finding>,
    /// What is found about what this plan does not change.
    other_findings: Vec<Finding>,
    notes: Vec<Note>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Change {
    /// `kind/name`.
    resource: String,
    action: &'static str,
    /// The path, unit, network or container that the action is done to.
    subject: String,
    why: String,
    /// Units that are interrupted besides the subject.
    interrupts: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Diff>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Diff {
    old_path: String,
    new_path: String,
    /// A unified diff; values that look like secrets are masked.
    unified: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Gate {
    /// A URL, or `tcp ADDRESS:PORT`, `container NAME`, `unit NAME`.
    gate: String,
    /// What has to come back.
    expects: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Refusal {
    resource: String,
    why: String,
    help: Vec<String>,
    /// What would be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<Diff>,
}

/// A complaint of a rule; what looks like a secret is masked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Finding {
    /// A stable name: `watchme-apply check --explain RULE` tells more.
    rule: &'static str,
    /// Why it matters.
    why: &'static str,
    /// Errors stop an apply.
    severity: model::Severity,
    message: String,
    help: Option<String>,
    /// Where in the checkout; `null` when it is about no place there.
    place: Option<Place>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Place {
    /// Relative to the checkout.
    path: String,
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    /// The line itself.
    text: String,
}

impl From<&model::Finding> for Finding {
    fn from(finding: &model::Finding) -> Self {
        let place = |place: &model::Diagnostic| {
            let Location { line, column } = place.position();
            Place {
                path: place.path().to_string_lossy().into_owned(),
                line,
                column,
                text: mask(place.line_text()).into_owned(),
            }
        };
        Self {
            rule: finding.rule.name,
            why: check::why(finding),
            severity: finding.severity,
            message: mask(finding.message()).into_owned(),
            help: finding.help().map(|help| mask(help).into_owned()),
            place: finding.place().map(place),
        }
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Note {
    resource: String,
    text: String,
}

impl Plan {
    pub fn new(planned: &Planned, show_secrets: bool) -> Self {
        let plan = &planned.plan;
        Self {
            format_version: FORMAT_VERSION,
            origin: planned.origin.clone(),
            generation: planned.generation,
            from: planned.from.clone(),
            in_sync: planned.is_in_sync(),
            changes: plan
                .changes
                .iter()
                .map(|one| change(one, show_secrets))
                .collect(),
            gates: plan
                .gates
                .iter()
                .map(|gate| Gate {
                    gate: gate.probe.to_string(),
                    expects: gate.probe.expects(),
                })
                .collect(),
            refusals: plan
                .refusals
                .iter()
                .map(|refusal| Refusal {
                    resource: refusal.id.to_string(),
                    why: refusal.why.clone(),
                    help: refusal.help.clone(),
                    diff: refusal.diff.as_ref().map(|one| diff(one, show_secrets)),
                })
                .collect(),
            findings: planned.findings.iter().map(Finding::from).collect(),
            other_findings: planned.other_findings.iter().map(Finding::from).collect(),
            notes: plan
                .notes
                .iter()
                .map(|note| Note {
                    resource: note.id.to_string(),
                    text: note.text.clone(),
                })
                .collect(),
            warnings: planned.warnings.clone(),
        }
    }
}

fn change(change: &effect::Change, show_secrets: bool) -> Change {
    let words = change.words();
    Change {
        resource: change.id.to_string(),
        action: words.verb,
        subject: words.subject,
        why: change.why.clone(),
        interrupts: change.interrupts.clone(),
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

fn unified(diff: &effect::Diff, show_secrets: bool) -> String {
    let old = diff.old.as_deref().unwrap_or_default();
    let new = diff.new.as_deref().unwrap_or_default();
    let text = similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .to_string();
    if show_secrets {
        return text;
    }
    text.lines().map(mask).collect::<Vec<_>>().join("\n")
}
