//! The unit that decrypts secrets at boot: memory has none of them then. It is not in the desired state.

use std::path::Path;

use crate::model::layout;
use crate::plan::draft::{Draft, Stage};
use crate::plan::own_unit::OwnUnit;

pub(super) const UNIT: OwnUnit = OwnUnit {
    name: layout::SECRETS_UNIT,
    target: "sysinit.target",
    purpose: "decrypts the secrets at boot",
};

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(program) = &draft.observed.installed_program else {
        return;
    };
    if draft.desired.secrets.is_empty() {
        return;
    }
    if let Some(path) = &draft.observed.program_of_others {
        let (path, program) = (path.display(), program.display());
        let why = format!(
            "secrets would not come back at boot: {program} would be started as root, and others than root may write to {path}"
        );
        let help = vec![format!("chown root:root {path}; chmod go-w {path}")];
        draft.refuse(UNIT.id(), why, help);
        return;
    }
    for change in UNIT.changes(draft, text(program)) {
        // It comes along with the secrets, whatever `--only` selects of units.
        draft.derived(Stage::Switch, change);
    }
}

/// What starts after `sysinit.target` has the secrets, which is everything with the usual dependencies: the engines and the
/// services, bootup(7).
fn text(program: &Path) -> String {
    format!(
        "# Written by watchme-apply.
[Unit]
Description=Decrypt the secrets that watchme-apply has applied
DefaultDependencies=no
RequiresMountsFor={generations} /run
After=local-fs.target systemd-tmpfiles-setup.service
Before=sysinit.target docker.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={program} secret load
TimeoutStartSec=90

[Install]
WantedBy=sysinit.target
",
        generations = layout::GENERATIONS,
        program = program.display(),
    )
}
