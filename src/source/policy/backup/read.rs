//! What is wanted of a backup, and what is wrong with it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{BackupPolicy, RehearsalPolicy};
use crate::model::{
    Backup, BackupOf, Desired, Diagnostic, Keep, MemberName, Rehearsal, Unit, layout,
};
use crate::source::policy::{Policy, Spanned};

/// Longest name: it is part of the names of units and files.
const LONGEST: usize = 60;
/// The least memory that Docker gives a container, `linuxMinMemory` in its daemon/.
const LEAST_MEMORY: u64 = 6 << 20;

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
                let path = path.display();
                let message =
                    format!("{path} has the decrypted secrets, which are not put on a disk");
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
                "nothing retrieves what store has stored",
                "expected fetch as well",
            ));
        }
        if let Some(volume) = policy.volume.as_ref().filter(|name| !is_volume(name)) {
            return Err(wrong(
                volume.span(),
                &format!("{:?} cannot be the name of a volume", volume.as_str()),
                "expected a letter or digit, then at least one more of them, or of _ . -",
            ));
        }
        let least = |rehearsal: &&RehearsalPolicy| *rehearsal.memory < LEAST_MEMORY;
        if policy.rehearsal.as_ref().filter(least).is_some() {
            return Err(here(
                "no container can run with so little memory",
                "expected memory of its rehearsal to be 6M at least",
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
                        true => "expected restore in its rehearsal as well",
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
                "a backup needs some time",
                "expected timeout to be longer than 0s",
            ));
        }
        if policy.keep == 0 {
            return Err(here(
                "no backup would be kept",
                "expected keep to be 1 at least",
            ));
        }
        let environment = policy.environment.iter();
        Ok(Backup {
            of,
            to: policy.to.as_ref().map(|path| (***path).clone()),
            store: policy.store.as_ref().map(|command| command.0.clone()),
            fetch: policy.fetch.as_ref().map(|command| command.0.clone()),
            remove: policy.remove.as_ref().map(|command| command.0.clone()),
            restore,
            environment: environment.map(|name| name.to_string()).collect(),
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
                        "expected stack or unit as well",
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
                let units = desired.units.values();
                let known = units.filter_map(|unit| unit.stack.as_deref());
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

/// Whether an engine can have a volume of that name: `RestrictedNamePattern` of Docker, `NameRegex` of Podman.
fn is_volume(name: &str) -> bool {
    let is_usable = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_usable)
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
    let of_podman = unit.by_podman.iter();
    let of_podman = of_podman.flat_map(|run| run.name.iter().chain(&run.containers).cloned());
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
