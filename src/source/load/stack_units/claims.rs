//! Folders that are no stacks, because a written unit is about them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::source::load::{Loader, STACKS};
use crate::source::unit::commands::Mentions;

/// What written units are about, to know the folders that are not stacks.
pub(super) struct Claims {
    paths: BTreeSet<PathBuf>,
    scripts: Vec<Vec<u8>>,
}

impl Claims {
    pub(super) fn new<'m>(
        loader: &Loader<'_, '_>,
        written: impl Iterator<Item = &'m Mentions>,
    ) -> Self {
        let mut paths = BTreeSet::new();
        for mentions in written {
            paths.extend(mentions.paths.iter().map(|named| named.path.clone()));
            for call in &mentions.compose {
                paths.extend(call.files.iter().chain(&call.folder).cloned());
            }
        }
        let in_checkout = paths.iter().filter_map(|path| loader.in_checkout(path));
        let read = in_checkout.filter_map(|path| loader.inputs.tree.read(&path).ok().flatten());
        let scripts = read.map(|(content, _)| content);
        let scripts = scripts
            .filter(|content| content.starts_with(b"#!"))
            .collect();
        Self { paths, scripts }
    }

    /// Whether a unit names a folder of the checkout or something in it, or runs a script that does. Where the checkout
    /// is on the server need not be known, so the end of a path decides.
    pub(super) fn has(&self, folder: &Path) -> bool {
        let below = Path::new(STACKS).join(folder.file_name().unwrap_or_default());
        let named = |path: &PathBuf| path.ancestors().any(|above| above.ends_with(&below));
        let below = below.as_os_str().as_encoded_bytes();
        let says = |script: &Vec<u8>| {
            let mut windows = script.windows(below.len());
            windows.any(|window| window == below)
        };
        self.paths.iter().any(named) || self.scripts.iter().any(says)
    }
}
