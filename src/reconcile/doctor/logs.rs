//! `logs`: what belongs to a service in the order of time, whoever keeps it: the journal, the engine, nginx.
//!
//! Each source is read from its end, and at most as many lines as are asked for.

mod backends;
mod follow;
mod format;
mod read;
mod routes;
mod written;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::facts::Facts;
use super::focus::{Focus, Question};
use super::live::Live;
use super::look;
use crate::host::Host;
use crate::model::Container;
use crate::reconcile::{ReconcileError, Request, status};
use backends::Backends;
use read::{Read, of_containers, of_nginx, of_units};
use routes::Routes;

/// Whose lines are asked for, and how many.
#[derive(Clone, Debug)]
pub(crate) struct LogWish {
    /// A unit, a stack, a compose project, a container or a site.
    pub name: String,
    /// No lines before.
    pub since: Option<Timestamp>,
    /// How many lines, the last ones.
    pub most: usize,
    /// Whether to go on with what comes.
    pub follow: bool,
}

/// Who keeps a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogKind {
    /// The journal of a unit.
    Journal,
    /// The log of a container.
    Container,
    /// An access log of nginx.
    Access,
    /// An error log of nginx.
    Error,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LogLine {
    /// When it was written; missing where its log does not say it.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub time: Option<Timestamp>,
    /// Who keeps it.
    pub kind: LogKind,
    /// The unit, the container or the file.
    pub source: String,
    /// The line.
    pub text: String,
}

/// A log that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LogSource {
    /// Who keeps it.
    pub kind: LogKind,
    /// The unit, the container or the file.
    pub source: String,
    /// How many of its lines are shown.
    pub lines: usize,
    /// Why there are none, or not all.
    pub why: Option<String>,
}

/// What is told.
pub(crate) enum Told<'t> {
    /// Nothing of this host has the name.
    Unknown,
    /// What there is.
    Now(Logs),
    /// What came since.
    More(&'t [LogLine]),
}

/// What there is of a name.
pub(crate) struct Logs {
    pub sources: Vec<LogSource>,
    /// In the order of time.
    pub lines: Vec<LogLine>,
    /// Why logs are not there, or have lines of others.
    pub notes: Vec<String>,
    /// What could not be looked at.
    pub warnings: Vec<String>,
}

/// What belongs to a name.
struct Parts {
    units: Vec<String>,
    containers: Vec<Container>,
    backends: Backends,
    notes: Vec<String>,
}

/// Tells what was written, and what is written, until `tell` says no.
///
/// # Errors
/// When the records cannot be read.
pub(crate) async fn logs(
    host: &Host,
    request: &Request,
    wish: &LogWish,
    tell: &mut dyn FnMut(Told<'_>) -> bool,
) -> Result<(), ReconcileError> {
    let mut status = status::status(host, request).await;
    if let Some(problem) = status.problem.take() {
        return Err(problem);
    }
    let live = Live::read(host.root());
    let mut facts = look::facts(host, status, Timestamp::now()).await;
    let warnings = std::mem::take(&mut facts.warnings);
    let Some(mut parts) = parts(host, &facts, &live, &wish.name).await else {
        tell(Told::Unknown);
        return Ok(());
    };
    let asks_nginx = !parts.backends.is_nothing();
    let routes = Routes::of(&live, std::mem::take(&mut parts.backends));
    let mut from = follow::From::now(host, &routes);
    let mut read = Vec::new();
    if host.is_live() {
        let (of_units, last) = of_units(&parts, wish).await;
        from.cursor = last;
        read.extend(of_units);
        let of_containers = of_containers(host, &parts, wish).await;
        from.after(&of_containers);
        read.extend(of_containers);
    } else if !parts.units.is_empty() {
        let text = "the host is not running: there is no journal, and there are no containers";
        parts.notes.push(text.to_owned());
    }
    for (log, end) in routes.logs.iter().zip(from.ends()) {
        read.push(of_nginx(host, &routes, (log, end), wish));
        if routes.is_ambiguous(log) {
            parts.notes.push(format!(
                "{} does not record the host of a request, and other servers also write to it: a line is shown if its path leads there on one of them",
                log.path.display()
            ));
        }
    }
    if asks_nginx {
        parts.notes.extend(why_no_routes(&routes));
    }
    let (sources, lines) = merged(read, wish.most);
    let goes_on = tell(Told::Now(Logs {
        sources,
        lines,
        notes: std::mem::take(&mut parts.notes),
        warnings,
    }));
    match goes_on && wish.follow {
        true => from.follow(host, &parts, &routes, tell).await,
        false => Ok(()),
    }
}

/// What belongs to a name; `None` where nothing has it.
async fn parts(host: &Host, facts: &Facts, live: &Live, name: &str) -> Option<Parts> {
    let site = |name: &str| live.site(name).map(Path::to_owned);
    let of_site = |path: PathBuf| Parts {
        units: Vec::new(),
        containers: Vec::new(),
        backends: Backends {
            sites: [path].into(),
            ..Backends::default()
        },
        notes: Vec::new(),
    };
    if let Some(name) = name.strip_prefix("site/") {
        return site(name).map(of_site);
    }
    let name = name.strip_prefix("unit/").unwrap_or(name);
    match Focus::of(&Question::Name(name.to_owned()), facts) {
        Focus::These {
            units, containers, ..
        } if !units.is_empty() || !containers.is_empty() => {
            let all = facts.containers();
            let all = all.filter(|container| containers.contains(&container.id));
            let containers: Vec<Container> = all.cloned().collect();
            let backends = backends(facts, live, &units, &containers);
            let mut notes = Vec::new();
            if site(name).is_some() {
                notes.push(format!(
                    "there is also a site of that name: watchme-apply logs site/{name}"
                ));
            }
            Some(Parts {
                units: units.into_iter().collect(),
                containers,
                backends,
                notes,
            })
        }
        Focus::These { networks, .. } if site(name).is_none() => {
            let of = facts.networks.iter();
            let of = of.filter(|network| networks.contains(&network.name));
            let members: Vec<&str> = of
                .flat_map(|network| &network.members)
                .map(|member| member.name.as_str())
                .collect();
            Some(Parts {
                units: Vec::new(),
                containers: Vec::new(),
                backends: Backends::default(),
                notes: vec![format!(
                    "{name} is a network, which writes nothing; its members do: {}",
                    members.join(", ")
                )],
            })
        }
        _ => match site(name) {
            Some(path) => Some(of_site(path)),
            None => unmanaged(host, name).await,
        },
    }
}

/// A unit of the host that nobody has in the desired state.
async fn unmanaged(host: &Host, name: &str) -> Option<Parts> {
    if !host.is_live() {
        return None;
    }
    let systemd = host.systemd().await.ok()?;
    for unit in [name.to_owned(), format!("{name}.service")] {
        if !unit.contains('.') {
            continue;
        }
        let state = systemd.unit(&unit).await;
        if state.is_ok_and(|state| state.load == "loaded") {
            return Some(Parts {
                notes: vec![format!("{unit} is not in the desired state")],
                units: vec![unit],
                containers: Vec::new(),
                backends: Backends::default(),
            });
        }
    }
    None
}

/// Where requests end that reach these units and containers.
fn backends(
    facts: &Facts,
    live: &Live,
    units: &BTreeSet<String>,
    containers: &[Container],
) -> Backends {
    let is_asked = |container: &Container| containers.iter().any(|one| one.id == container.id);
    let mut of_units = units.iter().flat_map(|unit| facts.containers_of(unit));
    // Of a container, not what the others of its unit publish.
    let is_part = !containers.is_empty() && !of_units.all(is_asked);
    let published = containers.iter().flat_map(|container| &container.published);
    let published = published.filter(|one| one.protocol == "tcp");
    let mut ports: BTreeSet<u16> = published.map(|one| one.port).collect();
    if !is_part || ports.is_empty() {
        let is_of_units = |port: &u16| !facts.units_for(*port).is_disjoint(units);
        let passed = live.upstreams().into_iter().map(|passes| passes.port);
        ports.extend(passed.filter(is_of_units));
        let states = units
            .iter()
            .filter_map(|unit| facts.desired.units.get(unit));
        let wanted = states.flat_map(crate::model::Unit::published);
        let wanted = wanted.filter(|one| one.protocol == "tcp");
        ports.extend(wanted.map(|one| one.port));
    }
    let attached = containers.iter().flat_map(|one| one.attachments.values());
    Backends {
        ports,
        names: containers.iter().map(|one| one.name.clone()).collect(),
        addresses: attached.flat_map(|one| one.addresses.iter()).collect(),
        sites: BTreeSet::new(),
    }
}

/// Why there is nothing of nginx.
fn why_no_routes(routes: &Routes<'_>) -> Vec<String> {
    let mut notes: Vec<String> = routes.elsewhere.iter().cloned().collect();
    if routes.places.is_empty() {
        notes.push("no location of nginx passes requests on to it".to_owned());
    }
    notes
}

/// All lines in the order of time, the last ones, with how many are of each source.
fn merged(read: Vec<Read>, most: usize) -> (Vec<LogSource>, Vec<LogLine>) {
    let (mut sources, mut timed) = (Vec::new(), Vec::new());
    for Read { source, lines } in read {
        sources.push(source);
        // A line without a time belongs to the one before it.
        let mut last = None;
        for line in lines {
            last = line.time.or(last);
            timed.push((last, line));
        }
    }
    timed.sort_by_key(|(time, _)| *time);
    let surplus = timed.len().saturating_sub(most);
    let lines: Vec<LogLine> = timed
        .into_iter()
        .skip(surplus)
        .map(|(_, line)| line)
        .collect();
    for source in &mut sources {
        let is_of = |line: &&LogLine| line.kind == source.kind && line.source == source.source;
        source.lines = lines.iter().filter(is_of).count();
    }
    (sources, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(second: i64, kind: LogKind, text: &str) -> LogLine {
        LogLine {
            time: (second > 0).then(|| Timestamp::from_second(second).unwrap()),
            kind,
            source: "x".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn lines_are_in_the_order_of_time_and_the_last_ones_stay() {
        let journal = ["a", "b", "c"].iter().zip([1, 0, 9]);
        let journal = journal.map(|(text, second)| line(second, LogKind::Journal, text));
        let access = vec![line(5, LogKind::Access, "d")];
        let read = vec![
            Read::of(LogKind::Journal, "x", journal.collect(), None),
            Read::of(LogKind::Access, "x", access, None),
        ];
        let (sources, lines) = merged(read, 3);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["b", "d", "c"]);
        assert_eq!((sources[0].lines, sources[1].lines), (2, 1));
    }
}
