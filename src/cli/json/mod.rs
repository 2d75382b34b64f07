//! The same for machines. `schema/` describes each object.

mod check;
mod ports;
mod routes;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(super) use check::Check;
pub(super) use ports::Ports;
pub(super) use routes::{Explained, Routes};

use super::masks::mask;
use crate::model::{self, Action, Attempts, DriftItem, Origin, Pause, RunRecord};
use crate::reconcile::{self, Lines, NetworkStatus, Planned, Skip};

/// Grows when a field changes its meaning or goes away; new fields do not count.
const FORMAT_VERSION: u32 = 1;

/// `plan --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Plan {
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
    notes: Vec<Note>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Change {
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
    /// What has to come back.
    expects: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Refusal {
    resource: String,
    why: String,
    help: Vec<String>,
}

/// A complaint of a rule; what looks like a secret is masked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Finding {
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
struct Place {
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
            let (line, column) = place.position();
            Place {
                path: place.path.to_string_lossy().into_owned(),
                line,
                column,
                text: mask(place.line_text()).into_owned(),
            }
        };
        Self {
            rule: finding.rule.name,
            why: finding.rule.why(),
            severity: finding.severity,
            message: mask(finding.message()).into_owned(),
            help: finding.help().map(|help| mask(help).into_owned()),
            place: finding.place().map(place),
        }
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Note {
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
                })
                .collect(),
            findings: planned.findings.iter().map(Finding::from).collect(),
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

fn change(change: &model::Change, show_secrets: bool) -> Change {
    let (action, subject) = action(&change.action);
    Change {
        resource: change.id.to_string(),
        action,
        subject,
        why: change.why.clone(),
        interrupts: change.interrupts.clone(),
        diff: change.diff.as_ref().map(|diff| Diff {
            old_path: diff.old_path.to_string_lossy().into_owned(),
            new_path: diff.new_path.to_string_lossy().into_owned(),
            unified: unified(diff, show_secrets),
        }),
    }
}

fn unified(diff: &model::Diff, show_secrets: bool) -> String {
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

fn action(action: &Action) -> (&'static str, String) {
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    match action {
        Action::CreateNetwork { name, .. } => ("create-network", name.clone()),
        Action::RemoveNetwork { name, .. } => ("remove-network", name.clone()),
        Action::CreateVolume { name, .. } => ("create-volume", name.clone()),
        Action::WriteCertificate(pair) => ("write-certificate", path(&pair.certificate)),
        Action::Store {
            path: file,
            file: Some(_),
            ..
        } => ("write", path(&model::layout::live(file))),
        Action::Store {
            path: file,
            file: None,
            ..
        }
        | Action::Remove { path: file, .. } => ("remove", path(file)),
        Action::Link { path: link, .. } => ("link", path(link)),
        Action::Copy { path: file, .. } => ("write", path(file)),
        Action::ClearMountPoint { path: file, .. } => ("remove", path(file)),
        Action::DaemonReload => ("daemon-reload", "systemd".to_owned()),
        Action::Start(step) => ("start", step.unit.clone()),
        Action::Restart(step) => ("restart", step.unit.clone()),
        Action::ReloadUnit(step) => ("reload", step.unit.clone()),
        Action::Stop(step) => ("stop", step.unit.clone()),
        Action::Soak(time) => ("soak", format!("{} s", time.as_secs_f64())),
        Action::Drain(drain) => ("drain", drain.unit.clone()),
        Action::Connect(connect) => ("connect", connect.container.clone()),
        Action::ReloadNginx => ("reload", "nginx.service".to_owned()),
        Action::RestartNginx => ("restart", "nginx.service".to_owned()),
        Action::StartNginx => ("start", "nginx.service".to_owned()),
    }
}

/// `apply --json` and `rollback --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Applied {
    format_version: u32,
    /// `in-sync`, `applied`, or `skipped` by an unattended run.
    outcome: &'static str,
    plan: Option<Plan>,
    run: Option<RunRecord>,
    /// Health gates that were asked, each with its answer.
    gates: Vec<model::Answer>,
    /// Why an unattended run left the host alone.
    skip: Option<Skip>,
    /// What somebody should look at although the run succeeded.
    warnings: Vec<String>,
}

impl Applied {
    pub fn new(applied: &reconcile::Applied, plan: Option<Plan>, warnings: &[String]) -> Self {
        let (outcome, run, skip, gates) = match applied {
            reconcile::Applied::InSync { gates, .. } => ("in-sync", None, None, gates.clone()),
            reconcile::Applied::Done(record) => {
                let run = Some((**record).clone());
                ("applied", run, None, record.gates.clone())
            }
            reconcile::Applied::Skipped(skip) => {
                ("skipped", None, Some((**skip).clone()), Vec::new())
            }
        };
        Self {
            format_version: FORMAT_VERSION,
            outcome,
            plan,
            run,
            gates,
            skip,
            warnings: warnings.to_vec(),
        }
    }
}

/// `drift --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Drift {
    format_version: u32,
    /// Not true either when something was not compared.
    in_sync: bool,
    /// Whether something was not compared, because this user may not look at it.
    incomplete: bool,
    /// Number of the generation that the host is compared with.
    generation: Option<u64>,
    items: Vec<DriftItem>,
    fixed: Vec<DriftItem>,
    warnings: Vec<String>,
}

impl Drift {
    pub fn new(drift: &reconcile::Drift) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            in_sync: drift.is_none() && !drift.incomplete,
            incomplete: drift.incomplete,
            generation: drift.applied.as_ref().and_then(|record| record.number),
            items: drift.items.clone(),
            fixed: drift.fixed.clone(),
            warnings: drift.warnings.clone(),
        }
    }
}

/// `status --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Status<'a> {
    format_version: u32,
    in_sync: bool,
    interrupted: bool,
    applied: Option<&'a RunRecord>,
    /// The last run, if it failed.
    failed: Option<&'a RunRecord>,
    attempts: &'a Attempts,
    /// Why unattended runs leave the checkout's revision alone, if they do.
    skip: Option<&'a Skip>,
    drift: Drift,
    pauses: &'a BTreeMap<String, Pause>,
    networks: &'a [NetworkStatus],
    /// Records that only tell less than they should.
    warnings: &'a [String],
}

impl<'a> Status<'a> {
    pub fn new(status: &'a reconcile::Status) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            in_sync: status.is_well(),
            interrupted: status.interrupted,
            applied: status.applied.as_ref(),
            failed: status.failed.as_ref(),
            attempts: &status.attempts,
            skip: status.skip.as_ref(),
            drift: Drift::new(&status.drift),
            pauses: &status.pauses,
            networks: &status.networks,
            warnings: &status.warnings,
        }
    }
}

/// `history --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct History<'a> {
    format_version: u32,
    /// The youngest first.
    runs: Vec<Run<'a>>,
    /// The git log between two generations, if it was asked for.
    between: Option<Between<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Run<'a> {
    #[serde(flatten)]
    run: &'a RunRecord,
    /// Whether its generation is kept, so that `rollback` can go back to it.
    kept: bool,
    /// Whether its generation is what is applied now.
    current: bool,
    /// What git says that its generation brought.
    git: Option<&'a Lines>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Between<'a> {
    from: u64,
    to: u64,
    git: &'a Lines,
}

impl<'a> History<'a> {
    pub fn new(history: &'a reconcile::History) -> Self {
        let runs = history.entries.iter().map(|entry| Run {
            run: &entry.run,
            kept: entry.kept,
            current: entry.current,
            git: entry.lines.as_ref(),
        });
        let between = history.between.as_ref().map(|(span, git)| Between {
            from: span.from,
            to: span.to,
            git,
        });
        Self {
            format_version: FORMAT_VERSION,
            runs: runs.collect(),
            between,
        }
    }
}

/// What any command prints instead when it fails.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Error {
    format_version: u32,
    error: String,
    caused_by: Vec<String>,
    hint: Option<String>,
    /// What nginx and systemd say, where they do not take what would be applied.
    findings: Vec<Finding>,
    exit_status: u8,
}

impl Error {
    pub fn new(failure: &super::Failure) -> Self {
        let mut caused_by = Vec::new();
        let mut cause = std::error::Error::source(failure);
        while let Some(error) = cause {
            caused_by.push(error.to_string());
            cause = error.source();
        }
        Self {
            format_version: FORMAT_VERSION,
            error: failure.to_string(),
            caused_by,
            hint: failure.hint(),
            findings: failure.findings().iter().map(Finding::from).collect(),
            exit_status: failure.exit_status(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The schemas in the repository are those of the code. `UPDATE_SCHEMAS=1` writes them anew.
    #[test]
    fn schemas_are_written_down() {
        let schemas = [
            ("plan", schemars::schema_for!(Plan)),
            ("apply", schemars::schema_for!(Applied)),
            ("drift", schemars::schema_for!(Drift)),
            ("status", schemars::schema_for!(Status<'static>)),
            ("history", schemars::schema_for!(History<'static>)),
            ("check", schemars::schema_for!(Check)),
            ("ports", schemars::schema_for!(Ports)),
            ("routes", schemars::schema_for!(Routes)),
            ("routes-explain", schemars::schema_for!(Explained)),
            ("error", schemars::schema_for!(Error)),
        ];
        for (name, schema) in schemas {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("schema")
                .join(format!("{name}.json"));
            let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
            if std::env::var_os("UPDATE_SCHEMAS").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            assert_eq!(
                std::fs::read_to_string(&path).unwrap(),
                text,
                "{}",
                path.display()
            );
        }
    }
}
