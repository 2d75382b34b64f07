//! What daemons and units may have loaded of a run that was cut off without being told to by it:
//! after a power loss everything starts with the files that lie there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::host::{Host, HostError};
use crate::model::{Desired, Entry, Recorded, layout};
use crate::root::{Root, RootError};
use crate::state::{Journal, Undo};

/// What has to be undone of a cut-off run besides what it wrote down.
///
/// # Errors
/// When the store or systemd cannot be looked at.
pub(super) async fn owed(
    host: &Host,
    journal: &Journal,
    recorded: &Recorded,
) -> Result<Vec<Undo>, HostError> {
    let switched = journal
        .undos()
        .iter()
        .any(|undo| matches!(undo, Undo::Exchange { .. }));
    let Some((_, applied)) = recorded
        .applied
        .as_ref()
        .filter(|_| switched && host.is_live())
    else {
        return Ok(Vec::new());
    };
    let mut owed = Vec::new();
    if !applied.units.is_empty() {
        owed.push(Undo::DaemonReload);
    }
    if !applied.sites.is_empty() && host.nginx().observe()?.installed {
        owed.push(Undo::ReloadNginx);
    }
    for unit in changed_units(host.root(), applied)? {
        let state = host.systemd().await?.unit(&unit).await?;
        let known = recorded.loaded.units.get(&unit);
        if state.is_active() && known.is_none_or(|known| known.invocation != state.invocation) {
            owed.push(Undo::Restart(unit));
        }
    }
    Ok(owed)
}

/// Units of which the two trees hold other files.
fn changed_units(root: &Root, applied: &Desired) -> Result<BTreeSet<String>, RootError> {
    use layout::store::{FILES, UNITS};
    let differs = |path: &Path| -> Result<bool, RootError> {
        let content = |tree: &str| -> Result<Option<_>, RootError> {
            Ok(match root.entry(&Path::new(tree).join(path))? {
                Entry::File { content, .. } => Some(content),
                _ => None,
            })
        };
        Ok(content(layout::NEXT)? != content(layout::LIVE)?)
    };
    let mut changed = BTreeSet::new();
    for (name, unit) in &applied.units {
        let folder = Path::new(UNITS).join(format!("{name}.d"));
        let own = Path::new(UNITS).join(unit.template.as_deref().unwrap_or(name));
        let dropins = unit.dropins.keys().map(|dropin| folder.join(dropin));
        let named = unit.names.iter().filter_map(|path| {
            let file = applied.files.get(path)?;
            Some(Path::new(FILES).join(&file.source))
        });
        let bound = folder.join(layout::BIND_DROPIN);
        let paths: Vec<PathBuf> = [own, bound]
            .into_iter()
            .chain(dropins)
            .chain(named)
            .collect();
        for path in paths {
            if differs(&path)? {
                changed.insert(name.clone());
            }
        }
    }
    Ok(changed)
}
