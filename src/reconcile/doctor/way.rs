//! The way of a URL: what nginx does with it, and what each part of the way answers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::facts::Facts;
use super::live::Live;
use crate::host::Host;
use crate::host::probe::ProbeError;
use crate::model::{Backend, Gate, Probe, Url};
use crate::source::nginx::router::{MatchKind, Outcome, Request, Target};

/// How long nginx and what is behind it are waited for, both at once. nginx itself waits for 60 s, `proxy_read_timeout`.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a name is looked up.
const LOOKUP: Duration = Duration::from_secs(2);
/// How long what is behind has after nginx said that it did not answer in time.
const AFTER_NGINX: Duration = Duration::from_secs(1);

/// What came of asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// Nobody listens, or the connection failed: why.
    Refused(String),
    /// No answer for so long.
    Timeout(Duration),
    /// A status, and the first line where it is short.
    Status(u16, Option<String>),
    /// The connection was closed, or what came is no HTTP.
    Closed(String),
    /// The name of the upstream is not known here.
    NoName,
}

/// An upstream server.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    /// Its name or address, and its port.
    pub target: Target,
    /// What it answers.
    pub reached: Reached,
}

/// The way of a URL.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The URL.
    pub url: Url,
    /// The server that takes it, with its place.
    pub server: Option<String>,
    /// Whether that has the name that is asked for.
    pub is_named: bool,
    /// The location that it ends in, with its place.
    pub location: Option<String>,
    /// The path of that location, if it is a prefix.
    pub prefix: Option<String>,
    /// Its `proxy_pass`, as it is written.
    pub pass: Option<String>,
    /// What nginx does with the request, in words.
    pub ends: String,
    /// The path and query that the upstream receives.
    pub uri: String,
    /// Whether the upstream speaks TLS.
    pub https: bool,
    /// The servers of the upstream.
    pub stops: Vec<Stop>,
    /// What nginx answers.
    pub nginx: Reached,
    /// What is wrong with the certificate, and what helps.
    pub certificate: Option<(String, String)>,
    /// What the service answers to the path as it would be with or without its prefix.
    pub otherwise: Option<(String, u16)>,
    /// Sites that have the name and are not enabled.
    pub not_enabled: Vec<PathBuf>,
}

impl Way {
    /// What the files of nginx say of a URL.
    pub(super) fn of(live: &Live, url: &Url) -> Self {
        let router = live.router();
        let answer = router.explain(&Request::of(url, None));
        let names = |server: &crate::source::nginx::router::Server<'_>| {
            let names = server.names().join(" ");
            match names.is_empty() {
                true => "without a name".to_owned(),
                false => names,
            }
        };
        let server = answer
            .server
            .map(|server| format!("server {} ({})", names(server), live.spot(server.place)));
        let location = answer.location;
        let is_prefix = |kind| matches!(kind, MatchKind::Prefix | MatchKind::Final);
        let prefix = location.filter(|location| is_prefix(location.kind));
        let pass = location.and_then(|location| location.says());
        let upstream = match &answer.outcome {
            Outcome::Proxy(upstream) => Some(upstream),
            _ => None,
        };
        let stops = answer.outcome.targets().into_iter().map(|target| Stop {
            target: target.clone(),
            reached: Reached::NotAsked,
        });
        Self {
            url: url.clone(),
            server,
            is_named: answer.named,
            location: location.map(|location| {
                let place = live.spot(location.place);
                format!("location {} ({place})", location.head())
            }),
            prefix: prefix.map(|location| location.name.to_owned()),
            pass: pass.map(|pass| pass.text()),
            ends: ends(&answer.outcome),
            uri: upstream.map_or_else(String::new, |upstream| upstream.uri.clone()),
            https: upstream.is_some_and(|upstream| upstream.https),
            stops: stops.collect(),
            nginx: Reached::NotAsked,
            certificate: None,
            otherwise: None,
            not_enabled: match answer.named {
                true => Vec::new(),
                false => live.not_enabled(&url.host()),
            },
        }
    }

    /// Asks nginx and the servers behind, with one GET each.
    pub(super) async fn ask(&mut self, host: &Host) {
        if !host.is_live() {
            return;
        }
        // What nginx has waited for in vain need not be waited for again.
        let (gave_up, gives_up) = tokio::sync::watch::channel(false);
        let way = &*self;
        let asked = way.stops.iter().map(|stop| {
            let mut gives_up = gives_up.clone();
            async move {
                let began = Instant::now();
                let enough = async {
                    if gives_up.wait_for(|gave_up| *gave_up).await.is_ok() {
                        tokio::time::sleep(AFTER_NGINX).await;
                    } else {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    reached = way.ask_stop(host, stop) => reached,
                    () = enough => Reached::Timeout(began.elapsed()),
                }
            }
        });
        let asked = futures_util::future::join_all(asked);
        let nginx = async {
            let answer = way.ask_nginx(host).await;
            if matches!(answer.0, Reached::Status(504, _)) {
                gave_up.send_replace(true);
            }
            answer
        };
        let ((nginx, certificate), reached) = tokio::join!(nginx, asked);
        (self.nginx, self.certificate) = (nginx, certificate);
        for (stop, reached) in self.stops.iter_mut().zip(reached) {
            stop.reached = reached;
        }
        self.otherwise = self.ask_otherwise(host).await;
    }

    async fn ask_nginx(&self, host: &Host) -> (Reached, Option<(String, String)>) {
        let probe = |verify| Probe::Url {
            url: self.url.clone(),
            // No status is that: each is told.
            status: 0,
            verify,
        };
        match asked(host, probe(true)).await {
            Err(ProbeError::Certificate {
                host: name, why, ..
            }) => {
                let wrong = (why.to_string(), why.hint(&name));
                (reached(asked(host, probe(false)).await), Some(wrong))
            }
            // What is trusted here is not known.
            Err(ProbeError::NoIssuers { .. }) => (reached(asked(host, probe(false)).await), None),
            other => (reached(other), None),
        }
    }

    async fn ask_stop(&self, host: &Host, stop: &Stop) -> Reached {
        let Some(port) = stop.target.port else {
            return match host.root().is_there(stop.target.host.as_ref()) {
                true => Reached::NotAsked,
                false => Reached::Refused("there is no such socket".to_owned()),
            };
        };
        let Some(address) = address(&stop.target, port).await else {
            return Reached::NoName;
        };
        reached(self.ask_at(host, address, &self.uri).await)
    }

    async fn ask_at(&self, host: &Host, at: SocketAddr, uri: &str) -> Result<(), ProbeError> {
        let url = format!("http://{}{uri}", self.url.authority()).parse::<Url>();
        let probe = match url {
            Ok(url) if !self.https => Probe::Copy { url, at, status: 0 },
            _ => Probe::Tcp(at),
        };
        asked(host, probe).await
    }

    /// Where the service has no such page: what it says to the path with, or without, the prefix of the location.
    async fn ask_otherwise(&self, host: &Host) -> Option<(String, u16)> {
        let stop = self.stops.first()?;
        if !matches!(stop.reached, Reached::Status(404, _)) {
            return None;
        }
        let other = self.other_uri()?;
        let address = address(&stop.target, stop.target.port?).await?;
        match reached(self.ask_at(host, address, &other).await) {
            Reached::Status(status, _) => Some((other, status)),
            _ => None,
        }
    }

    /// The path as it would arrive if `proxy_pass` did the other thing: replace the prefix, or keep it.
    pub(super) fn other_uri(&self) -> Option<String> {
        let target = self.url.target();
        if self.uri != target {
            return Some(target.to_owned());
        }
        let prefix = self.prefix.as_deref().filter(|prefix| *prefix != "/")?;
        let rest = target.strip_prefix(prefix)?;
        Some(format!("/{}", rest.trim_start_matches('/')))
    }

    /// Whether the URL is answered, whatever with: also one that asks for a login is.
    pub(super) fn is_well(&self) -> bool {
        let answered =
            matches!(&self.nginx, Reached::Status(status, _) if *status < 500 && *status != 404);
        answered && self.certificate.is_none()
    }

    /// The way, in words.
    pub(super) fn steps(&self, facts: &Facts) -> Vec<String> {
        let mut steps = vec![self.url.to_string()];
        steps.push(match (&self.server, self.is_named) {
            (None, _) => format!("nginx: no server listens on port {}", self.url.port()),
            (Some(server), true) => format!("nginx: {server}"),
            (Some(server), false) => format!(
                "nginx: no server has the name {}; the first one on the port handles it: {server}",
                self.url.host()
            ),
        });
        if let Some(location) = &self.location {
            steps.push(location.clone());
        }
        if self.server.is_some() {
            steps.push(self.ends.clone());
        }
        for stop in &self.stops {
            steps.push(stop.said(facts));
        }
        match &self.nginx {
            Reached::NotAsked => {}
            answer => steps.push(format!("nginx {}", answer.said())),
        }
        steps
    }
}

impl Stop {
    /// Who is behind, and what it answers.
    fn said(&self, facts: &Facts) -> String {
        let mut behind = Vec::new();
        if let Some(port) = self.target.local_port() {
            if let Some(listener) = facts.listens(port) {
                let program = listener.program.as_deref().unwrap_or("a program");
                behind.push(format!("{program} listens"));
            }
            for unit in facts.units_for(port) {
                let containers = facts.containers_of(&unit).map(|one| one.name.clone());
                let containers: Vec<String> = containers.collect();
                behind.push(match containers.is_empty() {
                    true => unit,
                    false => format!("{unit} with {}", containers.join(", ")),
                });
            }
        }
        let behind = match behind.is_empty() {
            true => String::new(),
            false => format!(" ({})", behind.join("; ")),
        };
        match &self.reached {
            Reached::NotAsked => format!("{}{behind}", self.target),
            answer => format!("{}{behind} {}", self.target, answer.said()),
        }
    }
}

impl Reached {
    /// As the end of a sentence.
    pub(super) fn said(&self) -> String {
        match self {
            Self::NotAsked => "was not asked".to_owned(),
            Self::Refused(why) => format!("cannot be reached: {why}"),
            Self::Timeout(waited) => format!("does not answer within {} s", waited.as_secs()),
            Self::Status(status, None) => format!("answers {status}"),
            Self::Status(status, Some(said)) => format!("answers {status} ({said})"),
            Self::Closed(why) => format!("closes the connection: {why}"),
            Self::NoName => "has a name that does not resolve here".to_owned(),
        }
    }
}

async fn asked(host: &Host, probe: Probe) -> Result<(), ProbeError> {
    let gate = Gate {
        probe,
        timeout: PATIENCE,
        retries: 0,
        behind: Backend::default(),
    };
    host.probe(&gate).await.map(|_| ())
}

fn reached(answer: Result<(), ProbeError>) -> Reached {
    match answer {
        // A connection, of which nothing more was asked.
        Ok(()) => Reached::NotAsked,
        Err(ProbeError::Status { got, said, .. }) => Reached::Status(got, said),
        Err(ProbeError::Timeout(waited)) => Reached::Timeout(waited),
        Err(ProbeError::Connect { why, .. }) => Reached::Refused(why.to_string()),
        Err(ProbeError::Http(why)) => Reached::Closed(why),
        Err(other) => Reached::Refused(other.to_string()),
    }
}

async fn address(target: &Target, port: u16) -> Option<SocketAddr> {
    if target.local_port().is_some() {
        return Some((Ipv4Addr::LOCALHOST, port).into());
    }
    let host = target.host.trim_matches(['[', ']']);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some((address, port).into());
    }
    let found = tokio::net::lookup_host((host, port));
    let found = tokio::time::timeout(LOOKUP, found).await.ok()?.ok()?;
    let mut found = found;
    found.next()
}

/// What nginx does with a request, in a line.
fn ends(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Proxy(upstream) => format!("passed on to {upstream}"),
        Outcome::Other { directive, to } => format!("{directive} {to}"),
        Outcome::Redirect { status, to } => format!("redirected to {to} ({status})"),
        Outcome::Status { status, .. } => format!("nginx answers {status} itself"),
        Outcome::Files => "nginx looks for a file of the host".to_owned(),
        Outcome::Closed => "nginx closes the connection".to_owned(),
        Outcome::NotListening => "nothing listens".to_owned(),
        Outcome::NotKnown { possible, .. } if !possible.is_empty() => {
            let all: Vec<String> = possible.iter().map(ends).collect();
            all.join(", or ")
        }
        Outcome::NotKnown { why, .. } => format!("not known: {}", why.join(", ")),
    }
}
