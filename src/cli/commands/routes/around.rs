//! What is around the routes of the checkout: who listens behind an upstream, and sites of this host that are not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::check::Subject;
use crate::check::ports::{Ports, ports};
use crate::cli::session::Session;
use crate::host::sockets::listeners;
use crate::model::{Desired, Diagnostic, Entry, layout};
use crate::root::Root;
use crate::source::Revision;
use crate::source::nginx::router::{Router, Target};
use crate::source::nginx::{self, Directive, Files, Text};

/// What the checkout and this host say beside the routes.
pub(super) struct Around {
    /// The ports of the desired state.
    ports: Ports,
    /// Ports at which this host listens; `None` if the desired state is not this host's.
    listening: Option<BTreeSet<u16>>,
    /// Files that this host's nginx reads and the checkout does not have.
    foreign: Vec<(PathBuf, Option<Vec<Directive>>)>,
}

impl Around {
    /// Looks at the checkout, and at the host if the desired state is its own or `--root` names it.
    pub(super) fn of(session: &Session, revision: &Revision, wrong: &[Diagnostic]) -> Self {
        let ports = ports(&Subject { revision, wrong });
        let host = session.managed_host();
        let live = host.is_some_and(|host| host.is_live());
        let listening = live.then(|| {
            let tcp = listeners().into_iter().filter(|one| one.protocol == "tcp");
            tcp.map(|one| one.port).collect()
        });
        Self {
            ports,
            listening,
            foreign: host
                .map(|host| foreign(host.root(), &revision.desired))
                .unwrap_or_default(),
        }
    }

    /// That nothing listens behind an upstream: for each of its ports on this host that nobody declares.
    pub(super) fn nobody(&self, targets: &[&Target]) -> Vec<String> {
        let local = targets.iter().filter_map(|target| target.local_port());
        let numbers: BTreeSet<u16> = local.collect();
        let undeclared = numbers.into_iter().filter(|number| {
            let port = self.ports.get(&(*number, "tcp".to_owned()));
            port.is_none_or(|port| port.declared.is_empty())
        });
        undeclared
            .map(|port| match &self.listening {
                Some(here) if here.contains(&port) => {
                    format!("something listens on {port} here, but no file of the checkout declares it")
                }
                Some(_) => format!("nothing listens on {port}: nginx answers 502"),
                None => format!(
                    "nothing listens on {port}, as far as the checkout says: no unit, socket, service or site of it names that port"
                ),
            })
            .collect()
    }

    /// Sites of this host that listen on a port and are not in the checkout.
    pub(super) fn uncounted(&self, port: u16) -> Vec<String> {
        let text = |(path, directives): &(PathBuf, Option<Vec<Directive>>)| {
            let shown = path.display();
            match directives {
                None => Some(format!(
                    "not counted: {shown} is enabled on this host, is not in the checkout, and cannot be read"
                )),
                Some(directives) => listens(path, directives, port).then(|| {
                    format!(
                        "not counted: {shown} is enabled on this host, is not in the checkout, and listens on port {port}"
                    )
                }),
            }
        };
        self.foreign.iter().filter_map(text).collect()
    }
}

/// Files of the host that the nginx of Debian includes, and that the desired state neither has nor removes.
fn foreign(root: &Root, desired: &Desired) -> Vec<(PathBuf, Option<Vec<Directive>>)> {
    let nginx = Path::new(layout::NGINX);
    let mut found = Vec::new();
    for folder in ["sites-enabled", "conf.d"] {
        for path in root.list(&nginx.join(folder)).unwrap_or_default() {
            if is_counted(root, desired, &path) {
                continue;
            }
            let read = root.read(&path).ok().flatten();
            let text = read.and_then(|bytes| String::from_utf8(bytes).ok());
            let directives = text.and_then(|text| nginx::parse(&path, &text).ok());
            found.push((path, directives));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// Whether an entry of such a folder is of the desired state, goes with it, or is not read by nginx.
fn is_counted(root: &Root, desired: &Desired, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let below = path.strip_prefix("/etc").unwrap_or(path);
    let is_conf = path
        .parent()
        .is_some_and(|folder| folder.ends_with("conf.d"));
    let is_managed = match root.entry(path) {
        Ok(Entry::Link { target, .. }) => target.starts_with(layout::LIVE),
        Ok(Entry::File { .. }) => false,
        // Neither is read by nginx, or nothing can be said about it.
        _ => true,
    };
    is_managed
        || name.starts_with('.')
        || (is_conf && !name.ends_with(".conf"))
        || (!is_conf && desired.sites.contains_key(name))
        || desired.etc.contains_key(below)
        || desired.absent.contains(path)
}

fn listens(path: &Path, directives: &[Directive], port: u16) -> bool {
    let sites = BTreeMap::from([("", Text { path, directives })]);
    let router = Router::new(Files::new(sites, BTreeMap::new()));
    !router.listening(port).is_empty()
}
