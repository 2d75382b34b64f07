//! What daemons and units may have loaded of an interrupted run, without a reload by that run:
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
pub(in crate::reconcile) async fn owed(
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
        let made_of = unit.quadlet.iter().filter_map(|name| {
            let quadlet = applied.quadlets.get(name)?;
            Some(quadlet.stored(name))
        });
        let bound = folder.join(layout::BIND_DROPIN);
        let paths: Vec<PathBuf> = [own, bound]
            .into_iter()
            .chain(dropins)
            .chain(named)
            .chain(made_of.flatten())
            .collect();
        for path in paths {
            if differs(&path)? {
                changed.insert(name.clone());
            }
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Quadlet, Unit};

    /// After a power loss its unit was made of the file that the run put there.
    #[test]
    fn a_unit_is_owed_a_restart_for_its_quadlet() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let put = |tree: &str, name: &str, text: &str| {
            let path = Path::new(tree).join("containers").join(name);
            root.make_folder(path.parent().unwrap()).unwrap();
            root.write(&path, text.as_bytes(), 0o644).unwrap();
        };
        let quadlet = |unit: &str| Quadlet {
            unit: Some(unit.to_owned()),
            ..Quadlet::default()
        };
        let unit = |quadlet: &str| Unit {
            quadlet: Some(quadlet.to_owned()),
            ..Unit::default()
        };
        let applied = Desired {
            quadlets: [("a.container", "a.service"), ("b.container", "b.service")]
                .map(|(name, unit)| (name.to_owned(), quadlet(unit)))
                .into(),
            units: [("a.service", "a.container"), ("b.service", "b.container")]
                .map(|(name, made_of)| (name.to_owned(), unit(made_of)))
                .into(),
            ..Desired::default()
        };
        for tree in [layout::LIVE, layout::NEXT] {
            put(tree, "a.container", "same");
            put(tree, "b.container", tree);
        }
        let changed = changed_units(&root, &applied).unwrap();
        assert_eq!(changed, BTreeSet::from(["b.service".to_owned()]));
    }
}
