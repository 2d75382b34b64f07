//! The unit that decrypts secrets at boot: memory has none of them then. It is not in the desired state.

use std::path::{Path, PathBuf};

use crate::effect::{Change, Effect};
use crate::model::{Entry, File, Kind, ResourceId, layout};
use crate::plan::draft::{self, Draft, Stage, change};

/// Where the unit and the link that enables it lie.
pub(super) fn paths() -> [PathBuf; 2] {
    let link = Path::new("sysinit.target.wants").join(layout::SECRETS_UNIT);
    [
        layout::unit(layout::SECRETS_UNIT),
        Path::new(layout::SYSTEMD).join(link),
    ]
}

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(program) = &draft.observed.program else {
        return;
    };
    if draft.desired.secrets.is_empty() {
        return;
    }
    let id = ResourceId::new(Kind::Unit, layout::SECRETS_UNIT);
    if let Some(path) = &draft.observed.program_of_others {
        let (path, program) = (path.display(), program.display());
        let why = format!(
            "secrets would not come back at boot: {program} would be started as root, and others than root may write to {path}"
        );
        let help = vec![format!("chown root:root {path}; chmod go-w {path}")];
        draft.refuse(id, why, help);
        return;
    }
    let [unit, link] = paths();
    let text = text(program).into_bytes();
    let file = File::new(layout::SECRETS_UNIT, text, false);
    draft.wanted.insert(unit.clone(), id.clone());
    draft.wanted.insert(link.clone(), id.clone());
    let observed = draft.observed;
    let present = observed.content(&unit).map(|content| &**content);
    if present != Some(&*file.content) {
        let why = match observed.entry(&unit) {
            Entry::Missing => "new: decrypts the secrets at boot",
            _ => "changed",
        };
        let name = Path::new(layout::SECRETS_UNIT);
        let diff = draft::diff(&unit, present, name, Some(&file.content));
        let effect = Effect::Copy {
            path: unit.clone(),
            file,
            mode: 0o644,
            owner: "root:root".to_owned(),
            keep: false,
        };
        let planned = Change {
            diff,
            ..change(id.clone(), effect, why)
        };
        draft.derived(Stage::Switch, planned);
    }
    let right = matches!(observed.entry(&link), Entry::Link { target, .. } if *target == unit);
    if !right {
        let effect = Effect::Link {
            path: link,
            target: unit.clone(),
            leads_to: unit,
            keep: false,
        };
        draft.derived(Stage::Switch, change(id, effect, "starts it at boot"));
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
