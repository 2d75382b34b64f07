//! What is read of a compose file. Forms that compose accepts and this program has no use for
//! are kept, not refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_yaml::Value;

pub use super::scalar::text;
use super::scalar::{nullable, pairs, says_yes, scalar, truth};
use super::size::size;

/// A whole file, or several laid over each other.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Compose {
    /// Project name (compose version 2).
    pub name: Option<String>,
    /// Services by name.
    #[serde(deserialize_with = "nullable")]
    pub services: BTreeMap<String, Service>,
    /// Networks by key.
    #[serde(deserialize_with = "nullable")]
    pub networks: BTreeMap<String, Option<Network>>,
    /// Volumes by key.
    #[serde(deserialize_with = "nullable")]
    pub volumes: BTreeMap<String, Option<Volume>>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// A service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Fixed name of its container.
    pub container_name: Option<String>,
    /// Networks that it is on.
    pub networks: Networks,
    /// Ports that it publishes.
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<Value>,
    /// Files with environment variables.
    pub env_file: Value,
    /// A service to start from.
    pub extends: Value,
    /// Profiles without which it does not start.
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

impl Compose {
    /// What a file says.
    ///
    /// # Errors
    /// Where a value has another type than compose reads.
    pub fn of(value: &Value) -> Result<Self, serde_yaml::Error> {
        Self::deserialize(value)
    }

    /// The services that `up` starts: those named with what they depend on, or all; without
    /// those that wait for a profile other than `profiles` or have no replica.
    pub fn started(
        &self,
        named: &BTreeSet<String>,
        profiles: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let is_on = |profile: &Value| {
            let name = text(profile);
            name.is_some_and(|name| profiles.contains(&name)) || profiles.contains("*")
        };
        let mut todo: Vec<&str> = match named.is_empty() {
            true => self
                .services
                .iter()
                .filter(|(_, service)| {
                    service.profiles.is_empty() || service.profiles.iter().any(is_on)
                })
                .map(|(name, _)| name.as_str())
                .collect(),
            false => named.iter().map(String::as_str).collect(),
        };
        let mut started = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if let Some(service) = self.services.get(name)
                && !service.has_no_replica()
                && started.insert(name.to_owned())
            {
                todo.extend(service.depends_on());
            }
        }
        started
    }
}

impl Service {
    /// `scale: 0`, or `deploy: {replicas: 0}`.
    pub fn has_no_replica(&self) -> bool {
        self.replicas() == 0
    }

    /// The memory that it may take in all its replicas, in bytes: `mem_limit`, or
    /// `deploy.resources.limits.memory`. 0 where it has no limit.
    pub fn memory(&self) -> u64 {
        let deploy = self.rest.get("deploy");
        let limits = deploy.and_then(|deploy| deploy.get("resources")?.get("limits"));
        let limit = self
            .rest
            .get("mem_limit")
            .or_else(|| limits.and_then(|limits| limits.get("memory")));
        let bytes = match limit {
            Some(Value::String(text)) => size(text),
            Some(number) => number.as_u64(),
            None => None,
        };
        bytes.unwrap_or(0).saturating_mul(self.replicas())
    }

    /// How many containers it has: `scale`, or `deploy.replicas`.
    pub fn replicas(&self) -> u64 {
        let replicas = || self.rest.get("deploy")?.get("replicas");
        let number = self.rest.get("scale").or_else(replicas);
        number.and_then(Value::as_u64).unwrap_or(1)
    }

    /// Services that start before it: a list of names, or a map with conditions.
    fn depends_on(&self) -> Vec<&str> {
        match self.rest.get("depends_on") {
            Some(Value::Sequence(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(Value::Mapping(map)) => map.keys().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// A list of networks, or a map with settings for each.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Networks {
    /// Names only.
    List(Vec<String>),
    /// With settings.
    Map(BTreeMap<String, Option<Attachment>>),
    /// Something else.
    Other(Value),
}

impl Default for Networks {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Networks {
    /// Keys with their settings.
    pub fn entries(&self) -> Vec<(&str, Option<&Attachment>)> {
        match self {
            Self::List(list) => list.iter().map(|key| (key.as_str(), None)).collect(),
            Self::Map(map) => map
                .iter()
                .map(|(key, at)| (key.as_str(), at.as_ref()))
                .collect(),
            Self::Other(_) => Vec::new(),
        }
    }
}

/// Settings of a service on one network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// Its fixed address.
    #[serde(deserialize_with = "scalar")]
    pub ipv4_address: Option<String>,
    /// Its fixed address.
    #[serde(deserialize_with = "scalar")]
    pub ipv6_address: Option<String>,
    /// Further names.
    #[serde(deserialize_with = "nullable")]
    pub aliases: Vec<String>,
}

/// A network's definition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its name for the engine.
    pub name: Option<String>,
    /// Whether somebody else makes it: a boolean, or a map with its name.
    pub external: Value,
    /// Its driver.
    pub driver: Option<String>,
    /// Options of the driver.
    #[serde(deserialize_with = "pairs")]
    pub driver_opts: BTreeMap<String, String>,
    /// Address management.
    pub ipam: Option<Ipam>,
    /// Whether it has no way out.
    #[serde(deserialize_with = "truth")]
    pub internal: bool,
    /// Whether containers may attach by hand.
    #[serde(deserialize_with = "truth")]
    pub attachable: bool,
    /// Whether IPv6 is on.
    #[serde(deserialize_with = "truth")]
    pub enable_ipv6: bool,
    /// Labels.
    #[serde(deserialize_with = "pairs")]
    pub labels: BTreeMap<String, String>,
}

/// Address management of a network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ipam {
    /// Ranges.
    #[serde(deserialize_with = "nullable")]
    pub config: Vec<Range>,
}

/// A range of addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Range {
    /// The whole range.
    #[serde(deserialize_with = "scalar")]
    pub subnet: Option<String>,
    /// The host's address.
    #[serde(deserialize_with = "scalar")]
    pub gateway: Option<String>,
    /// The part that addresses are given from.
    #[serde(deserialize_with = "scalar")]
    pub ip_range: Option<String>,
}

/// A volume's definition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Its name for the engine.
    pub name: Option<String>,
    /// Whether somebody else makes it.
    pub external: Value,
    /// Its driver.
    pub driver: Option<String>,
    /// Options of the driver.
    #[serde(deserialize_with = "pairs")]
    pub driver_opts: BTreeMap<String, String>,
    /// Labels.
    #[serde(deserialize_with = "pairs")]
    pub labels: BTreeMap<String, String>,
}

impl Volume {
    /// The engine's name of a volume under `key` that does not take the project's; `None` for one that does.
    pub fn fixed_name(&self, key: &str) -> Option<String> {
        let named = self.external.get("name").and_then(Value::as_str);
        let external = is_external(&self.external).then(|| named.unwrap_or(key));
        self.name.as_deref().or(external).map(str::to_owned)
    }
}

impl Compose {
    /// The networks of a service, by key, each with the engine's name where it is external.
    pub fn networks_of(&self, service: &str) -> Vec<(&str, Option<String>)> {
        let service = self.services.get(service);
        let keys = service
            .into_iter()
            .flat_map(|service| service.networks.entries());
        keys.map(|(key, _)| {
            let definition = self.networks.get(key).and_then(Option::as_ref);
            let external = definition.and_then(|definition| definition.external_name(key));
            (key, external)
        })
        .collect()
    }
}

impl Network {
    /// The engine's name of an external network under `key`; `None` for one of its own.
    pub fn external_name(&self, key: &str) -> Option<String> {
        if !is_external(&self.external) {
            return None;
        }
        let named = self.external.get("name").and_then(Value::as_str);
        Some(self.name.as_deref().or(named).unwrap_or(key).to_owned())
    }
}

/// Whether `external:` says yes.
pub fn is_external(external: &Value) -> bool {
    match external {
        Value::Mapping(_) => true,
        other => text(other).is_some_and(|text| says_yes(&text)),
    }
}

impl Service {
    /// Files of `env_file:` as they are written.
    pub fn env_files(&self) -> Vec<String> {
        let entries = self.env_file_entries();
        entries.filter_map(env_file_path).collect()
    }

    /// Those without which compose starts nothing.
    pub fn required_env_files(&self) -> Vec<String> {
        let is_optional =
            |entry: &&Value| entry.get("required").and_then(Value::as_bool) == Some(false);
        let entries = self.env_file_entries().filter(|entry| !is_optional(entry));
        entries.filter_map(env_file_path).collect()
    }

    fn env_file_entries(&self) -> impl Iterator<Item = &Value> {
        match &self.env_file {
            Value::Sequence(list) => list.as_slice(),
            other => std::slice::from_ref(other),
        }
        .iter()
    }

    /// Host ports that it publishes, ranges in full.
    pub fn host_ports(&self) -> BTreeSet<u16> {
        let published = self.published().into_iter();
        published
            .filter_map(|port| port.host)
            .flatten()
            .filter(|port| *port > 0)
            .collect()
    }
}

fn env_file_path(entry: &Value) -> Option<String> {
    match entry {
        Value::Mapping(_) => entry.get("path").and_then(text),
        other => text(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_up_starts_is_waited_for_and_nothing_else() {
        let text = "services: {app: {depends_on: [db]}, db: {}, job: {}, tool: {profiles: [debug]}, off: {scale: 0}}";
        let compose: Compose = serde_yaml::from_str(text).unwrap();
        let started = |named: &[&str], profiles: &[&str]| {
            let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let started = compose.started(&set(named), &set(profiles));
            started.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(started(&[], &[]), ["app", "db", "job"]);
        assert_eq!(started(&["app"], &[]), ["app", "db"]);
        assert_eq!(started(&["tool"], &[]), ["tool"]);
        for profile in ["debug", "*"] {
            assert_eq!(started(&[], &[profile]), ["app", "db", "job", "tool"]);
        }
        assert_eq!(started(&[], &["other"]), ["app", "db", "job"]);
    }
}
