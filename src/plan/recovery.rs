//! The unit that undoes a cut-off run at boot. It is not in the desired state: every host that is
//! managed has it.

use std::path::{Path, PathBuf};

use super::draft::{self, Draft, Stage, change};
use crate::effect::{Change, Effect};
use crate::model::{Entry, File, Kind, ResourceId, layout};

/// Where the unit and the link that enables it lie.
pub(crate) fn paths() -> [PathBuf; 2] {
    let link = Path::new("multi-user.target.wants").join(layout::RECOVERY_UNIT);
    [
        layout::unit(layout::RECOVERY_UNIT),
        Path::new(layout::SYSTEMD).join(link),
    ]
}

pub(crate) fn plan(draft: &mut Draft<'_>) {
    let Some(program) = &draft.observed.program else {
        return;
    };
    if draft.desired.is_empty() {
        return;
    }
    let id = ResourceId::new(Kind::Unit, layout::RECOVERY_UNIT);
    if let Some(path) = &draft.observed.program_of_others {
        let path = path.display();
        let text = format!(
            "an interrupted run is not undone at boot: {} would be started as root, and others than root may write to {path}: chown root:root {path}; chmod go-w {path}",
            program.display()
        );
        draft.note(id, None, text);
        return;
    }
    let [unit, link] = paths();
    let file = File::new(
        layout::RECOVERY_UNIT,
        unit_text(program).into_bytes(),
        false,
    );
    draft.wanted.insert(unit.clone(), id.clone());
    draft.wanted.insert(link.clone(), id.clone());
    let observed = draft.observed;
    if observed
        .content(&unit)
        .is_none_or(|present| **present != *file.content)
    {
        let why = match observed.entry(&unit) {
            Entry::Missing => "new: undoes a cut-off run at boot",
            _ => "changed",
        };
        let planned = Change {
            diff: draft::diff(
                &unit,
                observed.content(&unit).map(|content| &**content),
                Path::new(layout::RECOVERY_UNIT),
                Some(&file.content),
            ),
            ..change(
                id.clone(),
                Effect::Copy {
                    path: unit.clone(),
                    file,
                    mode: 0o644,
                    owner: "root:root".to_owned(),
                    keep: false,
                },
                why,
            )
        };
        draft.change(Stage::Switch, planned);
    }
    let right = matches!(observed.entry(&link), Entry::Link { target, .. } if *target == unit);
    if !right {
        let action = Effect::Link {
            path: link,
            target: unit.clone(),
            leads_to: unit,
            keep: false,
        };
        draft.change(Stage::Switch, change(id, action, "starts it at boot"));
    }
}

/// It runs after all that a run may have started, since what it undoes it asks of them.
fn unit_text(program: &Path) -> String {
    format!(
        "# Written by watchme-apply.
[Unit]
Description=Undo an interrupted watchme-apply run
ConditionPathExists={journal}
After=dbus.service docker.service nginx.service

[Service]
Type=oneshot
ExecStart={program} recover
TimeoutStartSec=30min

[Install]
WantedBy=multi-user.target
",
        journal = Path::new(layout::STATE).join("journal").display(),
        program = program.display(),
    )
}
