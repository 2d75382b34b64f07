//! `[backup.NAME]`: what is backed up, where to, and how a restore is rehearsed.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Policy;
use super::spanned::Spanned;
use super::values::{Age, Duration, FilePath, Name, NamedCommand, Program, Schedule, Size};
use crate::model::{
    Backup, BackupOf, Desired, Diagnostic, Keep, MemberName, Rehearsal, Unit, layout,
};

/// Longest name: it is part of the names of units and files.
const LONGEST: usize = 60;

/// `[backup.NAME]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BackupPolicy {
    /// The stack whose service is backed up.
    #[cfg_attr(test, schemars(example = &"db"))]
    pub stack: Option<Spanned<String>>,
    /// The unit that runs it, where that is no stack.
    #[cfg_attr(test, schemars(title = "unit name", example = &"db.service"))]
    pub unit: Option<Spanned<String>>,
    /// The service in its compose file. Not needed where there is only one.
    #[cfg_attr(test, schemars(example = &"postgres"))]
    pub service: Option<Spanned<String>>,
    /// Prints the backup: in the container of the service, or on the host if neither `stack` nor `unit` is there. With
    /// `volume`, it runs on the host while the volume is in use, and prints a snapshot of it.
    #[cfg_attr(test, schemars(example = ["pg_dump", "-U", "app", "-Fc", "app"]))]
    pub command: Option<Program>,
    /// The volume that is backed up, by the name that the engine has for it. Units that use it stop for that time.
    #[cfg_attr(test, schemars(example = &"db_data"))]
    pub volume: Option<Spanned<String>>,
    /// Files and folders of the host that are backed up. Links are kept as links.
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = ["/etc/letsencrypt"]))]
    pub files: Vec<FilePath>,
    /// The folder that gets the backups.
    #[cfg_attr(test, schemars(example = &"/srv/backups"))]
    pub to: Option<Spanned<FilePath>>,
    /// Gets each backup on its standard input, on the host; `{}` is its name.
    #[cfg_attr(test, schemars(example = ["rclone", "rcat", "offsite:backups/{}"]))]
    pub store: Option<NamedCommand>,
    /// Prints a backup that `store` has put away.
    #[cfg_attr(test, schemars(example = ["rclone", "cat", "offsite:backups/{}"]))]
    pub fetch: Option<NamedCommand>,
    /// Removes a backup that `store` has put away and that is not kept.
    ///
    /// Default: nothing removes them
    #[cfg_attr(test, schemars(example = ["rclone", "deletefile", "offsite:backups/{}"]))]
    pub remove: Option<NamedCommand>,
    /// Gets a backup on its standard input, where `command` runs, and restores it. Volumes and files need none.
    #[cfg_attr(test, schemars(example = ["pg_restore", "-U", "app", "-d", "app", "--clean", "--if-exists"]))]
    pub restore: Option<Program>,
    /// Secrets whose variables the commands get: files of `secrets/` with lines `NAME=VALUE`.
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = ["restic.env"]))]
    pub environment: Vec<Spanned<String>>,
    /// How many of the last backups are kept. The last good one always is.
    #[cfg_attr(test, schemars(example = 7))]
    pub keep: u16,
    /// The last one of each of so many days is kept, too.
    #[cfg_attr(test, schemars(example = 14))]
    pub keep_daily: u16,
    /// The same of weeks.
    #[cfg_attr(test, schemars(example = 8))]
    pub keep_weekly: u16,
    /// The same of months.
    #[cfg_attr(test, schemars(example = 12))]
    pub keep_monthly: u16,
    /// When it runs, as `OnCalendar=` in systemd.timer(5). A time that passed while the server was off is made up for.
    ///
    /// Default: only `backup run NAME`
    #[cfg_attr(test, schemars(example = &"03:15"))]
    pub schedule: Option<Schedule>,
    /// Before an apply stops or replaces what is backed up, a backup is made if the last good one is older.
    ///
    /// Default: none is made
    #[cfg_attr(test, schemars(example = &"1h"))]
    pub before_change: Option<Duration>,
    /// A last good one that is older is reported by `status` as overdue.
    ///
    /// Default: none is overdue
    #[cfg_attr(test, schemars(example = &"26h"))]
    pub max_age: Option<Age>,
    /// Longest time for a backup, a restore or a rehearsal.
    #[cfg_attr(test, schemars(example = &"2h"))]
    pub timeout: Duration,
    /// How a restore is rehearsed: see [backups](backups.md#rehearse-the-restore).
    pub rehearsal: Option<RehearsalPolicy>,
}

impl Default for BackupPolicy {
    fn default() -> Self {
        Self {
            stack: None,
            unit: None,
            service: None,
            command: None,
            volume: None,
            files: Vec::new(),
            to: None,
            store: None,
            fetch: None,
            remove: None,
            restore: None,
            environment: Vec::new(),
            keep: 7,
            keep_daily: 0,
            keep_weekly: 0,
            keep_monthly: 0,
            schedule: None,
            before_change: None,
            max_age: None,
            // A timer that waits for one would block applies for that long.
            timeout: Duration::seconds(60 * 60),
            rehearsal: None,
        }
    }
}

/// `[backup.NAME.rehearsal]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RehearsalPolicy {
    /// When it runs, as `OnCalendar=` in systemd.timer(5).
    ///
    /// Default: only `restore NAME --into-scratch`
    #[serde(default)]
    #[cfg_attr(test, schemars(example = &"Sun 05:00"))]
    pub schedule: Option<Schedule>,
    /// Is asked in the scratch container until it exits with 0; then the restore begins.
    ///
    /// Default: it begins when the container runs
    #[serde(default)]
    #[cfg_attr(test, schemars(example = ["pg_isready", "-h", "127.0.0.1"]))]
    pub ready: Option<Program>,
    /// How long that may take.
    #[serde(default = "ready_timeout")]
    #[cfg_attr(test, schemars(example = &"2m"))]
    pub ready_timeout: Duration,
    /// Restores into the scratch container; of a command of the host, into the empty folder where it is started.
    ///
    /// Default: `restore` of the backup
    #[serde(default)]
    #[cfg_attr(test, schemars(example = ["pg_restore", "-U", "app", "-d", "app"]))]
    pub restore: Option<Program>,
    /// Has to exit with 0 in the scratch container once the restore is done; for files, in the folder that they are restored
    /// to.
    #[cfg_attr(test, schemars(example = ["psql", "-U", "app", "-tAc", "select count(*) > 0 from accounts"]))]
    pub gate: Program,
    /// What `gate` has to print, white space at its ends apart.
    ///
    /// Default: anything
    #[serde(default)]
    #[cfg_attr(test, schemars(example = &"t"))]
    pub expect: Option<Name>,
    /// A last good one that is older is reported by `status` as overdue.
    ///
    /// Default: none is overdue
    #[serde(default)]
    #[cfg_attr(test, schemars(example = &"8d"))]
    pub max_age: Option<Age>,
    /// The memory that the scratch container may use.
    #[serde(default = "memory")]
    #[cfg_attr(test, schemars(example = &"1G"))]
    pub memory: Size,
}

fn ready_timeout() -> Duration {
    Duration::seconds(60)
}

fn memory() -> Size {
    Size::bytes(512 * 1024 * 1024)
}

impl Policy {
    /// Refuses files that have decrypted secrets among them, or the backups themselves.
    fn demand_backup_of(
        &self,
        span: Range<usize>,
        policy: &BackupPolicy,
        paths: &[PathBuf],
    ) -> Result<(), Diagnostic> {
        for path in paths {
            let secrets = Path::new(layout::SECRETS);
            // The FHS has /var/run as a link to /run.
            let real = path.strip_prefix("/var/run");
            let real = real.map_or_else(|_| path.clone(), |below| Path::new("/run").join(below));
            // The link itself is nothing but a link.
            let is_link = path == Path::new("/var/run");
            if !is_link && (secrets.starts_with(&real) || real.starts_with(secrets)) {
                let message = format!(
                    "{} has the decrypted secrets, which are not put on a disk",
                    path.display()
                );
                let expected = "expected files and folders without them";
                return Err(self.file.complain(span, &message, expected, None));
            }
            if let Some(to) = &policy.to
                && to.starts_with(path)
            {
                let message = format!(
                    "{} has the folder of the backups: each would have all earlier ones in it",
                    path.display()
                );
                let expected = "expected files and folders without it, or another to";
                return Err(self.file.complain(span, &message, expected, None));
            }
        }
        Ok(())
    }

    /// What is wanted of a backup, or the first error in it.
    ///
    /// # Errors
    /// What is wrong, at its place.
    pub(crate) fn backup(
        &self,
        name: &Spanned<String>,
        policy: &BackupPolicy,
        desired: &Desired,
    ) -> Result<Backup, Diagnostic> {
        let wrong = |span: Range<usize>, message: &str, expected: &str| {
            self.file.complain(span, message, expected, None)
        };
        let here = |message: &str, expected: &str| wrong(name.span(), message, expected);
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(is_letter) {
            return Err(here(
                &format!("{:?} cannot be the name of a backup", name.as_str()),
                "expected letters, digits, - and _",
            ));
        }
        if policy.to.is_none() && policy.store.is_none() {
            return Err(here("the backup goes nowhere", "expected to or store"));
        }
        if policy.store.is_some() && policy.to.is_none() && policy.fetch.is_none() {
            return Err(here(
                "nothing brings back what store puts away",
                "expected fetch, too",
            ));
        }
        let member = self.backed_up(policy, desired)?;
        let command = policy.command.as_ref().map(|command| command.0.clone());
        let of = match (&policy.volume, policy.files.as_slice(), member, command) {
            (Some(volume), [], member, command) => BackupOf::Volume {
                volume: volume.to_string(),
                member,
                command,
            },
            (None, [], Some(member), Some(command)) => BackupOf::Service { member, command },
            (None, [], None, Some(command)) => BackupOf::Host(command),
            (None, [_, ..], None, None) => {
                let paths = policy.files.iter();
                BackupOf::Files(paths.map(|path| (**path).clone()).collect())
            }
            _ => {
                return Err(here(
                    "it is not clear what is backed up",
                    "expected command, volume or files, and stack or unit only beside the first two",
                ));
            }
        };
        let restore = policy.restore.as_ref().map(|command| command.0.clone());
        let rehearsal = policy.rehearsal.as_ref().map(RehearsalPolicy::read);
        if let (BackupOf::Service { .. } | BackupOf::Host(_), Some(rehearsal)) = (&of, &rehearsal) {
            let own = rehearsal.restore.is_some();
            // The one of the backup restores into what is there.
            let needs_own = matches!(of, BackupOf::Host(_));
            if !own && (needs_own || restore.is_none()) {
                return Err(here(
                    "nothing restores it in a rehearsal",
                    match needs_own {
                        true => "expected restore in its rehearsal, too",
                        false => "expected restore",
                    },
                ));
            }
        }
        for secret in &policy.environment {
            if !desired.secrets.contains_key(secret.as_str()) {
                let known = desired.secrets.keys().map(String::as_str);
                return Err(self.unknown("secret", secret, known));
            }
        }
        if let BackupOf::Files(paths) = &of {
            self.demand_backup_of(name.span(), policy, paths)?;
        }
        if policy.timeout.is_zero() {
            return Err(here(
                "no backup can be made in no time",
                "expected timeout to be longer than 0s",
            ));
        }
        if policy.keep == 0 {
            return Err(here(
                "no backup would be kept",
                "expected keep to be 1 at least",
            ));
        }
        Ok(Backup {
            of,
            to: policy.to.as_ref().map(|path| (***path).clone()),
            store: policy.store.as_ref().map(|command| command.0.clone()),
            fetch: policy.fetch.as_ref().map(|command| command.0.clone()),
            remove: policy.remove.as_ref().map(|command| command.0.clone()),
            restore,
            environment: policy
                .environment
                .iter()
                .map(|name| name.to_string())
                .collect(),
            keep: Keep {
                last: policy.keep.into(),
                daily: policy.keep_daily.into(),
                weekly: policy.keep_weekly.into(),
                monthly: policy.keep_monthly.into(),
            },
            schedule: policy.schedule.as_deref().cloned(),
            before_change: policy.before_change.map(|time| *time),
            max_age: policy.max_age.map(|time| *time),
            timeout: *policy.timeout,
            rehearsal,
        })
    }

    /// The container of the service that is backed up; `None` where none is named.
    fn backed_up(
        &self,
        policy: &BackupPolicy,
        desired: &Desired,
    ) -> Result<Option<MemberName>, Diagnostic> {
        let (unit, written) = match (&policy.stack, &policy.unit) {
            (None, None) => {
                return match &policy.service {
                    None => Ok(None),
                    Some(service) => Err(self.file.complain(
                        service.span(),
                        "it is not clear whose service this is",
                        "expected stack or unit, too",
                        None,
                    )),
                };
            }
            (Some(_), Some(unit)) => {
                let message = "a service is run by a stack or by a unit";
                let expected = "expected only one of stack and unit";
                return Err(self.file.complain(unit.span(), message, expected, None));
            }
            (Some(stack), None) => {
                let is = |unit: &&Unit| unit.stack.as_deref() == Some(stack.as_str());
                let known = desired
                    .units
                    .values()
                    .filter_map(|unit| unit.stack.as_deref());
                let unit = desired.units.values().find(is);
                let unknown = || self.unknown("stack", stack, known.collect::<Vec<_>>());
                (unit.ok_or_else(unknown)?, stack)
            }
            (None, Some(name)) => {
                let known = desired.units.keys().map(String::as_str);
                let unit = desired.units.get(name.as_str());
                let unknown = || self.unknown("unit", name, known.collect::<Vec<_>>());
                (unit.ok_or_else(unknown)?, name)
            }
        };
        let services: Vec<MemberName> = services(unit).collect();
        let is = |member: &&MemberName, wanted: &str| match member {
            MemberName::Container(name) => name == wanted,
            MemberName::Service { service, .. } => service == wanted,
        };
        let found = match (&policy.service, services.as_slice()) {
            (None, [one]) => Some(one),
            (Some(wanted), all) => all.iter().find(|member| is(member, wanted)),
            (None, _) => None,
        };
        let named: Vec<&str> = services
            .iter()
            .map(|member| match member {
                MemberName::Container(name) => name.as_str(),
                MemberName::Service { service, .. } => service.as_str(),
            })
            .collect();
        match (found, &policy.service) {
            (Some(found), _) => Ok(Some(found.clone())),
            (None, Some(service)) => Err(self.file.complain(
                service.span(),
                format!("{} has no service {:?}", written.as_str(), service.as_str()),
                match named.is_empty() {
                    true => "it runs no container that is known here".to_owned(),
                    false => format!("expected one of {}", named.join(", ")),
                },
                None,
            )),
            (None, None) => Err(self.file.complain(
                written.span(),
                "it is not clear which service is backed up",
                format!("expected service, one of {}", named.join(", ")),
                None,
            )),
        }
    }
}

/// The containers that a unit runs.
fn services(unit: &Unit) -> impl Iterator<Item = MemberName> {
    let of_stacks = unit.stacks.iter().flat_map(|stack| {
        stack.services.iter().map(|service| MemberName::Service {
            project: stack.project.clone(),
            service: service.clone(),
        })
    });
    let runs = unit.runs.iter().filter_map(|run| run.name.clone());
    let of_podman = unit.by_podman.iter().filter_map(|run| run.name.clone());
    of_stacks.chain(runs.chain(of_podman).map(MemberName::Container))
}

impl RehearsalPolicy {
    fn read(&self) -> Rehearsal {
        Rehearsal {
            schedule: self.schedule.as_deref().cloned(),
            ready: self.ready.as_ref().map(|command| command.0.clone()),
            ready_timeout: *self.ready_timeout,
            restore: self.restore.as_ref().map(|command| command.0.clone()),
            gate: self.gate.0.clone(),
            expect: self.expect.as_deref().map(|text| text.trim().to_owned()),
            max_age: self.max_age.map(|time| *time),
            memory: *self.memory,
        }
    }
}
