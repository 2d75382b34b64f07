//! What is wanted of a Quadlet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::layout::{self, store};
use crate::model::{Desired, File, Hash, Kind, Resource};

/// A file that Podman's generator makes a unit of, podman-systemd.unit(5), or one that is beside those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quadlet {
    /// Its content.
    pub file: File,
    /// Drop-ins by file name.
    pub dropins: BTreeMap<String, File>,
    /// The unit that is made of it; `None`: a file beside the Quadlets, such as the YAML of a `.kube`.
    pub unit: Option<String>,
    /// Files beside it that it names, Quadlets that make its image and what those name included.
    pub names: BTreeSet<String>,
    /// Files of the checkout that it names by their paths, and the folder that it builds from; what is in them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub in_checkout: BTreeMap<PathBuf, Hash>,
}

impl Quadlet {
    /// Where in the store the files lie that say what its unit does.
    pub fn stored(&self, name: &str) -> Vec<PathBuf> {
        let own = std::iter::once(name).chain(self.names.iter().map(String::as_str));
        let own = own.map(|name| Path::new(store::QUADLETS).join(name));
        let dropins = self.dropins.keys().map(|file| dropin(name, file));
        own.chain(dropins).collect()
    }

    /// Every file that says what its unit does, each with the path on the host at which Podman reads it.
    pub fn reads<'a>(&'a self, name: &str, desired: &'a Desired) -> Vec<(PathBuf, &'a File)> {
        let mut files = vec![(layout::quadlet(name), &self.file)];
        let folder = layout::quadlet(&format!("{name}.d"));
        let dropins = self.dropins.iter();
        files.extend(dropins.map(|(name, file)| (folder.join(name), file)));
        for (beside, other) in self.others(desired) {
            files.push((layout::quadlet(beside), &other.file));
            let folder = layout::quadlet(&format!("{beside}.d"));
            let dropins = other.dropins.iter();
            files.extend(dropins.map(|(name, file)| (folder.join(name), file)));
        }
        files
    }

    /// Hashes of everything in the checkout that it and what it names name by their paths.
    pub fn in_checkout<'a>(&'a self, desired: &'a Desired) -> impl Iterator<Item = &'a Hash> {
        let others = self.others(desired).map(|(_, other)| other);
        std::iter::once(self)
            .chain(others)
            .flat_map(|quadlet| quadlet.in_checkout.values())
    }

    /// What it names.
    fn others<'a>(
        &'a self,
        desired: &'a Desired,
    ) -> impl Iterator<Item = (&'a String, &'a Quadlet)> {
        let named = self.names.iter();
        named.filter_map(|name| desired.quadlets.get_key_value(name))
    }
}

impl Resource for Quadlet {
    type Key = String;
    const KIND: Kind = Kind::Quadlet;
    const STORE: Option<&'static str> = Some(store::QUADLETS);

    fn files(&self, key: &String) -> Vec<(PathBuf, &File)> {
        let dropins = self.dropins.iter();
        let dropins = dropins.map(|(name, file)| (dropin(key, name), file));
        let own = (Path::new(store::QUADLETS).join(key), &self.file);
        [own].into_iter().chain(dropins).collect()
    }

    fn files_mut(&mut self, key: &String) -> Vec<(PathBuf, &mut File)> {
        let dropins = self.dropins.iter_mut();
        let dropins = dropins.map(|(name, file)| (dropin(key, name), file));
        let own = (Path::new(store::QUADLETS).join(key), &mut self.file);
        [own].into_iter().chain(dropins).collect()
    }

    /// A drop-in belongs to the Quadlet whose folder it is in.
    fn named_by(below: &Path) -> String {
        let mut parts = below.iter().map(|part| part.to_string_lossy());
        let first = parts.next().unwrap_or_default();
        match (first.strip_suffix(".d"), parts.next()) {
            (Some(quadlet), Some(_)) => quadlet.to_owned(),
            _ => below.to_string_lossy().into_owned(),
        }
    }

    fn at(path: &Path) -> Option<String> {
        path.strip_prefix(layout::QUADLETS).ok().map(Self::named_by)
    }
}

fn dropin(quadlet: &str, name: &str) -> PathBuf {
    let folder = Path::new(store::QUADLETS).join(format!("{quadlet}.d"));
    folder.join(name)
}
