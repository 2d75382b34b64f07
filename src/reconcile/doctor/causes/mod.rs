//! From what was looked at to causes. A file for each; all are pure.

mod bad_gateway;
mod certificate;
mod container;
mod killed;
mod login;
mod name;
mod network;
mod no_space;
mod not_found;
mod port_taken;
mod silent;
mod timeout;
mod unit;

use std::collections::BTreeSet;

use serde::Serialize;

use super::facts::Facts;
use super::focus::Focus;
use super::live::Passes;
use super::said::{Said, said};
use super::way::{Reached, Way};
use crate::model::Container;

/// Lines of a log that are shown with a cause.
const SHOWN: usize = 5;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// 404: nothing is at that URL.
    NotFound,
    /// 502: nginx gets no answer from the upstream.
    BadGateway,
    /// 504: the upstream does not answer in time.
    GatewayTimeout,
    /// 500 and others: the service answers that it failed.
    ServiceError,
    /// nginx does not run.
    NginxDown,
    /// The engine, or systemd, does not answer.
    DaemonDown,
    /// A name does not resolve.
    NameUnresolved,
    /// A container was killed: exit code 137, or out of memory.
    Killed,
    /// A container does not run, or is not healthy.
    ContainerDown,
    /// A disk is full.
    NoSpace,
    /// A registry wants a login.
    RegistryLogin,
    /// A network is missing, or a member is not on it.
    NetworkMissing,
    /// A certificate expires soon, or is not valid.
    Certificate,
    /// A port is already in use.
    PortTaken,
    /// A unit does not run.
    UnitDown,
    /// A unit or a container keeps restarting.
    Restarting,
    /// A unit is paused.
    Paused,
    /// A unit is masked.
    Masked,
    /// A service writes nothing to its log.
    SilentLog,
}

impl What {
    /// The word for it, as in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::BadGateway => "bad-gateway",
            Self::GatewayTimeout => "gateway-timeout",
            Self::ServiceError => "service-error",
            Self::NginxDown => "nginx-down",
            Self::DaemonDown => "daemon-down",
            Self::NameUnresolved => "name-unresolved",
            Self::Killed => "killed",
            Self::ContainerDown => "container-down",
            Self::NoSpace => "no-space",
            Self::RegistryLogin => "registry-login",
            Self::NetworkMissing => "network-missing",
            Self::Certificate => "certificate",
            Self::PortTaken => "port-taken",
            Self::UnitDown => "unit-down",
            Self::Restarting => "restarting",
            Self::Paused => "paused",
            Self::Masked => "masked",
            Self::SilentLog => "silent-log",
        }
    }
}

/// A cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Cause {
    /// What is wrong.
    pub what: What,
    /// Where: a URL, a unit, a container, a network, a path.
    #[serde(rename = "where")]
    pub place: String,
    /// The same in a sentence.
    pub text: String,
    /// What shows it: lines of logs, what was asked and answered.
    pub evidence: Vec<String>,
    /// What helps: commands, and what is to be changed in git.
    pub fix: Vec<String>,
}

impl Cause {
    pub(super) fn new(what: What, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            what,
            place: place.into(),
            text: text.into(),
            evidence: Vec::new(),
            fix: Vec::new(),
        }
    }

    pub(super) fn shown(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.evidence.extend(lines.into_iter().map(Into::into));
        self
    }

    pub(super) fn fixed(mut self, fix: impl Into<String>) -> Self {
        self.fix.push(fix.into());
        self
    }
}

/// What is wrong with the way of a URL.
pub(super) fn of_way(facts: &Facts, way: &Way) -> Vec<Cause> {
    let mut found: Vec<Cause> = certificate::of_way(way).into_iter().collect();
    match &way.nginx {
        Reached::Status(404, _) => found.extend(not_found::find(facts, way)),
        Reached::Status(502 | 503, _) => found.extend(bad_gateway::of_way(facts, way)),
        Reached::Status(504, _) | Reached::Timeout(_) => found.extend(timeout::of_way(facts, way)),
        Reached::Status(status, said) if *status >= 500 => {
            found.push(bad_gateway::service_error(
                facts,
                way,
                *status,
                said.as_deref(),
            ));
        }
        Reached::Refused(_) | Reached::Closed(_) => {
            found.extend(bad_gateway::no_nginx(facts, way));
        }
        Reached::NotAsked | Reached::NoName | Reached::Status(..) => {}
    }
    found
}

/// Places where nginx passes requests on and nothing listens.
pub(super) fn of_upstreams(facts: &Facts, passes: &[Passes]) -> Vec<Cause> {
    bad_gateway::of_upstreams(facts, passes)
}

/// What is wrong with the parts that a question is about.
pub(super) fn find(facts: &Facts, focus: &Focus) -> Vec<Cause> {
    let mut found = Vec::new();
    if *focus == Focus::Whole {
        found.extend(bad_gateway::daemons(facts));
    }
    found.extend(no_space::find(facts, focus));
    found.extend(unit::find(facts, focus));
    found.extend(container::find(facts, focus));
    found.extend(network::find(facts, focus));
    found.extend(name::find(facts, focus));
    if *focus == Focus::Whole {
        found.extend(certificate::find(facts));
    }
    found
}

/// Services that are asked about and whose log says nothing.
pub(super) fn silent(facts: &Facts, focus: &Focus) -> Vec<Cause> {
    silent::find(facts, focus)
}

/// Whether it is worth the while to find out what takes room.
pub(super) fn needs_room(facts: &Facts, focus: &Focus) -> bool {
    !no_space::find(facts, focus).is_empty()
}

/// Each cause once; a later one of the same thing adds nothing.
pub(super) fn once(causes: Vec<Cause>) -> Vec<Cause> {
    let mut seen = BTreeSet::new();
    let causes = causes.into_iter();
    causes
        .filter(|cause| seen.insert((cause.what, cause.place.clone(), cause.text.clone())))
        .collect()
}

/// The first line that says something known, with what it says.
pub(super) fn telling(lines: &[String]) -> Option<(&String, Said)> {
    let mut lines = lines.iter().rev();
    lines.find_map(|line| Some((line, said(line)?)))
}

/// The last lines of a log.
pub(super) fn last(lines: &[String]) -> Vec<String> {
    let skipped = lines.len().saturating_sub(SHOWN);
    lines.iter().skip(skipped).cloned().collect()
}

/// What a line in the log of something says of its cause, if that is known; `runs` is who wrote it, with the unit that is to be
/// started again.
pub(super) fn of_line(
    facts: &Facts,
    lines: &[String],
    place: &str,
    unit: Option<&str>,
) -> Option<Cause> {
    let (line, said) = telling(lines)?;
    match said {
        Said::Login { registry } => Some(login::cause(facts, line, registry, place, unit)),
        Said::NoSpace => Some(no_space::of_line(facts, line, place, unit)),
        Said::NoNetwork(name) => Some(network::of_line(facts, line, name, place, unit)),
        Said::PortTaken(port) => Some(port_taken::cause(facts, line, port, place, unit)),
        // A name is looked at with the networks of the container.
        Said::NoName(_) => None,
    }
}

/// How to read the log of a container, and to start it again.
pub(super) fn logs_of(facts: &Facts, container: &Container) -> String {
    format!(
        "sudo {} logs --tail 50 {}",
        facts.engine().command(),
        container.name
    )
}

/// What starts a container again: its unit, where it has one.
pub(super) fn again(facts: &Facts, container: &Container) -> String {
    match facts.unit_of(container) {
        Some(unit) => format!("sudo systemctl restart {unit}"),
        None => format!("sudo {} start {}", facts.engine().command(), container.name),
    }
}

#[cfg(test)]
mod tests;
