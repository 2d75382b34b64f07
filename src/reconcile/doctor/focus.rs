//! What a question is about.

use std::collections::BTreeSet;
use std::fmt;

use super::causes::What;
use super::facts::Facts;
use super::said::{Said, said};
use super::way::Way;
use crate::model::{Container, Url};

/// What somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// What is wrong with the host?
    Whole,
    /// With a URL?
    Url(Url),
    /// With a unit, a container, a service, a stack, or a network?
    Name(String),
    /// Is there one of these, such as a 502?
    Kinds(BTreeSet<What>),
}

impl Question {
    /// Reads what was typed: a URL, what a log or a browser says, or a name.
    pub(crate) fn of(text: Option<&str>) -> Result<Self, String> {
        let Some(text) = text.map(str::trim) else {
            return Ok(Self::Whole);
        };
        if text.contains("://") {
            return text.parse().map(Self::Url);
        }
        Ok(Self::Name(text.to_owned()))
    }

    /// What a text is that is the name of nothing: an error, if it speaks of one.
    pub(super) fn or_kinds(&self, facts: &Facts) -> Self {
        match self {
            Self::Name(text) if Focus::of(self, facts) == Focus::Unknown => {
                let kinds = kinds(text);
                match kinds.is_empty() {
                    true => self.clone(),
                    false => Self::Kinds(kinds),
                }
            }
            _ => self.clone(),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("the host"),
            Self::Url(url) => url.fmt(f),
            Self::Name(name) => f.write_str(name),
            Self::Kinds(kinds) => {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                f.write_str(&words.join(", "))
            }
        }
    }
}

/// The causes that a text of a person or a log speaks of.
fn kinds(text: &str) -> BTreeSet<What> {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let has_word = |number: &str| {
        let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == number)
    };
    let mut kinds = BTreeSet::new();
    if has_word("404") {
        kinds.insert(What::NotFound);
    }
    if has_word("502") || has(&["bad gateway", "connection refused"]) {
        kinds.insert(What::BadGateway);
    }
    if has_word("504") || has(&["gateway time", "upstream timed out"]) {
        kinds.insert(What::GatewayTimeout);
    }
    if has_word("137") || has_word("oom") || has(&["out of memory", "oomkilled"]) {
        kinds.insert(What::Killed);
    }
    if has(&["certificate", "expired certificate"]) {
        kinds.insert(What::Certificate);
    }
    if has(&["disk full", "disk space"]) {
        kinds.insert(What::NoSpace);
    }
    match said(text) {
        Some(Said::Login { .. }) => kinds.insert(What::RegistryLogin),
        Some(Said::NoSpace) => kinds.insert(What::NoSpace),
        Some(Said::NoNetwork(_)) => kinds.insert(What::NetworkMissing),
        Some(Said::NoName(_)) => kinds.insert(What::NameUnresolved),
        Some(Said::PortTaken(_)) => kinds.insert(What::PortTaken),
        None => false,
    };
    kinds
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Focus {
    /// All that is managed.
    Whole,
    /// These only: units, containers by their id, and networks.
    These {
        /// Units by their name.
        units: BTreeSet<String>,
        /// Containers by their id.
        containers: BTreeSet<String>,
        /// Networks by their name.
        networks: BTreeSet<String>,
    },
    /// Nothing beyond what is known already.
    Nothing,
    /// Nothing has that name.
    Unknown,
}

impl Focus {
    /// What a question other than a URL is about.
    pub(super) fn of(question: &Question, facts: &Facts) -> Self {
        let Question::Name(name) = question else {
            return Self::Whole;
        };
        let service = format!("{name}.service");
        let units = facts.desired.units.iter();
        let units = units.filter(|(unit, state)| {
            let mut projects = state.stacks.iter().map(|stack| &stack.project);
            *unit == name
                || **unit == service
                || state.stack.as_ref() == Some(name)
                || projects.any(|project| project == name)
        });
        let mut units: BTreeSet<String> = units.map(|(unit, _)| unit.clone()).collect();
        let of_units = facts.containers().filter(|container| {
            let unit = facts.unit_of(container);
            unit.is_some_and(|unit| units.contains(unit))
        });
        let mut all: Vec<&Container> = of_units.collect();
        let is_named = |container: &&Container| {
            let service = container.compose.as_ref().map(|(_, service)| service);
            container.name == *name || service == Some(name)
        };
        let named: Vec<&Container> = facts.containers().filter(is_named).collect();
        // Of a container, the others of its unit are not asked about.
        if units.is_empty() {
            let of_named = named
                .iter()
                .filter_map(|container| facts.unit_of(container));
            units.extend(of_named.map(str::to_owned));
        }
        all.extend(named);
        let mut networks = facts.networks.iter().map(|network| &network.name);
        let network = networks.find(|network| *network == name).cloned();
        // Quadlets, and containers by the names that they would have.
        if units.is_empty() && all.is_empty() && network.is_none() {
            let meant = crate::reconcile::named::units(&facts.desired, name);
            units.extend(meant.into_iter().map(str::to_owned));
        }
        Self::these(facts, units, &all, network.into_iter().collect())
    }

    /// What is behind the upstreams of a URL.
    pub(super) fn on(facts: &Facts, way: &Way) -> Self {
        let ports = way.stops.iter().filter_map(|stop| stop.target.local_port());
        let ports: BTreeSet<u16> = ports.collect();
        let units = ports.iter().flat_map(|port| facts.units_for(*port));
        let units: BTreeSet<String> = units.collect();
        let hosts: BTreeSet<&str> = way.stops.iter().map(|stop| &*stop.target.host).collect();
        let publishes = |container: &Container| {
            let mut published = container.published.iter();
            published.any(|one| ports.contains(&one.port))
        };
        let someone_publishes = facts.containers().any(publishes);
        // One that does not run publishes nothing: it may be the one.
        let is_behind = |container: &&Container| {
            let unit = facts.unit_of(container);
            let is_of_unit = unit.is_some_and(|unit| units.contains(unit));
            hosts.contains(&*container.name)
                || publishes(container)
                || (is_of_unit && !someone_publishes && !container.is_running())
        };
        let behind: Vec<&Container> = facts.containers().filter(is_behind).collect();
        match Self::these(facts, units, &behind, BTreeSet::new()) {
            Self::Unknown => Self::Nothing,
            these => these,
        }
    }

    fn these(
        facts: &Facts,
        units: BTreeSet<String>,
        all: &[&Container],
        mut networks: BTreeSet<String>,
    ) -> Self {
        if units.is_empty() && all.is_empty() && networks.is_empty() {
            return Self::Unknown;
        }
        let is_on = |members: &[crate::reconcile::status::MemberStatus]| {
            let mut members = members.iter();
            members.any(|member| all.iter().any(|container| container.name == member.name))
        };
        let on = facts.networks.iter().filter(|one| is_on(&one.members));
        networks.extend(on.map(|network| network.name.clone()));
        Self::These {
            units,
            containers: all.iter().map(|container| container.id.clone()).collect(),
            networks,
        }
    }

    /// Whether it is about a unit.
    pub(super) fn has_unit(&self, name: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::These { units, .. } => units.contains(name),
            Self::Nothing | Self::Unknown => false,
        }
    }

    /// Whether it is about a container: of the whole host, about those that are managed.
    pub(super) fn has_container(&self, facts: &Facts, container: &Container) -> bool {
        match self {
            Self::Whole => facts.is_managed(container),
            Self::These { containers, .. } => containers.contains(&container.id),
            Self::Nothing | Self::Unknown => false,
        }
    }

    /// Whether it is about a network.
    pub(super) fn has_network(&self, name: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::These { networks, .. } => networks.contains(name),
            Self::Nothing | Self::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed() {
        let of = |text| {
            let question = Question::of(Some(text));
            question.map(|question| question.or_kinds(&Facts::default()))
        };
        let kinds = |kinds: &[What]| Ok(Question::Kinds(kinds.iter().copied().collect()));
        assert_eq!(of("classroom"), Ok(Question::Name("classroom".into())));
        assert_eq!(Question::of(None), Ok(Question::Whole));
        assert_eq!(of("blog"), Ok(Question::Name("blog".into())));
        assert_eq!(of("502"), kinds(&[What::BadGateway]));
        assert_eq!(of("502 Bad Gateway"), kinds(&[What::BadGateway]));
        assert_eq!(of("Exited (137)"), kinds(&[What::Killed]));
        assert_eq!(of("no space left on device"), kinds(&[What::NoSpace]));
        assert!(matches!(
            of("https://a.example.com/x"),
            Ok(Question::Url(_))
        ));
        assert!(of("https://").is_err());
    }
}
