//! What a container is made of, beyond what every look at the host has: for those that an adoption would make anew.

use std::collections::BTreeMap;

use super::Docker;
use super::convert::published_at;
use crate::host::HostError;
use crate::model::{Hash, Shape};

/// The label of compose with its version; pkg/api/labels.go.
const VERSION: &str = "com.docker.compose.version";

impl Docker {
    /// What a container is made of.
    pub(crate) async fn shape(&self, id: &str) -> Result<Shape, HostError> {
        let doing = || format!("inspect container {id}");
        let ask = || self.engine.inspect_container(id, None);
        let found = self.line.look(doing, ask).await?;
        let image = found.image.unwrap_or_default();
        let config = found.config.unwrap_or_default();
        let host = found.host_config.unwrap_or_default();
        let ask = || self.engine.inspect_image(&image);
        let doing = || format!("inspect image {image}");
        let base = self.line.look(doing, ask).await.ok();
        let base = base.and_then(|image| image.config);
        let networks = found.network_settings.and_then(|known| known.networks);
        let labels = config.labels.unwrap_or_default();
        let other = |own: Option<Vec<String>>, base: Option<Option<Vec<String>>>| {
            let own = own.unwrap_or_default();
            (base.flatten().unwrap_or_default() != own).then_some(own)
        };
        let base_command = base.as_ref().map(|base| base.cmd.clone());
        let base_entrypoint = base.as_ref().map(|base| base.entrypoint.clone());
        let restart = host.restart_policy.and_then(|policy| policy.name);
        let restart = restart.map(|name| name.to_string());
        let ports = host.port_bindings.unwrap_or_default().into_iter();
        Ok(Shape {
            environment: variables(config.env)
                .into_iter()
                .map(|(name, value)| (name, Some(value)))
                .collect(),
            made_by: labels.get(VERSION).cloned(),
            labels: hashed(labels),
            command: other(config.cmd, base_command),
            entrypoint: other(config.entrypoint, base_entrypoint),
            ports: ports
                .flat_map(|(port, bindings)| published_at(&port, bindings))
                .collect(),
            networks: networks.unwrap_or_default().into_keys().collect(),
            restart: Some(restart.filter(|name| !name.is_empty()))
                .map(|name| name.unwrap_or_else(|| "no".to_owned())),
            of_image: base
                .map(|base| (variables(base.env), hashed(base.labels.unwrap_or_default()))),
        })
    }
}

impl Docker {
    /// The variables of a container, with their values.
    pub(crate) async fn environment(
        &self,
        id: &str,
    ) -> Result<BTreeMap<String, String>, HostError> {
        let doing = || format!("inspect container {id}");
        let ask = || self.engine.inspect_container(id, None);
        let found = self.line.look(doing, ask).await?;
        let list = found.config.and_then(|config| config.env);
        let list = list.unwrap_or_default();
        let pairs = list.iter().filter_map(|text| text.split_once('='));
        Ok(pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

fn variables(list: Option<Vec<String>>) -> BTreeMap<String, Hash> {
    let pairs = list.unwrap_or_default();
    let pairs = pairs.iter().filter_map(|text| text.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), Hash::of(value.as_bytes())))
        .collect()
}

fn hashed(labels: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, Hash> {
    let labels = labels.into_iter();
    labels
        .map(|(name, value)| (name, Hash::of(value.as_bytes())))
        .collect()
}
