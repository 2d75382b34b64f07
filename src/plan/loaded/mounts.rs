//! What the containers of units mount of the checkout, and whether that changed since they started.

use std::path::Path;

use super::Inputs;
use crate::model::{Desired, Hash, LoadedUnit, Unit};

/// Hash of what the containers of a unit mount that a person wrote. Those of a stack are made with a hash of their own.
pub(crate) fn mounts_hash(desired: &Desired, unit: &Unit) -> Option<Hash> {
    if unit.stack.is_some() || unit.mounts.is_empty() {
        return None;
    }
    let mounts = unit.mounts.iter().flat_map(|path| {
        let content = content(desired, unit, path);
        let content = content.map_or(&b""[..], |hash| hash.as_str().as_bytes());
        [path.as_os_str().as_encoded_bytes(), content]
    });
    Some(Hash::of_parts(mounts))
}

/// Why a unit whose files are the same has to start anew; `None` where nobody has written down what it mounted.
pub(super) fn outdated(
    inputs: &Inputs<'_>,
    name: &str,
    unit: &Unit,
    record: &LoadedUnit,
) -> Option<String> {
    let known = record.mounts.as_ref()?;
    let now = mounts_hash(inputs.desired, unit)?;
    (*known != now).then(|| {
        changed(inputs, name, unit)
            .unwrap_or_else(|| "what its containers mount of the checkout changed".to_owned())
    })
}

/// Something that the containers of a unit mount, and whose content is another than the applied one.
pub(super) fn changed(inputs: &Inputs<'_>, name: &str, unit: &Unit) -> Option<String> {
    let applied = inputs.recorded.desired()?;
    let before = applied.units.get(name)?;
    let mut known = unit
        .mounts
        .iter()
        .filter(|path| before.mounts.contains(*path));
    let path =
        known.find(|path| content(inputs.desired, unit, path) != content(applied, before, path))?;
    Some(format!(
        "its containers mount {}, which changed",
        path.display()
    ))
}

/// Hash of what is mounted from a path of the checkout.
fn content<'a>(desired: &'a Desired, unit: &'a Unit, path: &Path) -> Option<&'a Hash> {
    let file = desired.files.get(path).map(|file| &file.hash);
    let mut folders = unit.stacks.iter().map(|stack| &stack.folders);
    file.or_else(|| folders.find_map(|folders| folders.get(path)))
}
