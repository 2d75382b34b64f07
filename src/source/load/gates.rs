//! What answers at the health gates.

use super::Loader;
use crate::model::{Backend, Probe};
use crate::source::nginx::router::Router;
use crate::source::nginx::{self, behind_port, behind_url};

impl Loader<'_, '_> {
    /// Tells each URL and TCP gate which site and which ports are behind it.
    pub(super) fn gates(&mut self) {
        let (desired, parsed) = (&self.out.desired, &self.out.parsed);
        if desired.gates.is_empty() {
            return;
        }
        let router = Router::new(nginx::files(desired, &parsed.sites, &parsed.etc));
        let behind = desired.gates.iter().map(|gate| match &gate.probe {
            Probe::Url { url, .. } => behind_url(&router, url),
            Probe::Tcp(address) => behind_port(&router, address.port()),
            Probe::Copy { .. } | Probe::Container(_) | Probe::Unit(_) => Backend::default(),
        });
        let behind: Vec<Backend> = behind.collect();
        let desired = &mut self.out.desired;
        for (gate, behind) in desired.gates.iter_mut().zip(behind) {
            gate.behind = behind;
            let https = matches!(&gate.probe, Probe::Url { url, .. } if url.is_https());
            if https && desired.bootstrap_certificates {
                let sites = gate.behind.sites.iter();
                let sites = sites.filter_map(|name| desired.sites.get(name));
                let pairs = sites.flat_map(|site| &site.certificates);
                gate.behind.bootstrap = pairs.map(|pair| pair.certificate.clone()).collect();
            }
        }
    }
}
