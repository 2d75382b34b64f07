//! What has to be known of nginx, of the files of sites, and of their certificates.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::model::{Desired, Listen, Watch, WatchedCertificate, layout};

pub(super) fn add_paths(desired: &Desired, watch: &mut Watch) {
    for name in desired.sites.keys() {
        watch.paths.insert(layout::site_available(name));
        watch.paths.insert(layout::site_enabled(name));
    }
    let pairs = desired.sites.values().flat_map(|site| &site.certificates);
    watch
        .paths
        .extend(pairs.flat_map(|pair| [pair.certificate.clone(), pair.key.clone()]));
    for folder in ["sites-available", "sites-enabled", "conf.d"] {
        watch.folders.insert(Path::new(layout::NGINX).join(folder));
    }
}

/// Certificates of enabled sites, with where and for which name they are served.
pub(super) fn add_certificates(desired: &Desired, watch: &mut Watch) {
    for site in desired.sites.values().filter(|site| site.enabled) {
        let mut addresses: Vec<SocketAddr> = site.listens.iter().filter_map(local).collect();
        // Most have it, and a port without TLS costs a handshake in vain.
        addresses.sort_by_key(|address| match address.port() {
            443 => 0,
            80 => 2,
            _ => 1,
        });
        for pair in &site.certificates {
            let mut names = pair.names.iter();
            let plain = |name: &&String| {
                name.contains('.') && !name.starts_with('.') && !name.contains(['*', '~', '$', '_'])
            };
            watch.certificates.insert(WatchedCertificate {
                path: pair.certificate.clone(),
                name: names.find(plain).cloned(),
                addresses: addresses.clone(),
            });
        }
    }
}

/// Where this host reaches a socket of its own nginx.
fn local(listen: &Listen) -> Option<SocketAddr> {
    let address: IpAddr = match listen.address.as_str() {
        "*" | "0.0.0.0" => Ipv4Addr::LOCALHOST.into(),
        "[::]" => Ipv6Addr::LOCALHOST.into(),
        other => other.trim_matches(['[', ']']).parse().ok()?,
    };
    Some((address, listen.port).into())
}
