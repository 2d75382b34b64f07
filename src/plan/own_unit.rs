//! Units that this program writes for itself, with the link that enables each. They are not in the desired state.

use std::path::{Path, PathBuf};

use super::draft::{self, Draft, change};
use crate::effect::{Change, Effect};
use crate::model::{Entry, File, Kind, ResourceId, layout};

pub(crate) struct OwnUnit {
    pub name: &'static str,
    /// The target that starts it.
    pub target: &'static str,
    /// What it is for, behind `new: `.
    pub purpose: &'static str,
}

impl OwnUnit {
    /// Where it and the link that enables it lie.
    pub(crate) fn paths(&self) -> [PathBuf; 2] {
        let link = Path::new(layout::SYSTEMD).join(format!("{}.wants/{}", self.target, self.name));
        [layout::unit(self.name), link]
    }

    pub(crate) fn id(&self) -> ResourceId {
        ResourceId::new(Kind::Unit, self.name)
    }

    /// What puts it there with this text; nothing where it is.
    pub(crate) fn changes(&self, draft: &mut Draft<'_>, text: String) -> Vec<Change> {
        let [unit, link] = self.paths();
        let file = File::new(self.name, text.into_bytes(), false);
        draft.wanted.insert(unit.clone(), self.id());
        draft.wanted.insert(link.clone(), self.id());
        let observed = draft.observed;
        let mut changes = Vec::new();
        let present = observed.content(&unit).map(|content| &**content);
        if present != Some(&*file.content) {
            let why = match observed.entry(&unit) {
                Entry::Missing => format!("new: {}", self.purpose),
                _ => "changed".to_owned(),
            };
            let diff = draft::diff(&unit, present, Path::new(self.name), Some(&file.content));
            let effect = Effect::Copy {
                path: unit.clone(),
                file,
                mode: 0o644,
                owner: "root:root".to_owned(),
                keep: false,
            };
            let mut planned = change(self.id(), effect, why);
            planned.diff = diff;
            changes.push(planned);
        }
        let is_right =
            matches!(observed.entry(&link), Entry::Link { target, .. } if *target == unit);
        if !is_right {
            let effect = Effect::Link {
                path: link,
                target: unit.clone(),
                leads_to: unit,
                keep: false,
            };
            changes.push(change(self.id(), effect, "starts it at boot"));
        }
        changes
    }
}
