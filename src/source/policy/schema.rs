//! The keys of watchme.toml. Nothing here is optional knowledge: a key that is not listed is
//! an error, because a misspelt one would silently leave its default in force.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub(super) type Text = Spanned<String>;
pub(super) type Named<T> = BTreeMap<Text, T>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Root {
    pub(super) checkout: Option<Text>,
    pub(super) absent: Vec<Text>,
    pub(super) bootstrap_certificates: bool,
    pub(super) drain_timeout: Option<Text>,
    pub(super) soak: Option<Text>,
    pub(super) folders: Folders,
    pub(super) budget: Budget,
    pub(super) ports: Ports,
    pub(super) check: Named<Check>,
    pub(super) site: Named<Site>,
    pub(super) unit: Named<Unit>,
    pub(super) network: Named<Network>,
    pub(super) etc: Named<Etc>,
    pub(super) route: Vec<Route>,
    pub(super) gate: Vec<Spanned<Gate>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Folders {
    pub(super) sites: Option<Text>,
    pub(super) units: Option<Text>,
    pub(super) etc: Option<Text>,
    pub(super) infra: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Budget {
    pub(super) memory: Option<Spanned<Amount>>,
    pub(super) swap: Option<Spanned<Amount>>,
    pub(super) disk: Option<Spanned<Amount>>,
    pub(super) cpus: Option<Spanned<Count>>,
}

/// A size with its unit, or in bytes.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    Bytes(u64),
    Text(String),
}

/// A number of processors, whole or not.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Count {
    Whole(u32),
    Part(f64),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ports {
    pub(super) allowed: Vec<Text>,
}

/// What a rule or a family of rules is for this checkout.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) level: Level,
    pub(super) reason: Text,
    #[serde(default)]
    pub(super) paths: Vec<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Off,
    Warning,
    Error,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Site {
    pub(super) enabled: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Unit {
    pub(super) start: Option<Spanned<bool>>,
    pub(super) on_change: Option<crate::model::OnChange>,
    pub(super) start_timeout: Option<Text>,
    pub(super) settle: Option<Text>,
    pub(super) response_time: Option<Text>,
    pub(super) required: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Network {
    pub(super) owner: Option<Text>,
    pub(super) member: Vec<Spanned<Member>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Member {
    pub(super) container: Option<String>,
    pub(super) project: Option<String>,
    pub(super) service: Option<String>,
    pub(super) address: Option<Text>,
    pub(super) pin: bool,
    pub(super) aliases: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Etc {
    pub(super) mode: Option<Text>,
    pub(super) owner: Option<Text>,
    pub(super) install: Option<Install>,
    pub(super) restart: Option<Text>,
    pub(super) reload: Option<Text>,
    pub(super) validate: Option<Spanned<Vec<Text>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Install {
    Copy,
    Link,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    pub(super) url: Text,
    pub(super) upstream: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Gate {
    pub(super) url: Option<Text>,
    pub(super) status: Option<u16>,
    pub(super) verify: Option<bool>,
    pub(super) tcp: Option<Text>,
    pub(super) container: Option<Text>,
    pub(super) unit: Option<Text>,
    pub(super) timeout: Option<Text>,
    pub(super) retries: Option<u32>,
}
