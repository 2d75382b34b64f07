//! What of nginx belongs to a service: the places that pass requests on to it, the logs that have these requests, and which of
//! their lines are of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::format::{Format, Said};
use crate::reconcile::doctor::live::Live;
use crate::source::nginx::Located;
use crate::source::nginx::router::{Location, Outcome, Request, Router, Server, Target};

/// Where nginx of Debian writes without a word for it: `--http-log-path` and `--error-log-path` of `nginx -V`.
const ACCESS: &str = "/var/log/nginx/access.log";
const ERROR: &str = "/var/log/nginx/error.log";
/// Answers that are remembered: requests for the same come again and again.
const REMEMBERED: usize = 10_000;

/// What requests have to lead to.
#[derive(Clone, Debug, Default)]
pub(super) struct Behind {
    /// Ports of this host.
    pub ports: BTreeSet<u16>,
    /// Names, such as those of containers.
    pub names: BTreeSet<String>,
    /// Addresses of containers.
    pub addresses: BTreeSet<IpAddr>,
    /// Files of sites, all of whose requests count.
    pub sites: BTreeSet<PathBuf>,
}

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
    behind: Behind,
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
    /// Of what is behind.
    pub(super) fn of(live: &'l Live, behind: Behind) -> Self {
        let mut routes = Self {
            live,
            router: live.router(),
            behind,
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
        let groups = self.live.groups();
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
            let is_site = self.behind.sites.contains(server.place.path);
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
                let leads = says.is_some_and(|says| self.behind.may_be(says.word(0), &groups));
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
        if self.behind.sites.is_empty() && !said.upstreams.is_empty() {
            let mut tried = said.upstreams.iter();
            return tried.any(|one| self.behind.has(&target(one)));
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
                && (self.behind.sites.contains(server.place.path)
                    || self.behind.takes(&answer.outcome));
            let mut known = self.known.borrow_mut();
            if known.len() < REMEMBERED {
                known.insert(key, leads);
            }
            leads
        })
    }
}

impl Behind {
    /// Whether there is nothing that a request could lead to.
    pub(super) fn is_nothing(&self) -> bool {
        self.ports.is_empty()
            && self.names.is_empty()
            && self.addresses.is_empty()
            && self.sites.is_empty()
    }

    fn has(&self, target: &Target) -> bool {
        let host = target.host.trim_matches(['[', ']']);
        let is_address = || {
            let address = host.parse();
            address.is_ok_and(|address| self.addresses.contains(&address))
        };
        let is_port = target
            .local_port()
            .is_some_and(|port| self.ports.contains(&port));
        is_port || self.names.contains(host) || is_address()
    }

    fn takes(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Proxy(upstream) => upstream.targets.iter().any(|one| self.has(one)),
            Outcome::Other { to, .. } => self.has(&target(to)),
            Outcome::NotKnown { possible, .. } => possible.iter().any(|one| self.takes(one)),
            _ => false,
        }
    }

    /// Whether what a location passes requests on to may be it. What has a variable may lead anywhere.
    fn may_be(&self, pass: &str, groups: &BTreeMap<String, Vec<String>>) -> bool {
        if pass.contains('$') {
            return true;
        }
        let (https, rest) = match (pass.strip_prefix("http://"), pass.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => (false, pass),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let one = [authority.to_owned()];
        let servers = groups.get(authority).map_or(&one[..], Vec::as_slice);
        servers.iter().any(|server| {
            let mut target = target(server);
            target.port = target.port.or(Some(if https { 443 } else { 80 }));
            self.has(&target)
        })
    }
}

/// `127.0.0.1:8001`, `app`, `[::1]:80` or `unix:/run/app.sock`.
fn target(text: &str) -> Target {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        None => (text, None),
    };
    Target {
        host: host.to_owned(),
        port,
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

/// Where a block writes.
#[derive(Clone, Debug, Default)]
struct Logs {
    access: Vec<(PathBuf, Option<String>)>,
    error: Vec<PathBuf>,
    /// What is written elsewhere than into files.
    elsewhere: BTreeMap<&'static str, BTreeSet<String>>,
    said: [bool; 2],
}

impl Logs {
    /// Those of a block within: what it says of access logs replaces what is said around, and the same of error logs.
    fn within(&self, block: &[Located<'_>]) -> Self {
        let mut inner = self.clone();
        let all = |name: &'static str| block.iter().filter(move |place| place.name() == name);
        if all("access_log").next().is_some() {
            inner.access.clear();
            inner.elsewhere.remove("access_log");
            inner.said[0] = true;
            for place in all("access_log") {
                let to = place.word(0);
                match file(to) {
                    Some(path) => {
                        let format = Some(place.word(1)).filter(|word| is_format(word));
                        inner.access.push((path, format.map(str::to_owned)));
                    }
                    None => inner.is_elsewhere("access_log", to),
                }
            }
        }
        if all("error_log").next().is_some() {
            inner.error.clear();
            inner.elsewhere.remove("error_log");
            inner.said[1] = true;
            for place in all("error_log") {
                let to = place.word(0);
                match file(to) {
                    Some(path) => inner.error.push(path),
                    None => inner.is_elsewhere("error_log", to),
                }
            }
        }
        inner
    }

    fn is_elsewhere(&mut self, directive: &'static str, to: &str) {
        let why = match to {
            "off" => "writes no log".to_owned(),
            "stderr" => "goes to the standard error of nginx".to_owned(),
            to if to.starts_with("syslog:") => {
                "goes to syslog: sudo journalctl -t nginx".to_owned()
            }
            to if to.contains('$') => "has a variable in its path".to_owned(),
            _ => "is not a file of its own".to_owned(),
        };
        let told = self.elsewhere.entry(directive).or_default();
        told.insert(format!("{directive} {to} {why}"));
    }

    /// All that several blocks write.
    fn together(all: &[Self]) -> Self {
        let mut together = Self::default();
        for logs in all {
            // Without a word for it, nginx writes where it was built to.
            match logs.said[0] {
                true => together.access.extend(logs.access.iter().cloned()),
                false => together.access.push((ACCESS.into(), None)),
            }
            match logs.said[1] {
                true => together.error.extend(logs.error.iter().cloned()),
                false => together.error.push(ERROR.into()),
            }
            for (directive, told) in &logs.elsewhere {
                let all = together.elsewhere.entry(directive).or_default();
                all.extend(told.iter().cloned());
            }
        }
        together
    }
}

fn is_format(word: &str) -> bool {
    let is_parameter = ["buffer=", "gzip", "flush=", "if="]
        .iter()
        .any(|start| word.starts_with(start));
    !word.is_empty() && !is_parameter
}

/// The file that a log is, if it is one with a path that is known. A relative one is below nginx's prefix.
fn file(to: &str) -> Option<PathBuf> {
    let is_file = !matches!(to, "off" | "stderr" | "")
        && !to.starts_with("syslog:")
        && !to.starts_with("memory:")
        && !to.contains('$');
    is_file.then(|| match to.starts_with('/') {
        true => PathBuf::from(to),
        false => Path::new("/usr/share/nginx").join(to),
    })
}
