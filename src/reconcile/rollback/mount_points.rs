//! Empty files that systemd leaves in the checkout where a pull has removed what it binds.

use crate::apply::clear_mount_point;
use crate::host::Host;
use crate::model::Recorded;

/// After a rollback units run again with files that the pulled revision does not have, and the
/// pull that fixes it must find nothing in its way. Compose files are read when a command starts,
/// so that what runs does not miss theirs; systemd makes them anew when it needs them.
pub(in crate::reconcile) fn clear(host: &Host, recorded: &Recorded) {
    let Some((_, applied)) = &recorded.applied else {
        return;
    };
    let stacks = applied.units.values().flat_map(|unit| &unit.stacks);
    for path in stacks.flat_map(|stack| &stack.files) {
        let Some(file) = applied.files.get(path) else {
            continue;
        };
        let depth = file.source.components().count();
        let Some(checkout) = path.ancestors().nth(depth) else {
            continue;
        };
        if let Err(error) = clear_mount_point(host.root(), path, checkout) {
            tracing::warn!(%error, "an empty file stays in the checkout");
        }
    }
}
