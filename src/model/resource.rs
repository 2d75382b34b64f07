//! What a kind of resource has to say of itself, so that one table of kinds answers for all of them.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::File;
use super::id::{Hash, ResourceId, Selector};
use super::kinds::{Desired, Kind};

/// What a revision wants of one resource.
pub trait Resource: Clone + Serialize {
    /// How a [`Desired`] finds it.
    type Key: Ord + AsRef<Path>;

    /// Its kind.
    const KIND: Kind;

    /// The folder in the store that has the files of its kind; `None`: it has none.
    const STORE: Option<&'static str> = None;

    /// Its name among its kind.
    fn name<'a>(&'a self, key: &'a Self::Key) -> Cow<'a, str> {
        key.as_ref().to_string_lossy()
    }

    /// Its files of the checkout, by their path in the store.
    fn files(&self, _key: &Self::Key) -> Vec<(PathBuf, &File)> {
        Vec::new()
    }

    /// The same, to fill in their content.
    fn files_mut(&mut self, _key: &Self::Key) -> Vec<(PathBuf, &mut File)> {
        Vec::new()
    }

    /// A file that is written beside those of the checkout, by its path in the store.
    fn generated(&self, _key: &Self::Key, _desired: &Desired) -> Option<(PathBuf, File)> {
        None
    }

    /// The name of the resource to which a path below the folder in the store belongs.
    fn named_by(below: &Path) -> String {
        below.to_string_lossy().into_owned()
    }

    /// The name of the resource to which a path of the host belongs; `None`: it is none of this kind.
    fn at(_path: &Path) -> Option<String> {
        None
    }

    /// What a host is held to: without what only says how a run goes about it.
    fn lasting(self) -> Self {
        self
    }

    /// Whether `--only` takes it from the new revision.
    fn is_selected(id: &ResourceId, only: &[Selector]) -> bool {
        Selector::any(only, id)
    }

    /// `kind/name`.
    fn id(&self, key: &Self::Key) -> ResourceId {
        ResourceId::new(Self::KIND, self.name(key))
    }

    /// A hash of all that is wanted of it.
    fn hash(&self) -> Hash {
        Hash::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}
