//! watchme.toml: what the other inputs cannot say.

mod gate;
mod reader;
mod schema;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use self::reader::Reader;
use self::schema::Text;
use source_text::SourceFile;

use super::error::{nearest, suggest};
use super::unit;
use crate::model::{Budget, Diagnostic, EtcAction, Gate, Member, OnChange, Severity};

/// The file's name in the desired state's folder.
pub const FILE_NAME: &str = "watchme.toml";

/// What watchme.toml says. Without the file: the defaults.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The file, for complaints.
    pub place: Place,
    /// Where the checkout lies on the server.
    pub checkout: Option<PathBuf>,
    /// Host paths at which nothing may stand.
    pub absent: BTreeSet<PathBuf>,
    /// Whether missing certificates are bootstrapped.
    pub bootstrap_certificates: bool,
    /// Longest wait for the last requests to an old unit.
    pub drain_timeout: Option<Duration>,
    /// How long the gates have to hold before an old unit is stopped.
    pub soak: Duration,
    /// Names of the input folders and files.
    pub folders: Folders,
    /// What the machine has.
    pub budget: Budget,
    /// Bytes of the budget's memory.
    pub budget_span: Option<Range<usize>>,
    /// Ranges for published ports.
    pub ports: Vec<(u16, u16)>,
    /// Levels of rules and families of `check`, by name.
    pub check: BTreeMap<String, Section<CheckPolicy>>,
    /// Sites by name.
    pub sites: BTreeMap<String, Section<SitePolicy>>,
    /// Units by name.
    pub units: BTreeMap<String, Section<UnitPolicy>>,
    /// Networks by name.
    pub networks: BTreeMap<String, Section<NetworkPolicy>>,
    /// Files below etc/ by path.
    pub etc: BTreeMap<String, Section<EtcPolicy>>,
    /// Expected routes.
    pub routes: Vec<RoutePolicy>,
    /// Health gates.
    pub gates: Vec<Gate>,
    /// Bytes of what each of them asks.
    pub gate_places: Vec<Range<usize>>,
}

/// A section that names a resource.
#[derive(Clone, Debug)]
pub struct Section<T> {
    /// Bytes of the name.
    pub span: Range<usize>,
    /// What it says.
    pub value: T,
}

/// Where the inputs lie, relative to the desired state's folder.
#[derive(Clone, Debug)]
pub struct Folders {
    /// nginx sites.
    pub sites: String,
    /// Units and drop-ins.
    pub units: String,
    /// Files for /etc.
    pub etc: String,
    /// Compose file of the networks.
    pub infra: String,
}

/// `[check]`: a rule or a family.
#[derive(Clone, Debug)]
pub struct CheckPolicy {
    /// How severe its findings are; `None` leaves them out.
    pub level: Option<Severity>,
    /// Why.
    pub reason: String,
    /// Patterns of the paths that it is for, each with its bytes; none means all.
    pub paths: Vec<(glob::Pattern, Range<usize>)>,
}

/// `[site.NAME]`
#[derive(Clone, Debug)]
pub struct SitePolicy {
    /// Whether it is linked into sites-enabled.
    pub enabled: bool,
}

/// `[unit.NAME]`
#[derive(Clone, Debug)]
pub struct UnitPolicy {
    /// Whether it is to run; `None` leaves it to `[Install]`.
    pub start: Option<bool>,
    /// What a change asks for.
    pub on_change: OnChange,
    /// Bound of a start.
    pub start_timeout: Option<Duration>,
    /// How long it has to stay up.
    pub settle: Option<Duration>,
    /// Whether an apply that touches it fails with it.
    pub required: bool,
    /// How long a request to what it publishes may take.
    pub response_time: Option<Duration>,
}

/// `[network.NAME]`
#[derive(Clone, Debug)]
pub struct NetworkPolicy {
    /// Unit that brings it up.
    pub owner: Option<Spanned<String>>,
    /// Members, each with the bytes of its address or of itself.
    pub members: Vec<(Member, Range<usize>)>,
}

/// An expected route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The public URL.
    pub url: String,
    /// The URL that the upstream must receive.
    pub upstream: String,
}

/// `[[route]]`
#[derive(Clone, Debug)]
pub struct RoutePolicy {
    /// What it says.
    pub route: Route,
    /// Bytes of the public URL.
    pub url: Range<usize>,
    /// Bytes of the URL that the upstream must receive.
    pub upstream: Range<usize>,
}

/// `[etc."path"]`
#[derive(Clone, Debug)]
pub struct EtcPolicy {
    /// Permission bits.
    pub mode: Option<u32>,
    /// `user:group`.
    pub owner: Option<String>,
    /// Whether it is linked into the store; `None` leaves it to what reads it.
    pub link: Option<bool>,
    /// What a change asks for.
    pub action: Option<EtcAction>,
    /// The command that validates it.
    pub validate: Option<Vec<String>>,
}

/// A file to complain about.
#[derive(Clone, Debug)]
pub struct Place {
    file: Arc<SourceFile>,
}

impl Place {
    /// A complaint about some bytes.
    pub fn complain(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
        help: Option<String>,
    ) -> Diagnostic {
        Diagnostic {
            help,
            ..Diagnostic::at(&self.file, span, message, expected)
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            place: Place {
                file: SourceFile::new(FILE_NAME, ""),
            },
            checkout: None,
            absent: BTreeSet::new(),
            bootstrap_certificates: false,
            drain_timeout: None,
            soak: Duration::ZERO,
            folders: Folders {
                sites: "sites-available".into(),
                units: "systemd".into(),
                etc: "etc".into(),
                infra: "docker-compose.infra.yml".into(),
            },
            budget: Budget::default(),
            budget_span: None,
            ports: Vec::new(),
            check: BTreeMap::new(),
            sites: BTreeMap::new(),
            units: BTreeMap::new(),
            networks: BTreeMap::new(),
            etc: BTreeMap::new(),
            routes: Vec::new(),
            gates: Vec::new(),
            gate_places: Vec::new(),
        }
    }
}

/// Parses watchme.toml.
pub fn parse(path: &Path, source: &str) -> Result<Policy, Diagnostic> {
    let place = Place {
        file: SourceFile::new(path, source),
    };
    let root: schema::Root = toml::from_str(source).map_err(|error| syntax(&place, &error))?;
    let reader = Reader { place: &place };
    let mut policy = Policy {
        checkout: root
            .checkout
            .as_ref()
            .map(|path| reader.checkout(path))
            .transpose()?,
        bootstrap_certificates: root.bootstrap_certificates,
        drain_timeout: reader.duration(&root.drain_timeout)?,
        soak: reader.duration(&root.soak)?.unwrap_or_default(),
        budget: reader.budget(&root.budget)?,
        budget_span: root.budget.memory.as_ref().map(Spanned::span),
        ..Policy::default()
    };
    for (folder, name) in [
        (&mut policy.folders.sites, &root.folders.sites),
        (&mut policy.folders.units, &root.folders.units),
        (&mut policy.folders.etc, &root.folders.etc),
        (&mut policy.folders.infra, &root.folders.infra),
    ] {
        if let Some(name) = name {
            *folder = reader.folder(name)?;
        }
    }
    for entry in &root.absent {
        policy.absent.insert(reader.absent(entry)?);
    }
    for range in &root.ports.allowed {
        let range = reader.value(
            range,
            values::ports,
            "a port or a range such as \"8001-8099\"",
        )?;
        policy.ports.push(range);
    }
    policy.check = sections(root.check, |check| reader.check(check))?;
    policy.sites = sections(root.site, |site| {
        Ok(SitePolicy {
            enabled: site.enabled.unwrap_or(true),
        })
    })?;
    policy.units = sections(root.unit, |unit| reader.unit(unit))?;
    policy.networks = sections(root.network, |network| reader.network(network))?;
    policy.etc = sections(root.etc, |etc| reader.etc(etc))?;
    for route in root.route {
        policy.routes.push(RoutePolicy {
            url: route.url.span(),
            upstream: route.upstream.span(),
            route: Route {
                url: reader.url(&route.url)?,
                upstream: reader.url(&route.upstream)?,
            },
        });
    }
    for gate in &root.gate {
        policy.gates.push(reader.gate(gate)?);
        let raw = gate.get_ref();
        let asked = [&raw.url, &raw.tcp, &raw.container, &raw.unit];
        let asked = asked.into_iter().flatten().next();
        policy
            .gate_places
            .push(asked.map_or(gate.span(), Spanned::span));
    }
    policy.place = place;
    Ok(policy)
}

fn sections<R, T>(
    raw: BTreeMap<Text, R>,
    mut read: impl FnMut(R) -> Result<T, Diagnostic>,
) -> Result<BTreeMap<String, Section<T>>, Diagnostic> {
    raw.into_iter()
        .map(|(name, raw)| {
            let span = name.span();
            let value = read(raw)?;
            Ok((name.into_inner(), Section { span, value }))
        })
        .collect()
}

/// Turns an error of the toml crate into a complaint that names the nearest key. The known
/// keys are only in its text: `unknown field `x`, expected one of `a`, `b``.
fn syntax(place: &Place, error: &toml::de::Error) -> Diagnostic {
    let end = place.file.text().len();
    let span = error.span().unwrap_or(end..end);
    let message = error.message();
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let unknown = quoted.next().unwrap_or_default();
        let known: Vec<&str> = quoted.collect();
        let near = nearest(unknown, known.iter().copied());
        let help = match unit::name::TYPES.contains(&unknown) {
            true => Some(format!(
                "names with dots need quotes: [unit.\"NAME.{unknown}\"]"
            )),
            false => near.map(|name| format!("did you mean {name}?")),
        };
        let message = format!("unknown key {unknown:?}");
        let expected = format!("the keys here are {}", known.join(", "));
        return place.complain(span, message, expected, help);
    }
    let (said, expected) = message.split_once(", ").unwrap_or((message, ""));
    let said = match said.starts_with("unknown variant") {
        true => format!(
            "{:?} cannot be used here",
            quoted.next().unwrap_or_default()
        ),
        false => said.lines().next().unwrap_or_default().to_owned(),
    };
    let expected = match expected.lines().next().unwrap_or_default() {
        "expected a sequence" => "expected a list, such as [\"sites-enabled/default\"]",
        expected => expected,
    };
    place.complain(span, said, expected, None)
}

impl Policy {
    /// Complains about a section whose name is none of `known`.
    pub fn unknown<'a>(
        &self,
        kind: &str,
        name: &str,
        span: &Range<usize>,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Diagnostic {
        self.place.complain(
            span.clone(),
            format!("{kind} {name:?} is not in the desired state"),
            format!("expected the name of a {kind} that is defined beside this file"),
            suggest(name, known),
        )
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
