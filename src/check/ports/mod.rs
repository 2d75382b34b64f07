//! The table of ports: who declares each, and who passes requests on to it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use super::{Subject, nginx};

/// A port of the host in a desired state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// Who declares it.
    pub declared: BTreeSet<Declared>,
    /// Places that pass requests on to it: files of the checkout with a line.
    pub proxied: BTreeSet<(PathBuf, usize)>,
}

/// Who declares a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Declared {
    /// nginx listens, for a site.
    Site(String),
    /// A compose service publishes it.
    Service {
        /// The compose project.
        project: String,
        /// The service.
        service: String,
        /// The unit that runs it; `None` where no unit does.
        unit: Option<String>,
        /// The name of its container, where it is fixed.
        container: Option<String>,
        /// The address of the host; `None` for all of them.
        address: Option<IpAddr>,
        /// The port in the container.
        inside: u16,
    },
}

/// All ports of a desired state, by number and protocol (`tcp`, `udp`, `sctp`).
pub fn ports(subject: &Subject) -> BTreeMap<(u16, String), Port> {
    let mut ports: BTreeMap<(u16, String), Port> = BTreeMap::new();
    let revision = subject.revision;
    for (name, site) in revision
        .desired
        .sites
        .iter()
        .filter(|(_, site)| site.enabled)
    {
        for listen in &site.listens {
            let port = ports.entry((listen.port, "tcp".to_owned())).or_default();
            port.declared.insert(Declared::Site(name.clone()));
        }
    }
    for stack in &revision.parsed.stacks {
        for (service, definition) in &stack.compose.services {
            for published in definition.published() {
                let Some(host) = published.host else {
                    continue;
                };
                for (number, inside) in host.zip(published.container) {
                    let key = (number, published.protocol.clone());
                    ports
                        .entry(key)
                        .or_default()
                        .declared
                        .insert(Declared::Service {
                            project: stack.project.clone(),
                            service: service.clone(),
                            unit: stack.unit.clone(),
                            container: definition.container_name.clone(),
                            address: published.address,
                            inside,
                        });
                }
            }
        }
    }
    for (number, places) in nginx::proxied(subject) {
        let port = ports.entry((number, "tcp".to_owned())).or_default();
        port.proxied.extend(places);
    }
    ports
}

#[cfg(test)]
mod tests {
    use crate::check::tests::surveyed;

    use super::*;

    #[test]
    fn who_declares_and_who_proxies() {
        let files = [
            (
                "sites-available/a",
                "server {\n    listen 443 ssl;\n    location / {\n        proxy_pass http://localhost:8001/;\n    }\n}\n",
            ),
            (
                "systemd/a.service",
                "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/compose/a/docker-compose.yml up\n",
            ),
            (
                "compose/a/docker-compose.yml",
                "services:\n  app:\n    image: app:1\n    container_name: app\n    ports:\n      - '127.0.0.1:8001-8002:80-81'\n      - '9000:9000/udp'\n",
            ),
            ("watchme.toml", "checkout = \"/srv/c\"\n"),
        ];
        let found = surveyed(&files, ports);
        let numbers: Vec<_> = found
            .keys()
            .map(|(number, protocol)| format!("{number}/{protocol}"))
            .collect();
        assert_eq!(numbers, ["443/tcp", "8001/tcp", "8002/tcp", "9000/udp"]);
        let first = &found[&(8001, "tcp".to_owned())];
        assert_eq!(
            first.proxied,
            BTreeSet::from([("sites-available/a".into(), 4)])
        );
        let declared = first.declared.first().unwrap();
        assert!(
            matches!(declared, Declared::Service { unit: Some(unit), inside: 80, address: Some(_), .. } if unit == "a.service"),
            "{declared:?}"
        );
        assert!(found[&(8002, "tcp".to_owned())].proxied.is_empty());
    }
}
