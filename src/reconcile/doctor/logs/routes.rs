//! What of nginx belongs to a service: the places that pass requests on to it, the logs that have these requests, and which of
//! their lines are of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use super::backends::Backends;
use super::format::{Format, Said};
use super::written::Logs;
use crate::reconcile::doctor::live::Live;
use crate::source::nginx::Located;
use crate::source::nginx::router::{Location, Request, Router, Server};

/// Answers that are remembered: requests for the same come again and again.
const REMEMBERED: usize = 10_000;

/// What kind of log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    /// An `access_log`.
    Access,
    /// An `error_log`.
    Error,
}

/// A log of nginx in which there may be lines of the service.
#[derive(Clone, Debug)]
pub(super) struct NginxLog {
    /// Which kind.
    pub which: Which,
    /// The file.
    pub path: PathBuf,
    /// How its lines are written, of an access log.
    pub formats: Vec<Format>,
    /// The servers that write it, by their place among all.
    servers: BTreeSet<usize>,
}

/// The routes of a service.
pub(super) struct Routes<'l> {
    live: &'l Live,
    router: Router<'l>,
    backends: Backends,
    /// Places that lead to it, for people.
    pub places: Vec<String>,
    /// The logs.
    pub logs: Vec<NginxLog>,
    /// What cannot be read, and why.
    pub elsewhere: BTreeSet<String>,
    known: RefCell<HashMap<(usize, bool, String, String), bool>>,
}

impl NginxLog {
    /// When a line was written, whoever it is of.
    pub(super) fn time_of(&self, line: &str) -> Option<jiff::Timestamp> {
        match self.which {
            Which::Access => {
                self.formats
                    .iter()
                    .find_map(|format| format.read(line))?
                    .time
            }
            Which::Error => Said::of_error(line, &jiff::tz::TimeZone::system())?.time,
        }
    }
}

impl<'l> Routes<'l> {
    /// Those that lead to these backends.
    pub(super) fn of(live: &'l Live, backends: Backends) -> Self {
        let mut routes = Self {
            live,
            router: live.router(),
            backends,
            places: Vec::new(),
            logs: Vec::new(),
            elsewhere: BTreeSet::new(),
            known: RefCell::default(),
        };
        routes.find();
        routes
    }

    fn find(&mut self) {
        let files = self.live.files();
        let http = files.http();
        let formats = formats(&http);
        let main: Vec<Located<'_>> = files
            .main_nodes()
            .iter()
            .map(|node| Located {
                path: node.path,
                directive: node.directive,
            })
            .collect();
        let outer = Logs::default().within(&main).within(&http);
        let mut found: BTreeMap<(Which, PathBuf), (Vec<Format>, BTreeSet<usize>)> = BTreeMap::new();
        let mut places = Vec::new();
        let mut writers: Vec<Logs> = Vec::new();
        let mut leading = BTreeSet::new();
        for (index, server) in self.router.servers().iter().enumerate() {
            let own = outer.within(&files.inside(server.place));
            let mut all = vec![own.clone()];
            let is_site = self.backends.sites.contains(server.place.path);
            if is_site {
                let names = server.names().join(" ");
                places.push(format!("server {names} ({})", self.live.spot(server.place)));
                leading.insert(index);
            }
            let mut level: Vec<(&Location<'_>, Logs)> = self
                .router
                .locations(server)
                .iter()
                .map(|location| (location, own.clone()))
                .collect();
            while let Some((location, around)) = level.pop() {
                let logs = around.within(&files.inside(location.place));
                for inner in location.inner() {
                    level.push((inner, logs.clone()));
                }
                let says = location.says();
                let leads =
                    says.is_some_and(|says| self.backends.may_be(says.word(0), &self.router));
                if leads && !is_site {
                    let spot = self.live.spot(location.place);
                    places.push(format!("location {} ({spot})", location.head()));
                    leading.insert(index);
                }
                all.push(logs);
            }
            writers.push(Logs::together(&all));
        }
        for (index, logs) in writers.iter().enumerate() {
            for (path, name) in &logs.access {
                let entry = found.entry((Which::Access, path.clone())).or_default();
                let format = match name.as_deref() {
                    None | Some("combined") => Some(Format::combined()),
                    Some(name) => formats.get(name).cloned(),
                };
                if let Some(format) = format.filter(|format| !entry.0.contains(format)) {
                    entry.0.push(format);
                }
                entry.1.insert(index);
            }
            for path in &logs.error {
                let entry = found.entry((Which::Error, path.clone())).or_default();
                entry.1.insert(index);
            }
            if leading.contains(&index) {
                self.elsewhere
                    .extend(logs.elsewhere.values().flatten().cloned());
            }
        }
        let found = found.into_iter();
        let found = found.filter(|(_, (_, servers))| !servers.is_disjoint(&leading));
        self.logs = found
            .map(|((which, path), (formats, servers))| NginxLog {
                which,
                path,
                formats,
                servers,
            })
            .collect();
        places.sort();
        places.dedup();
        self.places = places;
    }

    /// What a line of a log says, if it is of the service.
    pub(super) fn read(&self, log: &NginxLog, line: &str) -> Option<Said> {
        let said = match log.which {
            Which::Access => log.formats.iter().find_map(|format| format.read(line))?,
            Which::Error => {
                let said = Said::of_error(line, &jiff::tz::TimeZone::system())?;
                said.is_of_request().then_some(said)?
            }
        };
        self.leads(log, &said).then_some(said)
    }

    /// What an access log does not say, so that lines of other servers may be among these.
    pub(super) fn is_ambiguous(&self, log: &NginxLog) -> bool {
        let tells = |format: &Format| format.tells_servers_apart();
        log.which == Which::Access && log.servers.len() > 1 && !log.formats.iter().all(tells)
    }

    /// Whether the request of a line leads to the service.
    fn leads(&self, log: &NginxLog, said: &Said) -> bool {
        if self.backends.sites.is_empty() && !said.upstreams.is_empty() {
            let mut tried = said.upstreams.iter();
            return tried.any(|one| self.backends.is_at(one, &self.router));
        }
        let Some(path) = &said.target else {
            return false;
        };
        let all = self.router.servers();
        let mut servers = all
            .iter()
            .enumerate()
            .filter(|(index, _)| log.servers.contains(index));
        servers.any(|(index, server)| {
            let names = server.names();
            if let Some(name) = &said.server
                && !names.contains(&name.as_str())
            {
                return false;
            }
            self.server_leads((index, server), said, path)
        })
    }

    fn server_leads(&self, (index, server): (usize, &Server<'l>), said: &Said, path: &str) -> bool {
        let host = match &said.host {
            Some(host) => host.clone(),
            None => name_of(server),
        };
        let listens = self.router.listens(server).iter();
        let mut listens = listens.filter(|one| said.https.is_none_or(|https| https == one.tls));
        listens.any(|one| {
            let key = (index, one.tls, host.clone(), path.to_owned());
            if let Some(known) = self.known.borrow().get(&key) {
                return *known;
            }
            let answer = self.router.answer(&Request {
                https: one.tls,
                host: host.clone(),
                authority: host.clone(),
                port: one.port,
                target: path.to_owned(),
                arrives: None,
            });
            let is_it = answer
                .server
                .is_some_and(|found| found.place == server.place);
            let leads = is_it
                && (self.backends.sites.contains(server.place.path)
                    || self.backends.takes(&answer.outcome, &self.router));
            let mut known = self.known.borrow_mut();
            if known.len() < REMEMBERED {
                known.insert(key, leads);
            }
            leads
        })
    }
}

/// A host that leads to a server: its first name that is one, else none that another one has.
fn name_of(server: &Server<'_>) -> String {
    let names = server.names();
    let plain =
        |name: &&&str| !name.contains('*') && !name.starts_with(['~', '.']) && !name.is_empty();
    if let Some(name) = names.iter().find(plain) {
        return (*name).to_owned();
    }
    let wild = names.iter().find_map(|name| {
        let rest = name.strip_prefix("*.").or(name.strip_prefix('.'))?;
        Some(format!("any.{rest}"))
    });
    wild.unwrap_or_default()
}

/// The formats of access logs by their names.
fn formats(http: &[Located<'_>]) -> BTreeMap<String, Format> {
    let all = http.iter().filter(|place| place.name() == "log_format");
    let named = all.filter_map(|place| {
        let words: Vec<&str> = place.words().collect();
        let (name, rest) = words.split_first()?;
        Some(((*name).to_owned(), Format::of(rest)))
    });
    named.collect()
}
