//! What answers at the health gates.

use super::Loader;
use crate::model::{Behind, Probe};
use crate::source::nginx::{self, Directive};

impl Loader<'_, '_> {
    /// Tells each URL and TCP gate which site and which ports are behind it.
    pub(super) fn gates(&mut self) {
        let desired = &mut self.out.desired;
        let sites: Vec<(&str, &[Directive])> = desired
            .sites
            .iter()
            .filter(|(_, site)| site.enabled)
            .filter_map(|(name, _)| {
                let directives = self.out.parsed.sites.get(name)?;
                Some((name.as_str(), directives.as_slice()))
            })
            .collect();
        for gate in &mut desired.gates {
            gate.behind = match &gate.probe {
                Probe::Url { url, .. } => nginx::behind_url(&sites, url),
                Probe::Tcp(address) => nginx::behind_port(&sites, address.port()),
                Probe::Container(_) | Probe::Unit(_) => Behind::default(),
            };
            let https = matches!(&gate.probe, Probe::Url { url, .. } if url.is_https());
            if https && desired.bootstrap_certificates {
                let certificates = gate
                    .behind
                    .sites
                    .iter()
                    .filter_map(|name| desired.sites.get(name))
                    .flat_map(|site| &site.certificates)
                    .map(|pair| pair.certificate.clone());
                gate.behind.bootstrap = certificates.collect();
            }
        }
    }
}
