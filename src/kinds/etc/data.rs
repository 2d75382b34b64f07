//! What is wanted of a file below /etc.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nginx_conf::Zone;
use serde::{Deserialize, Serialize};

use crate::model::layout::{self, store};
use crate::model::{File, Kind, Resource};

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

/// A program of systemd that reads files of a folder of /etc once, and not as they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EtcLoader {
    /// systemd-sysusers(8), for `sysusers.d`. Before the others: files may belong to its users.
    Sysusers,
    /// systemd-tmpfiles(8), for `tmpfiles.d`.
    Tmpfiles,
    /// systemd-sysctl.service(8), for `sysctl.d`.
    Sysctl,
}

impl EtcLoader {
    /// What loads a file, by its path below /etc.
    pub fn of(relative: &Path) -> Option<Self> {
        if relative.extension().is_none_or(|end| end != "conf") {
            return None;
        }
        match relative.parent()?.to_str()? {
            "sysctl.d" => Some(Self::Sysctl),
            "sysusers.d" => Some(Self::Sysusers),
            "tmpfiles.d" => Some(Self::Tmpfiles),
            _ => None,
        }
    }

    /// The program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Sysctl => "/usr/lib/systemd/systemd-sysctl",
            Self::Sysusers => "/usr/bin/systemd-sysusers",
            Self::Tmpfiles => "/usr/bin/systemd-tmpfiles",
        }
    }
}

/// What follows a change of a file below /etc.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EtcAction {
    /// Restart this unit.
    Restart(String),
    /// Reload this unit.
    Reload(String),
    /// Have the program of its folder load it.
    Load(EtcLoader),
}

impl EtcAction {
    /// The unit that restarts or reloads.
    pub fn unit(&self) -> Option<&String> {
        match self {
            EtcAction::Restart(unit) | EtcAction::Reload(unit) => Some(unit),
            EtcAction::Load(_) => None,
        }
    }
}

impl Resource for EtcFile {
    /// Its path relative to /etc.
    type Key = PathBuf;
    const KIND: Kind = Kind::Etc;
    const STORE: Option<&'static str> = Some(store::ETC);

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
