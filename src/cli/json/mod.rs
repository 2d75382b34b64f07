//! The same for machines. `schema/` describes each object.

mod check;
mod plan;
mod ports;
mod routes;

use std::collections::BTreeMap;

use serde::Serialize;

pub(super) use check::Check;
use plan::Finding;
pub(super) use plan::Plan;
pub(super) use ports::Ports;
pub(super) use routes::{Explained, Routes};

use crate::model::{self, Attempts, DriftItem, Pause, RunRecord};
use crate::reconcile::{
    self, CertificateStatus, ContainerStatus, DaemonStatus, Foreign, Lines, NetworkStatus, Skip,
    UnitStatus,
};

/// Grows when a field changes its meaning or goes away; new fields do not count.
const FORMAT_VERSION: u32 = 1;

/// `apply --json` and `rollback --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Applied {
    format_version: u32,
    /// `in-sync`, `applied`, `degraded` (applied, but units that may fail did), or `skipped` by an unattended run.
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
                let outcome = match record.outcome {
                    model::Outcome::Degraded => "degraded",
                    _ => "applied",
                };
                (outcome, run, None, record.gates.clone())
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
    /// The last run, whatever became of it.
    last: Option<&'a RunRecord>,
    /// The last run, if it failed.
    failed: Option<&'a RunRecord>,
    attempts: &'a Attempts,
    /// Why unattended runs leave the checkout's revision alone, if they do.
    skip: Option<&'a Skip>,
    drift: Drift,
    pauses: &'a BTreeMap<String, Pause>,
    /// Daemons that were asked.
    daemons: &'a [DaemonStatus],
    units: &'a [UnitStatus],
    containers: &'a [ContainerStatus],
    certificates: &'a [CertificateStatus],
    foreign: &'a [Foreign],
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
            last: status.last.as_ref(),
            failed: status.failed.as_ref(),
            attempts: &status.attempts,
            skip: status.skip.as_ref(),
            drift: Drift::new(&status.drift),
            pauses: &status.pauses,
            daemons: &status.daemons,
            units: &status.units,
            containers: &status.containers,
            certificates: &status.certificates,
            foreign: &status.foreign,
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
