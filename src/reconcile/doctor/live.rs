//! What nginx reads on this host, whoever wrote it: the desired state is only a part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::model::{Entry, layout};
use crate::root::Root;
use crate::source::nginx::router::{Files, Located, Router, Text};
use crate::source::nginx::{self, Directive};

/// Folders in folders below nginx's own: deeper than anybody writes.
const DEEPEST: usize = 4;
/// A longer file is none that a person wrote.
const LONGEST: usize = 1 << 20;

/// The files of nginx on a host.
#[derive(Debug, Default)]
pub(super) struct Live {
    files: BTreeMap<PathBuf, Read>,
    /// Files of `sites-available`, which nginx does not read.
    available: BTreeMap<PathBuf, Read>,
}

/// A file that was read and parsed.
#[derive(Debug)]
struct Read {
    path: PathBuf,
    text: String,
    directives: Vec<Directive>,
}

/// A place where requests are passed on to this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passes {
    /// The port.
    pub port: u16,
    /// The location and its place.
    pub place: String,
}

impl Live {
    /// Reads what can be read; the rest counts as not there.
    pub(super) fn read(root: &Root) -> Self {
        let mut live = Self::default();
        live.folder(root, Path::new(layout::NGINX), 0);
        live
    }

    fn folder(&mut self, root: &Root, folder: &Path, depth: usize) {
        for path in root.list(folder).unwrap_or_default() {
            match root.entry(&path) {
                Ok(Entry::Directory) if depth < DEEPEST => self.folder(root, &path, depth + 1),
                Ok(Entry::File { .. } | Entry::Link { .. }) => self.file(root, path),
                _ => {}
            }
        }
    }

    fn file(&mut self, root: &Root, path: PathBuf) {
        let content = root.read(&path).ok().flatten();
        let content = content.filter(|content| content.len() <= LONGEST);
        let Some(text) = content.and_then(|content| String::from_utf8(content).ok()) else {
            return;
        };
        let (Ok(directives), Ok(below)) = (nginx::parse(&path, &text), path.strip_prefix("/etc"))
        else {
            return;
        };
        let below = below.to_owned();
        let is_available = below.starts_with("nginx/sites-available");
        let read = Read {
            path,
            text,
            directives,
        };
        match is_available {
            true => self.available.insert(below, read),
            false => self.files.insert(below, read),
        };
    }

    /// nginx's way from a URL to an upstream, as these files have it.
    pub(super) fn router(&self) -> Router<'_> {
        Router::new(self.files())
    }

    /// The files that nginx reads.
    pub(super) fn files(&self) -> Files<'_> {
        let texts = self.files.iter();
        let texts = texts.map(|(below, read)| (below.as_path(), read.parsed()));
        Files::new(BTreeMap::new(), texts.collect())
    }

    /// The file of an enabled site.
    pub(super) fn site(&self, name: &str) -> Option<&Path> {
        let below = Path::new("nginx/sites-enabled").join(name);
        self.files.get(&below).map(|read| read.path.as_path())
    }

    /// `/etc/nginx/sites-enabled/a:3`.
    pub(super) fn spot(&self, place: Located<'_>) -> String {
        let mut all = self.files.values().chain(self.available.values());
        let line = all.find(|read| read.path == place.path).map(|read| {
            let before = read.text.get(..place.directive.span.start);
            before.unwrap_or_default().matches('\n').count() + 1
        });
        format!("{}:{}", place.path.display(), line.unwrap_or(1))
    }

    /// Files of `sites-available` that nginx does not read and that have a server of this name.
    pub(super) fn not_enabled(&self, name: &str) -> Vec<PathBuf> {
        let texts: BTreeSet<&str> = self.files.values().map(|read| &*read.text).collect();
        let mut found = Vec::new();
        for (below, read) in &self.available {
            let one = BTreeMap::from([("", read.parsed())]);
            let router = Router::new(Files::new(one, BTreeMap::new()));
            let mut names = router.servers().iter().flat_map(|server| server.names());
            if names.any(|other| other == name) && !texts.contains(&*read.text) {
                found.push(Path::new("/etc").join(below));
            }
        }
        found
    }

    /// Where requests are passed on to ports of this host.
    pub(super) fn upstreams(&self) -> Vec<Passes> {
        let router = self.router();
        let mut found: BTreeMap<u16, String> = BTreeMap::new();
        for server in router.servers() {
            let mut level: Vec<_> = router.locations(server).iter().collect();
            while let Some(location) = level.pop() {
                level.extend(location.inner());
                let Some(says) = location.says().filter(|says| says.name() == "proxy_pass") else {
                    continue;
                };
                let place = format!("location {} ({})", location.head(), self.spot(says));
                let targets = router.targets(says.word(0)).into_iter();
                for port in targets.filter_map(|one| one.local_port()) {
                    found.entry(port).or_insert_with(|| place.clone());
                }
            }
        }
        let found = found.into_iter();
        found.map(|(port, place)| Passes { port, place }).collect()
    }
}

impl Read {
    fn parsed(&self) -> Text<'_> {
        Text {
            path: &self.path,
            directives: &self.directives,
        }
    }
}
