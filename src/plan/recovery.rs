//! The unit that undoes an interrupted run at boot. It is not in the desired state: every host that is
//! managed has it.

use std::path::{Path, PathBuf};

use super::draft::{Draft, Stage, change};
use super::own_unit::OwnUnit;
use crate::effect::Effect;
use crate::model::{Entry, layout};

pub(crate) const UNIT: OwnUnit = OwnUnit {
    name: layout::RECOVERY_UNIT,
    target: "multi-user.target",
    purpose: "undoes an interrupted run at boot",
};

/// Where the Debian package has the same unit.
pub(crate) const PACKAGED: &str = "/usr/lib/systemd/system/watchme-apply-recover.service";

pub(crate) fn plan(draft: &mut Draft<'_>) {
    if draft.desired.is_empty() {
        return;
    }
    if matches!(
        draft.observed.entry(Path::new(PACKAGED)),
        Entry::File { .. }
    ) {
        return enable_packaged(draft);
    }
    let Some(program) = &draft.observed.program else {
        return;
    };
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

/// One that this program has written before would hide the package's, and is not wanted any more.
fn enable_packaged(draft: &mut Draft<'_>) {
    let [_, link] = UNIT.paths();
    draft.wanted.insert(link.clone(), UNIT.id());
    let unit = PathBuf::from(PACKAGED);
    let is_right = matches!(
        draft.observed.entry(&link),
        Entry::Link { leads_to: Some(leads_to), .. } if *leads_to == unit
    );
    if is_right {
        return;
    }
    let effect = Effect::Link {
        path: link,
        target: unit.clone(),
        leads_to: unit,
        keep: false,
    };
    let why = "the unit of the package undoes an interrupted run at boot";
    draft.change(Stage::Switch, change(UNIT.id(), effect, why));
}

/// It runs after all that a run may have started, since what it undoes it asks of them.
fn unit_text(program: &Path) -> String {
    format!(
        "# Written by watchme-apply.
[Unit]
Description=Undo an interrupted watchme-apply run
ConditionPathExists=|{journal}
ConditionPathExists=|{confirm}
After=dbus.service docker.service nginx.service

[Service]
Type=oneshot
ExecStart={program} recover
TimeoutStartSec=30min

[Install]
WantedBy=multi-user.target
",
        journal = Path::new(layout::STATE).join("journal").display(),
        confirm = Path::new(layout::STATE).join("confirm.json").display(),
        program = program.display(),
    )
}
