//! The table of ports: who declares each, and who passes requests on to it.

pub(super) mod commands;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::Subject;
use super::context::Context;
use super::nginx::listens::listens;
use super::nginx::ports::Proxied;
use crate::model::{PodmanRun, Unit};
use crate::source::Revision;
use crate::source::unit::{Name, Settings, listen};

/// A port of the host in a desired state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// Who declares it.
    pub declared: BTreeSet<Declared>,
    /// Places that pass requests on to it: files of the checkout with a line.
    pub proxied: BTreeSet<(PathBuf, usize)>,
}

/// Somebody who declares a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declared {
    /// Who it is.
    pub by: By,
    /// The address of the host; `None` for all of them.
    pub address: Option<IpAddr>,
}

/// Who declares a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// nginx listens.
    Nginx {
        /// The site; `None` where another file says it.
        site: Option<String>,
        /// The file in the checkout.
        path: PathBuf,
    },
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
        /// The port in the container.
        inside: u16,
    },
    /// Podman publishes it for a Quadlet.
    Podman {
        /// The unit of the Quadlet.
        unit: String,
        /// The name of the container or pod, if it is known before.
        container: Option<String>,
    },
    /// systemd listens for a socket unit.
    Socket(String),
    /// The command or the environment of a unit names it.
    Command(String),
}

/// Ports by number and protocol: `tcp`, `udp` or `sctp`.
pub type Ports = BTreeMap<(u16, String), Port>;

/// All ports of a desired state.
pub fn ports(subject: &Subject) -> Ports {
    let mut ports = Ports::new();
    let mut add = |(number, protocol): (u16, &str), by, address| {
        let port = ports.entry((number, protocol.to_owned())).or_default();
        port.declared.insert(Declared { by, address });
    };
    nginx(subject, &mut add);
    services(subject.revision, &mut add);
    quadlets(subject.revision, &mut add);
    units(subject.revision, &mut add);
    Context::with(subject, |context| {
        let mut proxied = Proxied::default();
        for block in context.blocks() {
            proxied.add(context.groups(), block);
        }
        for (number, places) in proxied.places(context.nginx()) {
            let port = ports.entry((number, "tcp".to_owned())).or_default();
            port.proxied.extend(places);
        }
    });
    ports
}

/// Ports of ranges that are distinguished: there are not more.
pub(crate) const MAX_PORTS: usize = 1 << 16;

/// Takes a port with its protocol, who declares it, and the address.
type Add<'a> = dyn FnMut((u16, &str), By, Option<IpAddr>) + 'a;

fn nginx(subject: &Subject, add: &mut Add) {
    let sites = subject.revision.desired.sites.iter();
    let by_file: BTreeMap<&Path, &String> = sites
        .map(|(name, site)| (site.file.source.as_path(), name))
        .collect();
    for listening in listens(subject) {
        for number in listening.ports {
            let by = By::Nginx {
                site: by_file.get(listening.path).map(|name| (*name).clone()),
                path: listening.path.to_owned(),
            };
            add((number, listening.protocol), by, listening.address);
        }
    }
}

fn services(revision: &Revision, add: &mut Add) {
    let mut left = MAX_PORTS;
    for stack in &revision.parsed.stacks {
        for (service, definition) in &stack.compose.services {
            for published in definition.published() {
                let Some(host) = published.host else {
                    continue;
                };
                for (number, inside) in host.zip(published.container).take(left) {
                    left -= 1;
                    let by = By::Service {
                        project: stack.project.clone(),
                        service: service.clone(),
                        unit: stack.unit.clone(),
                        container: definition.container_name.clone(),
                        inside,
                    };
                    add((number, &published.protocol), by, published.address);
                }
            }
        }
    }
}

fn quadlets(revision: &Revision, add: &mut Add) {
    for (unit, run) in by_podman(revision) {
        for published in &run.published {
            let by = By::Podman {
                unit: unit.to_owned(),
                container: run.name.clone(),
            };
            let key = (published.port, published.protocol.as_str());
            add(key, by, published.address);
        }
    }
}

/// What Podman runs for the units of Quadlets, each with its unit.
pub(super) fn by_podman(revision: &Revision) -> impl Iterator<Item = (&str, &PodmanRun)> {
    let units = revision.desired.units.iter();
    units.filter_map(|(name, unit)| Some((name.as_str(), unit.by_podman.as_ref()?)))
}

/// What units listen on themselves: sockets, and commands that run no compose project.
fn units(revision: &Revision, add: &mut Add) {
    for (name, unit, settings) in instances(revision) {
        let own = || name.to_string();
        for socket in listen::sockets(&name, settings) {
            let key = (socket.port, socket.protocol);
            add(key, By::Socket(own()), socket.address);
        }
        if unit.stacks.is_empty() {
            for named in commands::ports(&name, settings) {
                let key = (named.port, named.protocol);
                add(key, By::Command(own()), named.address);
            }
        }
    }
}

/// All units but templates, each with what its files say.
pub(super) fn instances(revision: &Revision) -> impl Iterator<Item = (Name, &Unit, &Settings)> {
    revision.parsed.units.iter().filter_map(|(text, settings)| {
        let name = Name::parse(text).ok().filter(|name| !name.is_template())?;
        Some((name, revision.desired.units.get(text)?, settings))
    })
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
            matches!(declared, Declared { by: By::Service { unit: Some(unit), inside: 80, .. }, address: Some(_) } if unit == "a.service"),
            "{declared:?}"
        );
        assert!(found[&(8002, "tcp".to_owned())].proxied.is_empty());
        let quadlet = (
            "containers/web.container",
            "[Container]\nImage=docker.io/web:1\nPublishPort=127.0.0.1:8011:80\n",
        );
        let found = surveyed(&[quadlet], ports);
        let declared = found[&(8011, "tcp".to_owned())].declared.first().unwrap();
        assert!(
            matches!(&declared.by, By::Podman { unit, container: Some(name) } if unit == "web.service" && name == "systemd-web"),
            "{declared:?}"
        );
    }
}
