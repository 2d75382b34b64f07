//! Quadlets: files in `/etc/containers/systemd` of which Podman's generator makes units when systemd reads its units,
//! podman-systemd.unit(5). The units start, restart, stop and pause as all units do; a Quadlet is what they are made of.

pub(crate) mod data;
pub(crate) mod read;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use super::{Asked, ResourceKind, Unwanted};
use crate::model::{Desired, Entry, Kind, ResourceId, Watch, layout};
use crate::plan::draft::{Draft, Stage};
use crate::plan::{files, prune};

/// What is said of a network or volume of Podman whose file changed.
const AS_IT_IS: &str = "Podman does not change one that exists: the change takes effect once it is removed and its unit is restarted";

/// The kind `quadlet`.
pub(crate) struct Quadlets;

impl ResourceKind for Quadlets {
    fn paths(&self, desired: &Desired, watch: &mut Watch) {
        for (name, quadlet) in &desired.quadlets {
            watch.paths.insert(layout::quadlet(name));
            if quadlet.unit.is_some() {
                let folder = layout::quadlet(&format!("{name}.d"));
                watch.folders.insert(folder);
            }
            let dropins = quadlet.dropins.keys();
            let folder = layout::quadlet(&format!("{name}.d"));
            watch.paths.extend(dropins.map(|name| folder.join(name)));
        }
    }

    /// Their units are watched with all units.
    fn watch(&self, _: &Asked<'_>, _: &mut Watch) {}

    fn compare(&self, draft: &mut Draft<'_>) {
        let desired = draft.desired;
        for (name, quadlet) in &desired.quadlets {
            let id = ResourceId::new(Kind::Quadlet, name);
            let mut changed = place(draft, &id, Path::new(name), &quadlet.file);
            let folder = format!("{name}.d");
            for (dropin, file) in &quadlet.dropins {
                changed |= place(draft, &id, &Path::new(&folder).join(dropin), file);
            }
            let is_kept = name.ends_with(".network") || name.ends_with(".volume");
            let was_there = draft
                .recorded
                .inventory
                .paths
                .contains_key(&layout::quadlet(name));
            if changed && is_kept && was_there {
                draft.note(id.clone(), None, AS_IT_IS);
            }
            let folder = Path::new(layout::QUADLETS).join(folder);
            files::remove_foreign_dropins(draft, &id, &folder, |entry, _| {
                (*entry != Entry::Directory).then_some(files::FOREIGN)
            });
        }
    }

    /// A unit stops with the file that it was made of, so that this goes last; systemd forgets the unit after that.
    fn retire(&self, draft: &mut Draft<'_>, unwanted: &mut Unwanted) {
        let own = unwanted.iter().filter(|(_, id)| id.kind == Kind::Quadlet);
        let own: Vec<(PathBuf, ResourceId)> =
            own.map(|(path, id)| (path.clone(), id.clone())).collect();
        for (path, id) in own {
            unwanted.remove(&path);
            let why = prune::why(draft, &id, &path);
            files::remove(draft, Stage::Forget, &id, &path, &why);
        }
    }
}

/// A file in the store with its link, which the generator follows. Returns whether it changes.
fn place(draft: &mut Draft<'_>, id: &ResourceId, below: &Path, file: &crate::model::File) -> bool {
    let stored = Path::new(layout::store::QUADLETS).join(below);
    let path = Path::new(layout::QUADLETS).join(below);
    let live = layout::live(&stored);
    let changed = files::store(draft, id, &stored, file, &path);
    files::link(draft, id, path, live.clone(), &live, Some((file, changed)));
    changed
}
