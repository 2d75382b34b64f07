//! The unit that undoes a cut-off run at boot. It is not in the desired state: every host that is
//! managed has it.

use std::path::Path;

use super::draft::{Draft, Stage};
use super::own_unit::OwnUnit;
use crate::model::layout;

/// The unit.
pub(crate) const UNIT: OwnUnit = OwnUnit {
    name: layout::RECOVERY_UNIT,
    target: "multi-user.target",
    purpose: "undoes a cut-off run at boot",
};

pub(crate) fn plan(draft: &mut Draft<'_>) {
    let Some(program) = &draft.observed.program else {
        return;
    };
    if draft.desired.is_empty() {
        return;
    }
    if let Some(path) = &draft.observed.program_of_others {
        let path = path.display();
        let text = format!(
            "an interrupted run is not undone at boot: {} would be started as root, and others than root may write to {path}: chown root:root {path}; chmod go-w {path}",
            program.display()
        );
        draft.note(UNIT.id(), None, text);
        return;
    }
    for change in UNIT.changes(draft, unit_text(program)) {
        draft.change(Stage::Switch, change);
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
