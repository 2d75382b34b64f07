//! A file of the checkout, of any kind or named by a unit.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::layout::store;
use crate::model::{Hash, Kind, Resource};

/// The bytes of one input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct File {
    /// Path in the checkout, for messages and for the store.
    pub source: PathBuf,
    /// Hash of the content.
    pub hash: Hash,
    /// Whether git or the file system says that it is executable.
    pub executable: bool,
    /// Whether only its owner may read it.
    pub private: bool,
    /// Whether nothing of its content is shown: a container has it as a secret.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// The content. Not in records: those keep it as files of a generation.
    #[serde(skip)]
    pub content: Arc<[u8]>,
}

impl File {
    /// A file of the checkout.
    pub fn new(
        source: impl Into<PathBuf>,
        content: impl Into<Arc<[u8]>>,
        executable: bool,
    ) -> Self {
        let content = content.into();
        Self {
            source: source.into(),
            hash: Hash::of(&content),
            executable,
            private: false,
            secret: false,
            content,
        }
    }

    /// Permission bits in the store.
    pub fn mode(&self) -> u32 {
        match (self.executable, self.private) {
            (true, false) => 0o755,
            (false, false) => 0o644,
            (true, true) => 0o700,
            (false, true) => 0o600,
        }
    }
}

impl Resource for File {
    /// Its absolute path in the checkout on the host.
    type Key = PathBuf;
    const KIND: Kind = Kind::File;
    const STORE: Option<&'static str> = Some(store::FILES);

    /// Its path in the checkout.
    fn name<'a>(&'a self, _: &'a PathBuf) -> Cow<'a, str> {
        self.source.to_string_lossy()
    }

    fn files(&self, _: &PathBuf) -> Vec<(PathBuf, &File)> {
        vec![(Path::new(store::FILES).join(&self.source), self)]
    }

    fn files_mut(&mut self, _: &PathBuf) -> Vec<(PathBuf, &mut File)> {
        vec![(Path::new(store::FILES).join(&self.source), self)]
    }
}
