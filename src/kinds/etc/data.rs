//! What is wanted of a file below /etc.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nginx_conf::Zone;
use serde::{Deserialize, Serialize};

use crate::model::File;
use crate::model::Kind;
use crate::model::Resource;
use crate::model::layout::{self, store};

/// A file below /etc.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcFile {
    /// Its content.
    pub file: File,
    /// Whether it is linked into the store instead of copied.
    pub link: bool,
    /// Permission bits of a copy.
    pub mode: u32,
    /// Owner of a copy as `user:group`, names or numbers.
    pub owner: String,
    /// What a change asks for.
    pub action: Option<EtcAction>,
    /// The command that validates it, `{}` for its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<Vec<String>>,
    /// Shared memory zones that it declares, if it is nginx's.
    #[serde(default)]
    pub zones: Vec<Zone>,
    /// Addresses that it passes requests on to, if it is nginx's.
    #[serde(default)]
    pub upstreams: BTreeSet<SocketAddr>,
}

/// What follows a change of a file below /etc.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EtcAction {
    /// Restart this unit.
    Restart(String),
    /// Reload this unit.
    Reload(String),
}

impl Resource for EtcFile {
    /// Its path relative to /etc.
    type Key = PathBuf;
    const KIND: Kind = Kind::Etc;
    const STORE: Option<&'static str> = Some(store::ETC);

    fn name<'a>(&'a self, key: &'a PathBuf) -> Cow<'a, str> {
        key.to_string_lossy()
    }

    fn files(&self, key: &PathBuf) -> Vec<(PathBuf, &File)> {
        vec![(Path::new(store::ETC).join(key), &self.file)]
    }

    fn files_mut(&mut self, key: &PathBuf) -> Vec<(PathBuf, &mut File)> {
        vec![(Path::new(store::ETC).join(key), &mut self.file)]
    }

    /// What is no other kind's; not this program's own files.
    fn at(path: &Path) -> Option<String> {
        let ours = Path::new(layout::LIVE).parent()?;
        let below = path.strip_prefix("/etc").ok()?;
        (!path.starts_with(ours)).then(|| below.to_string_lossy().into_owned())
    }

    fn lasting(self) -> Self {
        Self {
            upstreams: BTreeSet::new(),
            ..self
        }
    }
}
