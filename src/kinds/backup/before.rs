//! Before a plan interrupts what is backed up, a backup of it is made, unless the last one is young enough.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::effect::Effect;
use crate::kinds::find_members;
use crate::model::{Backup, BackupOf, BackupRecord, DockerState, Kind, ResourceId};
use crate::plan::draft::{Draft, Stage, change};

/// The backups that a plan needs first.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let desired = draft.desired;
    // What leaves was backed up as the applied revision says.
    let applied = draft.recorded.desired().into_iter();
    let left = applied.flat_map(|applied| &applied.backups);
    let left = left.filter(|(name, _)| !desired.backups.contains_key(*name));
    let all: Vec<(&String, &Backup)> = desired.backups.iter().chain(left).collect();
    for (name, backup) in all {
        let Some(age) = backup.before_change else {
            continue;
        };
        let Some(unit) = interrupted(draft, backup) else {
            continue;
        };
        let id = ResourceId::new(Kind::Backup, name);
        let effect = Effect::BackUp {
            name: name.clone(),
            backup: Box::new(backup.clone()),
        };
        match &draft.observed.docker {
            Some(docker) if is_there(docker, backup) => {}
            // What comes with this revision has nothing yet.
            Some(_) if !was_applied(draft, backup) => continue,
            // Nobody has looked what there is, or how old the last one is.
            Some(_) if is_simulated(draft) => {
                let minutes = age.as_secs() / 60;
                let why = format!(
                    "{unit} is interrupted: one is made unless the last one is younger than {minutes} min"
                );
                draft.derived(Stage::Backups, change(id, effect, why));
                continue;
            }
            Some(_) => {
                let what = backup.words();
                let text = format!("none is made before {unit} stops: {what} is not there");
                draft.note(id, None, text);
                continue;
            }
            None => continue,
        }
        let known = draft.recorded.backups.get(name);
        let why = match known.and_then(BackupRecord::last) {
            None if known.is_some_and(|known| !known.gone.is_empty()) => {
                format!("none that was made is there any more, and {unit} is interrupted")
            }
            None => format!("there is none yet, and {unit} is interrupted"),
            Some(last) => {
                let old = Timestamp::now().duration_since(last.time).unsigned_abs();
                if old <= age {
                    continue;
                }
                let (old, age) = (old.as_secs() / 60, age.as_secs() / 60);
                format!(
                    "the last one is {old} min old, and {unit} is interrupted: before_change is {age} min"
                )
            }
        };
        draft.derived(Stage::Backups, change(id, effect, why));
    }
}

/// Whether what was applied last has what is backed up.
fn was_applied(draft: &Draft<'_>, backup: &Backup) -> bool {
    let applied = draft.recorded.desired();
    applied.is_some_and(|applied| applied.units.values().any(|unit| backup.is_of(unit)))
}

/// Whether this host is the one of `plan --from`, at which nobody has looked.
fn is_simulated(draft: &Draft<'_>) -> bool {
    let packages = draft.observed.packages.as_ref();
    packages.is_some_and(|packages| packages.simulated)
}

/// The first unit that the plan interrupts and that runs what is backed up.
fn interrupted(draft: &Draft<'_>, backup: &Backup) -> Option<String> {
    let mut units: BTreeSet<&str> = BTreeSet::new();
    for change in draft.changes() {
        if let Some(step) = change.effect.interrupts() {
            units.insert(&step.unit);
            units.extend(change.interrupts.iter().map(String::as_str));
        }
        if let Some(step) = change.effect.starts().filter(|_| change.effect.recreates()) {
            units.insert(&step.unit);
        }
    }
    let is_of = |name: &&str| {
        let before = draft.recorded.unit(name).into_iter();
        let mut units = before.chain(draft.desired.units.get(*name));
        units.any(|unit| backup.is_of(unit))
    };
    units.into_iter().find(is_of).map(str::to_owned)
}

/// Whether there is something to back up.
fn is_there(docker: &DockerState, backup: &Backup) -> bool {
    match &backup.of {
        BackupOf::Service { member, .. } => {
            let found = find_members(docker, member);
            found.iter().any(|container| container.is_running())
        }
        BackupOf::Volume { volume, .. } => docker.volumes.contains_key(volume),
        BackupOf::Files(_) | BackupOf::Host(_) => true,
    }
}
