//! Parts of a service that only the checks read, in all their forms:
//! <https://docs.docker.com/reference/compose-file/services/>

use serde_yaml::Value;

use super::types::{Service, text};

/// Names with values in either form, as environments and labels have them: a map, or a list of `NAME=VALUE`.
/// <https://docs.docker.com/reference/compose-file/services/#environment>
pub fn pairs(value: Option<&Value>) -> Vec<(String, Option<String>)> {
    match value {
        Some(Value::Mapping(map)) => map
            .iter()
            .filter_map(|(key, value)| Some((text(key)?, text(value))))
            .collect(),
        Some(Value::Sequence(list)) => list
            .iter()
            .filter_map(text)
            .map(|item| match item.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (item, None),
            })
            .collect(),
        _ => Vec::new(),
    }
}

impl Service {
    /// Its image, if it has one that is not empty.
    pub fn image(&self) -> Option<&str> {
        let image = self.rest.get("image")?.as_str()?;
        (!image.is_empty()).then_some(image)
    }

    /// The platform of its image, where it asks for one.
    pub fn platform(&self) -> Option<&str> {
        self.rest.get("platform")?.as_str()
    }

    /// Whether its image is built from a folder.
    pub fn is_built(&self) -> bool {
        self.rest.get("build").is_some_and(|build| !build.is_null())
    }

    /// The folder that its image is built from, as written; `None` where it is not built, or from a URL.
    pub fn build_context(&self) -> Option<&str> {
        let build = self.rest.get("build").filter(|build| !build.is_null())?;
        let context = match build {
            Value::String(context) => context.as_str(),
            build => build.get("context").map_or(Some("."), Value::as_str)?,
        };
        // <https://docs.docker.com/reference/compose-file/build/#context>
        let is_remote = context.contains("://") || context.starts_with("git@");
        (!is_remote).then_some(context)
    }

    /// Its environment: `None` for a variable that it takes from whoever starts it.
    pub fn environment(&self) -> Vec<(String, Option<String>)> {
        pairs(self.rest.get("environment"))
    }

    /// Its restart policy: `restart`, or that of `deploy`.
    pub fn restart(&self) -> Option<String> {
        let deploy = || {
            let policy = self.rest.get("deploy")?.get("restart_policy")?;
            Some(
                policy
                    .get("condition")
                    .and_then(text)
                    .unwrap_or_else(|| "any".into()),
            )
        };
        let own = self.rest.get("restart").and_then(|restart| match restart {
            // A bare `no` is a boolean in YAML 1.1.
            Value::Bool(false) => Some("no".to_owned()),
            other => text(other),
        });
        own.or_else(deploy)
    }

    /// Whether it says how much memory it may take at most.
    pub fn has_memory_limit(&self) -> bool {
        self.memory() > 0
    }

    /// The driver and the options of `logging`.
    pub fn logging(&self) -> (Option<String>, Vec<String>) {
        let logging = self.rest.get("logging");
        let driver = logging.and_then(|logging| text(logging.get("driver")?));
        let options = logging.and_then(|logging| logging.get("options")?.as_mapping());
        let options = options.map(|map| map.keys().filter_map(text).collect());
        (driver, options.unwrap_or_default())
    }

    /// The words of `command`, else of `entrypoint`.
    pub fn command(&self) -> Vec<String> {
        let of = |key| match self.rest.get(key) {
            Some(Value::Sequence(list)) => Some(list.iter().filter_map(text).collect()),
            Some(Value::String(line)) => Some(line.split_whitespace().map(str::to_owned).collect()),
            _ => None,
        };
        of("command")
            .or_else(|| of("entrypoint"))
            .unwrap_or_default()
    }

    /// Whose network it shares, where it has none of its own: `host`, `service:NAME`.
    pub fn network_mode(&self) -> Option<&str> {
        self.rest.get("network_mode")?.as_str()
    }

    /// Services that it names in `depends_on`, `links`, `volumes_from`, `network_mode`, `ipc` and `pid`, each with the key.
    pub fn named_services(&self) -> Vec<(&'static str, String)> {
        let listed = |key: &'static str| {
            let names: Vec<String> = match self.rest.get(key) {
                Some(Value::Sequence(list)) => list.iter().filter_map(text).collect(),
                Some(Value::Mapping(map)) => map.keys().filter_map(text).collect(),
                _ => Vec::new(),
            };
            names.into_iter().map(move |name| (key, name))
        };
        let first = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
        let links = listed("links").map(|(key, link)| (key, first(&link)));
        let volumes = listed("volumes_from").filter(|(_, from)| !from.starts_with("container:"));
        let volumes = volumes.map(|(key, from)| {
            let bare = from.strip_prefix("service:").unwrap_or(&from);
            (key, first(bare))
        });
        let shared = ["network_mode", "ipc", "pid"]
            .into_iter()
            .filter_map(|key| {
                let other = self.rest.get(key)?.as_str()?.strip_prefix("service:")?;
                Some((key, other.to_owned()))
            });
        let lists = listed("depends_on").chain(links).chain(volumes);
        lists.chain(shared).collect()
    }
}
