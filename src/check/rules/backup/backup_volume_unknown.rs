//! Volumes that are backed up and that nothing in the desired state has.

use std::collections::BTreeSet;

use source_text::suggest;

use crate::check::rules::prelude::*;
use crate::model::{BackupOf, Unit};

pub(crate) static RULE: Rule = rule!(backup_volume_unknown, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let revision = context.revision();
    let (desired, policy) = (&revision.desired, &revision.parsed.policy);
    let mut known: BTreeSet<&str> = desired.volumes.keys().map(String::as_str).collect();
    known.extend(desired.units.values().flat_map(Unit::mounted_volumes));
    for (name, written) in &policy.backups {
        let backup = desired.backups.get(name.as_str());
        let Some(BackupOf::Volume { volume, .. }) = backup.map(|backup| &backup.of) else {
            continue;
        };
        let Some(place) = written.volume.as_ref().map(|volume| volume.span()) else {
            continue;
        };
        if !known.contains(volume.as_str()) {
            let help = suggest(volume, known.iter().copied()).unwrap_or_else(|| {
                "docker volume ls lists the names: those of compose begin with the name of the project".to_owned()
            });
            let message = format!("no container of the desired state has a volume {volume}");
            let expected = "expected the name that the engine uses";
            findings.push(RULE.at(policy.file.complain(place, message, expected, Some(help))));
        }
    }
}
