//! Units as they lie on a host, for what they run: before a unit is changed that others have put there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::external::{files, of_host};
use super::stacks::{Reader, stack_of};
use super::{Inputs, Loader, Places};
use crate::model::{Unit, layout};
use crate::source::tree::{FolderTree, Node, Tree};
use crate::source::unit::settings::Source;
use crate::source::unit::{Name, Settings, commands};

/// What units run, by their files below the root folder of a host; only [`Unit::stacks`] and [`Unit::runs`] are filled
/// in. What has no file there or cannot be read is left out: that a unit is to be stopped does not depend on it.
pub(crate) fn installed(root: &Path, units: &BTreeSet<String>) -> BTreeMap<String, Unit> {
    let tree = Tree::from(FolderTree::of_host(root));
    let inputs = Inputs::of_folder(&tree, None);
    let places = Places::default();
    let mut loader = of_host(&inputs, &tree, &places);
    let mut found = BTreeMap::new();
    for name in units {
        if let Some(unit) = read(&tree, &mut loader, name) {
            found.insert(name.clone(), unit);
        }
    }
    found
}

fn read(tree: &Tree, loader: &mut Loader, name: &str) -> Option<Unit> {
    let parsed = Name::parse(name).ok()?;
    let sources = sources(tree, name);
    (!sources.is_empty()).then_some(())?;
    let mentions = commands::mentions(&parsed, &Settings::new(sources)).ok()?;
    let mut unit = Unit {
        runs: mentions.docker.runs,
        ..Unit::default()
    };
    for call in &mentions.compose {
        let files = files(tree, call);
        let stack = loader.parse_stack(&mut Reader::Nobody, call, &files);
        let Ok(stack) = stack.map(|parsed| stack_of(&parsed, files)) else {
            continue;
        };
        if !unit.stacks.contains(&stack) {
            unit.stacks.push(stack);
        }
    }
    Some(unit)
}

/// The unit's own file and its drop-ins in /etc, in the order in which systemd reads them.
fn sources(tree: &Tree, name: &str) -> Vec<Arc<Source>> {
    let own = layout::unit(name);
    let folder = Path::new(layout::SYSTEMD).join(format!("{name}.d"));
    let mut paths: Vec<PathBuf> = vec![own];
    let mut dropins: Vec<PathBuf> = (tree.list(&folder).unwrap_or_default().into_iter())
        .filter(|entry| entry.ends_with(".conf"))
        .map(|entry| folder.join(entry))
        .collect();
    dropins.sort();
    paths.extend(dropins);
    let sources = paths.into_iter().filter_map(|path| source(tree, path));
    sources.collect()
}

fn source(tree: &Tree, path: PathBuf) -> Option<Arc<Source>> {
    let (found, node) = tree.resolve(&path).ok()??;
    matches!(node, Node::File { .. }).then_some(())?;
    let (bytes, _) = tree.read(&found).ok()??;
    Some(Arc::new(Source::new(path, String::from_utf8_lossy(&bytes))))
}
