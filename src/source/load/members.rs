//! Services that are on networks of other compose projects.

use std::collections::{BTreeMap, BTreeSet};

use super::Loader;
use crate::kinds::network::read::Candidate;
use crate::model::Stack;
use crate::source::compose::Compose;

impl Loader<'_, '_> {
    /// Remembers services that are on networks which others make.
    pub(super) fn collect_members(&mut self, project: &str, compose: &Compose, stack: &Stack) {
        let external: BTreeMap<&str, String> = compose
            .networks
            .iter()
            .filter_map(|(key, network)| {
                Some((key.as_str(), network.as_ref()?.external_name(key)?))
            })
            .collect();
        for (service, definition) in &compose.services {
            // Those of a profile start only when somebody asks for it.
            let waits = !definition.profiles.is_empty() && !stack.services.contains(service);
            if waits {
                continue;
            }
            for (key, attachment) in definition.networks.entries() {
                let Some(network) = external.get(key) else {
                    continue;
                };
                let aliases: BTreeSet<String> = attachment
                    .into_iter()
                    .flat_map(|attachment| attachment.aliases.iter().cloned())
                    .chain([service.clone()])
                    .collect();
                let address = attachment.and_then(|attachment| {
                    attachment
                        .ipv4_address
                        .clone()
                        .or_else(|| attachment.ipv6_address.clone())
                });
                self.out.candidates.push(Candidate {
                    network: network.clone(),
                    project: project.into(),
                    service: service.clone(),
                    container: definition.container_name.clone(),
                    aliases,
                    address,
                    files: stack.files.clone(),
                });
            }
        }
    }
}
