//! Services that are on networks of other compose projects.

use std::collections::{BTreeMap, BTreeSet};

use super::Loader;
use crate::kinds::network::read::Candidate;
use crate::model::Stack;
use crate::source::compose::Compose;

impl Loader<'_, '_> {
    /// Remembers services that are on networks which others make.
    pub(super) fn collect_members(&mut self, project: &str, compose: &Compose, stack: &Stack) {
        let networks = compose.networks.iter();
        let external: BTreeMap<&str, String> = networks
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
                let aliases = attachment.into_iter().flat_map(|found| &found.aliases);
                let aliases: BTreeSet<String> = aliases.chain([service]).cloned().collect();
                let address = attachment.and_then(|found| {
                    let address = found.ipv4_address.as_ref();
                    address.or(found.ipv6_address.as_ref()).cloned()
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
