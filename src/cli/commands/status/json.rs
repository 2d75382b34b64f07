//! The status as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::commands::drift::Drift;
use crate::cli::json::{self, FORMAT_VERSION};
use crate::model::{Attempts, Pause, RunRecord, Waiting};
use crate::reconcile::{
    self, BackupStatus, CertificateStatus, ContainerStatus, DaemonStatus, Foreign, NetworkStatus,
    SecretStatus, Skip, UnitStatus,
};

/// `status --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Status {
    format_version: u32,
    in_sync: bool,
    interrupted: bool,
    applied: Option<RunRecord>,
    /// The last run, however it ended.
    last: Option<RunRecord>,
    /// The last run, if it failed.
    failed: Option<RunRecord>,
    attempts: Attempts,
    /// Why unattended runs skip the checkout's revision, if they do.
    skip: Option<Skip>,
    drift: Drift,
    pauses: BTreeMap<String, Pause>,
    /// What is rolled back unless `confirm` keeps it.
    waiting: Option<Waiting>,
    /// Daemons that were asked.
    daemons: Vec<DaemonStatus>,
    units: Vec<UnitStatus>,
    containers: Vec<ContainerStatus>,
    certificates: Vec<CertificateStatus>,
    /// Secrets, without their content.
    secrets: Vec<SecretStatus>,
    /// Backups, and how their last rehearsals ended.
    backups: Vec<BackupStatus>,
    foreign: Vec<Foreign>,
    networks: Vec<NetworkStatus>,
    /// Records that could not be read in full.
    warnings: Vec<String>,
}

json::document!(Status = "status");

impl Status {
    pub(super) fn new(status: reconcile::Status) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            in_sync: status.is_well(),
            interrupted: status.interrupted,
            applied: status.applied,
            last: status.last,
            failed: status.failed,
            attempts: status.attempts,
            skip: status.skip,
            drift: Drift::new(status.drift),
            pauses: status.pauses,
            waiting: status.waiting,
            daemons: status.daemons,
            units: status.units,
            containers: status.containers,
            certificates: status.certificates,
            secrets: status.secrets,
            backups: status.backups,
            foreign: status.foreign,
            networks: status.networks,
            warnings: status.warnings,
        }
    }
}
