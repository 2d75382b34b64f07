//! The public routes of a desired state: from a URL over server and location to the container and unit behind.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::PathBuf;

use super::Revision;
use super::nginx;
use super::nginx::router::{
    Answer, Listens, Located, Location, Request, Router, Server, Target, Work,
};
use crate::model::Url;

/// The routes of a revision, ready to be asked.
pub struct Routes<'a> {
    /// What nginx does.
    pub router: Router<'a>,
    revision: &'a Revision,
    /// The desired state beside which the files lie, if they are none of its inputs.
    beside: Option<&'a Revision>,
    /// The units that publish a port.
    publish: OnceCell<HashMap<u16, Vec<Backend>>>,
}

/// A location of the table.
#[derive(Debug)]
pub struct Row<'r, 'a> {
    pub server: &'r Server<'a>,
    /// The location; `None` for a server without any.
    pub location: Option<&'r Location<'a>>,
    /// The public URL of its path; for a regular expression the one of its server, with the expression behind.
    pub url: String,
    /// What comes of a request for just that URL; `None` where there is no such URL.
    pub answer: Option<Answer<'r, 'a>>,
    /// Where the location itself passes requests on or answers them.
    pub says: Option<Located<'a>>,
}

/// Who publishes a port of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The unit; `None` for a service that no unit runs.
    pub unit: Option<String>,
    /// The compose project and its service.
    pub service: Option<(String, String)>,
    /// The container, if its name is fixed.
    pub container: Option<String>,
}

impl<'a> Routes<'a> {
    /// Reads the sites and nginx files of a revision.
    pub fn of(revision: &'a Revision) -> Self {
        let parsed = &revision.parsed;
        let files = nginx::files(&revision.desired, &parsed.sites, &parsed.etc);
        Self {
            router: Router::new(files),
            revision,
            beside: None,
            publish: OnceCell::new(),
        }
    }

    /// The same of files that are no inputs, in the checkout of a desired state. Their nginx may run in a container, where
    /// names are those of compose services.
    pub fn elsewhere(files: &'a Revision, desired: &'a Revision) -> Self {
        Self {
            beside: Some(desired),
            ..Self::of(files)
        }
    }

    /// What comes of a URL that somebody outside asks for.
    pub fn answer(&self, url: &Url) -> Answer<'_, 'a> {
        self.router.answer(&Request::of(url, None))
    }

    /// The same, with those servers and locations that could have taken it in each step.
    pub fn explain(&self, url: &Url) -> Answer<'_, 'a> {
        self.router.explain(&Request::of(url, None))
    }

    /// Every location of every server, in the order of the files.
    pub fn table(&self) -> Vec<Row<'_, 'a>> {
        let mut rows = Vec::new();
        let servers = self.router.servers().iter();
        let counts = servers.map(|server| count(self.router.locations(server)).max(1));
        let work = Work::of(counts.sum());
        for server in self.router.servers() {
            let Some(base) = self.base(server) else {
                continue;
            };
            let locations = self.router.locations(server);
            if locations.is_empty() {
                rows.push(self.row(server, None, &base, &work));
            }
            self.add(server, locations, (&base, &work), &mut rows);
        }
        rows
    }

    fn add<'r>(
        &'r self,
        server: &'r Server<'a>,
        level: &'r [Location<'a>],
        (base, work): (&Base, &Work),
        rows: &mut Vec<Row<'r, 'a>>,
    ) {
        for location in level {
            rows.push(self.row(server, Some(location), base, work));
            self.add(server, location.inner(), (base, work), rows);
        }
    }

    fn row<'r>(
        &'r self,
        server: &'r Server<'a>,
        location: Option<&'r Location<'a>>,
        base: &Base,
        work: &Work,
    ) -> Row<'r, 'a> {
        let path = match location {
            None => Some("/".to_owned()),
            Some(location) => location.url_path(),
        };
        let asked = path
            .as_ref()
            .filter(|_| base.is_asked)
            .map(|path| format!("{}{path}", base.asked));
        let answer = asked.and_then(|url| url.parse().ok()).map(|url: Url| {
            let loopback = (!base.public).then_some([127, 0, 0, 1].into());
            self.router
                .answer_of_many(&Request::of(&url, loopback), work)
        });
        let url = match (path, location) {
            (Some(path), _) => format!("{}{path}", base.shown),
            (None, Some(location)) => format!("{} {}", base.shown, location.head()),
            (None, None) => base.shown.clone(),
        };
        Row {
            server,
            location,
            url,
            answer,
            says: location.and_then(Location::says),
        }
    }

    /// Scheme, host and port under which a server is best asked.
    fn base(&self, server: &Server<'a>) -> Option<Base> {
        let rank = |listens: &&Listens| (listens.public, listens.tls);
        let listens = self.router.listens(server);
        let listens = listens.iter().rev().max_by_key(rank)?;
        let names = server.names();
        let name = names.first().copied().unwrap_or_default();
        let concrete = match (name, name.strip_prefix('.')) {
            ("" | "_", _) => "any.invalid".to_owned(),
            (_, Some(domain)) => domain.to_owned(),
            _ => name.replacen("*.", "any.", 1).replacen(".*", ".any", 1),
        };
        let shown = if name.is_empty() { "*" } else { name };
        Some(Base {
            shown: base_url(listens, shown),
            asked: base_url(listens, &concrete),
            is_asked: !name.starts_with('~') && !name.contains('$'),
            public: listens.public,
        })
    }

    /// The units that publish the port of a target on this host, with the service of theirs.
    pub fn behind(&self, target: &Target) -> Vec<Backend> {
        let Some(port) = target.local_port() else {
            let beside = self.beside.into_iter();
            return beside
                .flat_map(|beside| named(beside, &target.host))
                .collect();
        };
        let publish = self.publish.get_or_init(|| self.publications());
        publish.get(&port).cloned().unwrap_or_default()
    }

    fn publications(&self) -> HashMap<u16, Vec<Backend>> {
        let mut all: HashMap<u16, Vec<Backend>> = HashMap::new();
        for (name, unit) in &self.desired().desired.units {
            let mut add = |port: u16, service, container| {
                let behind = Backend {
                    unit: Some(name.clone()),
                    service,
                    container,
                };
                let of_port = all.entry(port).or_default();
                if !of_port.contains(&behind) {
                    of_port.push(behind);
                }
            };
            for stack in &unit.stacks {
                let services = self.services(&stack.files);
                for port in &stack.ports {
                    let (service, container) = services.get(port).cloned().unzip();
                    let service = service.map(|service| (stack.project.clone(), service));
                    add(*port, service, container.flatten());
                }
            }
            if let Some(run) = &unit.by_podman {
                let published = run.published.iter();
                for port in published.filter(|port| port.protocol == "tcp") {
                    add(port.port, None, run.name.clone());
                }
            }
        }
        all
    }

    /// The services of compose files by the ports that they publish: the first of each port.
    fn services(&self, files: &[PathBuf]) -> HashMap<u16, (String, Option<String>)> {
        let mut all = HashMap::new();
        let composed = files.iter().filter_map(|file| {
            let source = &self.desired().desired.files.get(file)?.source;
            self.desired().parsed.compose.get(source)
        });
        for (name, service) in composed.flat_map(|file| &file.compose.services) {
            for port in service.host_ports() {
                let service = || (name.clone(), service.container_name.clone());
                all.entry(port).or_insert_with(service);
            }
        }
        all
    }

    /// The desired state: the files may be others.
    fn desired(&self) -> &'a Revision {
        self.beside.unwrap_or(self.revision)
    }

    /// The line of a place, from 1.
    pub fn line(&self, place: Located<'_>) -> usize {
        self.revision
            .text(place.path)
            .line_of(place.directive.span.start)
    }
}

/// Scheme, host and port of a server by one of its names.
pub(crate) fn base_url(listens: &Listens, name: &str) -> String {
    match (listens.tls, listens.port) {
        (true, 443) => format!("https://{name}"),
        (true, port) => format!("https://{name}:{port}"),
        (false, 80) => format!("http://{name}"),
        (false, port) => format!("http://{name}:{port}"),
    }
}

/// How many locations there are in a level, with those within.
fn count(level: &[Location<'_>]) -> usize {
    let inner = level.iter().map(|location| count(location.inner()));
    level.len() + inner.sum::<usize>()
}

/// The compose services that a container reaches by a name; none where several projects have one.
fn named(desired: &Revision, host: &str) -> Vec<Backend> {
    let mut found: Vec<Backend> = Vec::new();
    for stack in &desired.parsed.stacks {
        let services = stack.compose.services.iter();
        let mut named = services.filter(|(name, service)| {
            *name == host || service.container_name.as_deref() == Some(host)
        });
        if let Some((name, service)) = named.next() {
            let behind = Backend {
                unit: stack.unit.clone(),
                service: Some((stack.project.clone(), name.clone())),
                container: service.container_name.clone(),
            };
            if !found.contains(&behind) {
                found.push(behind);
            }
        }
    }
    fn project(backend: &Backend) -> Option<&String> {
        backend.service.as_ref().map(|(project, _)| project)
    }
    let first = found.first().and_then(project);
    match found.iter().all(|one| project(one) == first) {
        true => found,
        false => Vec::new(),
    }
}

/// See [`Routes::base`].
struct Base {
    shown: String,
    asked: String,
    is_asked: bool,
    public: bool,
}
