//! Why nothing new was written.

use std::path::PathBuf;

use crate::model::Finding;

/// Why it was not written. The checkout is as it was.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum NewFailure {
    #[error("{name:?} is not a valid service name")]
    Name { name: String },
    #[error("{option} {value:?} cannot be used")]
    Value {
        option: &'static str,
        value: String,
        /// What can.
        expected: &'static str,
    },
    #[error("{health} is not below {internal}: it cannot be reached from outside")]
    HealthInside {
        /// What was to be asked.
        health: String,
        /// What the location passes on.
        internal: String,
    },
    #[error("a service {name} already exists: {what}")]
    Exists { name: String, what: String },
    #[error("{} already exists", path.display())]
    FileExists { path: PathBuf },
    #[error("port {port} is not free: {holder}")]
    PortTaken {
        port: u16,
        /// Who has it.
        holder: String,
    },
    #[error("port {port} is not in {allowed}, which [ports] in watchme.toml allows")]
    PortOutside { port: u16, allowed: String },
    #[error("no port of {ranges} is free")]
    NoPort { ranges: String },
    #[error("there is no site {name}")]
    NoSite {
        name: String,
        /// What there is.
        near: Option<String>,
    },
    #[error("no site here can take a location for {name}")]
    Nowhere { name: String },
    #[error("site {site} has no server block that can take a location: {why}")]
    NoServer { site: String, why: &'static str },
    #[error("several servers can take the location: {}", servers.join(", "))]
    Ambiguous {
        /// Each as `name in site`.
        servers: Vec<String>,
    },
    #[error("{url} is already routed, by {location} in {place}")]
    Routed {
        url: String,
        location: String,
        /// Its file and line.
        place: String,
    },
    #[error("there is no network {name} in the desired state")]
    NoNetwork {
        name: String,
        /// What there is.
        near: Option<String>,
    },
    #[error("the desired state has several networks: {}", names.join(", "))]
    Networks { names: Vec<String> },
    #[error("a new service is written for all hosts, not for {host}")]
    OneHost { host: String },
    #[error("the desired state would have errors with {name}: {}", list(.findings))]
    Wrong {
        name: String,
        findings: Vec<Finding>,
    },
    #[error("git ignores {}: what is written there would not be in a commit", path.display())]
    Ignored { path: PathBuf },
    /// A link among the folders of the checkout.
    #[error(transparent)]
    Linked(#[from] crate::root::work_tree::LinkedFolder),
    /// The checkout cannot be written to.
    #[error(transparent)]
    Root(#[from] crate::root::RootError),
}

fn list(findings: &[Finding]) -> String {
    let shown = |finding: &Finding| format!("{finding} [{}]", finding.rule.name);
    let findings: Vec<String> = findings.iter().map(shown).collect();
    findings.join("; ")
}

impl NewFailure {
    pub(in crate::cli) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => {
                "a name has up to 50 lowercase letters, digits, - and _, begins with a letter, and is not a word of YAML such as yes or null: blog, media-api".to_owned()
            }
            Self::Value { expected, .. } => (*expected).to_owned(),
            Self::HealthInside { internal, .. } => {
                format!("name a path below it: --health {internal}health")
            }
            Self::Exists { .. } => "choose another name, or change the files that are there".to_owned(),
            Self::FileExists { path } => {
                format!("git diff -- '{0}'; choose another name, or remove it: git rm '{0}'", path.display())
            }
            Self::PortTaken { .. } | Self::PortOutside { .. } => {
                "leave out --port for a free one; watchme-apply ports lists them".to_owned()
            }
            Self::NoPort { .. } => {
                "watchme-apply ports shows who uses which; choose one with --port, or add a range to [ports] in watchme.toml".to_owned()
            }
            Self::NoSite { near, .. } | Self::NoNetwork { near, .. } => return near.clone(),
            Self::Nowhere { name } => format!(
                "watchme-apply new service {name} --domain {name}.example.com writes a site; with --no-route only other containers reach it"
            ),
            Self::NoServer { site, .. } => {
                format!("watchme-apply routes shows what {site} does; --domain NAME writes a site of its own")
            }
            Self::Ambiguous { .. } => "choose one with --domain NAME, or with --site SITE".to_owned(),
            Self::Routed { url, .. } => {
                format!("choose another --path; watchme-apply routes explain {url}")
            }
            Self::Networks { .. } => "choose one: --network NAME, or --network none".to_owned(),
            Self::OneHost { .. } => {
                "leave out --host; move what is for one host to hosts/NAME/ afterwards".to_owned()
            }
            Self::Wrong { findings, .. } => {
                let help = findings.iter().find_map(Finding::help);
                help.map_or_else(
                    || "watchme-apply check --explain RULE has more about a rule".to_owned(),
                    str::to_owned,
                )
            }
            Self::Ignored { path } => format!("git check-ignore -v '{}'", path.display()),
            Self::Linked(error) => error.hint(),
            Self::Root(error) => return error.hint(),
        })
    }
}
