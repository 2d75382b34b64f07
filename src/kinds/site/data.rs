//! What is wanted of an nginx site, with what nginx keeps of it over a reload.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nginx_conf::{Certificate, Listen, Zone};
use serde::{Deserialize, Serialize};

use crate::model::layout::{self, store};
use crate::model::{File, Kind, Resource};

/// An nginx site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Site {
    /// Its configuration.
    pub file: File,
    /// Whether it is linked into `sites-enabled`.
    pub enabled: bool,
    /// Pairs that it names with `ssl_certificate` and `ssl_certificate_key`.
    pub certificates: Vec<Certificate>,
    /// Longest time that nginx waits for an upstream of it, `proxy_read_timeout` and its like;
    /// `None`: it says nothing, which means 60 s.
    pub read_timeout: Option<Duration>,
    /// Shared memory zones that it declares.
    pub zones: Vec<Zone>,
    /// Sockets that it listens on.
    pub listens: BTreeSet<Listen>,
    /// Addresses that it passes requests on to, those of its own `upstream` blocks included.
    pub upstreams: BTreeSet<SocketAddr>,
}

impl Resource for Site {
    type Key = String;
    const KIND: Kind = Kind::Site;
    const STORE: Option<&'static str> = Some(store::SITES);

    fn files(&self, key: &String) -> Vec<(PathBuf, &File)> {
        vec![(Path::new(store::SITES).join(key), &self.file)]
    }

    fn files_mut(&mut self, key: &String) -> Vec<(PathBuf, &mut File)> {
        vec![(Path::new(store::SITES).join(key), &mut self.file)]
    }

    /// Its links in `sites-available` and `sites-enabled`.
    fn at(path: &Path) -> Option<String> {
        let folder = path.parent()?.strip_prefix(layout::NGINX).ok()?;
        let is_link = ["sites-available", "sites-enabled"]
            .map(Path::new)
            .contains(&folder);
        is_link.then(|| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })?
    }

    fn lasting(self) -> Self {
        Self {
            upstreams: BTreeSet::new(),
            ..self
        }
    }
}
