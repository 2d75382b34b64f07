//! Backups are tables of watchme.toml. Their timers, and the services that those start, are generated and otherwise ordinary
//! units.

use std::path::{Path, PathBuf};

use super::Backups;
use super::data::{BACKUP_UNIT, REHEARSAL_UNIT};
use crate::source::error::Result;
use crate::source::load::{Loader, Reads};
use crate::source::unit::Name;

/// How many seconds a backup waits for an apply.
const PATIENCE: u32 = 3600;

pub(crate) struct GeneratedUnit {
    pub(crate) unit: Name,
    /// What its file says.
    pub(crate) text: String,
    /// Where it would be if it were written.
    pub(crate) source: PathBuf,
}

impl Reads for Backups {
    /// Whose service or volume it is, is known when the units are.
    fn complete(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        if loader.places.alone.is_some() {
            return Ok(());
        }
        let names: Vec<_> = loader.policy().backups.keys().cloned().collect();
        for name in names {
            let policy = loader.policy();
            let Some(written) = policy.backups.get(&name) else {
                continue;
            };
            let read = policy.backup(&name, written, &loader.out.desired);
            if let Some(backup) = loader.pass(read.map_err(Into::into))? {
                loader.out.desired.backups.insert(name.to_string(), backup);
            }
        }
        Ok(())
    }
}

impl Loader<'_, '_> {
    pub(crate) fn backup_units(&self) -> Result<Vec<GeneratedUnit>> {
        let mut units = Vec::new();
        if self.places.alone.is_some() {
            return Ok(units);
        }
        let folder = self.input(&self.policy().folders.units)?;
        let program = self.places.program.as_path();
        let mut add = |name: String, text: String| {
            // A name that cannot be one of a unit is an error of the backup.
            if let Ok(unit) = Name::parse(&name) {
                let source = folder.join(&name);
                units.push(GeneratedUnit { unit, text, source });
            }
        };
        for (name, backup) in &self.policy().backups {
            let name = name.as_str();
            if let Some(schedule) = &backup.schedule {
                let base = format!("{BACKUP_UNIT}{name}");
                let about = format!("Back up {name}");
                let command = format!("backup run {name} --lock-timeout {PATIENCE}");
                add(
                    format!("{base}.service"),
                    service(&about, program, &command),
                );
                add(format!("{base}.timer"), timer(&about, schedule));
            }
            let rehearsal = backup.rehearsal.as_ref();
            if let Some(schedule) = rehearsal.and_then(|rehearsal| rehearsal.schedule.as_ref()) {
                let base = format!("{REHEARSAL_UNIT}{name}");
                let about = format!("Rehearse the restore of {name}");
                let command = format!("restore {name} --into-scratch");
                add(
                    format!("{base}.service"),
                    service(&about, program, &command),
                );
                add(format!("{base}.timer"), timer(&about, schedule));
            }
        }
        Ok(units)
    }
}

/// By its absolute path: what systemd would find for a bare name, systemd.service(5), may be another one.
fn service(about: &str, program: &Path, command: &str) -> String {
    format!(
        "# Written by watchme-apply.
[Unit]
Description={about}
Wants=network-online.target
After=network-online.target docker.service podman.socket

[Service]
Type=oneshot
ExecStart={program} {command}
TimeoutStartSec=infinity
TimeoutStopSec=5min
",
        program = program.display(),
    )
}

fn timer(about: &str, schedule: &str) -> String {
    format!(
        "# Written by watchme-apply.
[Unit]
Description={about}

[Timer]
OnCalendar={schedule}
Persistent=true

[Install]
WantedBy=timers.target
"
    )
}
