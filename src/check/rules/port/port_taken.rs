//! Ports that two want: a container, nginx, a socket unit, or a unit's own command.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::check::Subject;
use crate::check::compose::ports::entries;
use crate::check::nginx::listens::listens;
use crate::check::ports::{commands, instances};
use crate::check::rules::port::prelude::*;
use crate::model::File;
use crate::source::load::text;
use crate::source::unit::listen::{self, Socket};
use crate::source::unit::settings::Source;

pub(crate) static RULE: Rule = rule!(port_taken, Error, run);

/// Somebody who holds a port.
#[derive(Default)]
struct Holder {
    address: Option<IpAddr>,
    /// As the end of a sentence about the port.
    who: String,
    /// The unit without its type: a socket and its service share the port.
    unit: Option<String>,
    /// Whether a command only names it, so that it is not certain.
    is_likely: bool,
}

/// Who holds what, by port and protocol. Those that were there first come first.
#[derive(Default)]
struct Holders(BTreeMap<(u16, String), Vec<Holder>>);

impl Holders {
    /// The holder that an address meets, unless it is the same unit.
    fn by(
        &self,
        (port, protocol): (u16, &str),
        address: Option<IpAddr>,
        unit: Option<&str>,
    ) -> Option<&Holder> {
        let mut holders = self.0.get(&(port, protocol.to_owned()))?.iter();
        let is_own = |holder: &Holder| unit.is_some() && holder.unit.as_deref() == unit;
        holders.find(|holder| meet(address, holder.address) && !is_own(holder))
    }

    fn add(&mut self, (port, protocol): (u16, &str), holder: Holder) {
        let holders = self.0.entry((port, protocol.to_owned())).or_default();
        holders.push(holder);
    }
}

fn run(context: &Context, findings: &mut Findings) {
    let subject = context.subject;
    let mut held = Holders::default();
    for listening in listens(subject) {
        for port in listening.ports.filter(|_| !listening.is_named) {
            let holder = Holder {
                address: listening.address,
                who: format!("nginx listens on it for {}", listening.path.display()),
                ..Holder::default()
            };
            held.add((port, listening.protocol), holder);
        }
    }
    sockets(subject, &mut held, findings);
    commands(subject, &mut held, findings);
    quadlets(subject, &mut held, findings);
    containers(context, &held, findings);
}

const ANOTHER: &str = "give one of the two another port";

fn quadlets(subject: &Subject, held: &mut Holders, findings: &mut Findings) {
    let units = &subject.revision.desired.units;
    for quadlet in subject.revision.desired.quadlets.values() {
        let unit = quadlet.unit.as_ref();
        let Some((name, unit)) = unit.and_then(|name| units.get_key_value(name)) else {
            continue;
        };
        let published = unit.by_podman.iter().flat_map(|run| &run.published);
        for published in published.filter(|_| unit.start) {
            let (port, address) = (published.port, published.address);
            let key = (port, published.protocol.as_str());
            if let Some(holder) = held.by(key, address, None) {
                let message = format!("{name} publishes port {port}, and {}", holder.who);
                let place = say(publishing(&quadlet.file, port), message, "", ANOTHER);
                findings.push(found(place, holder.is_likely));
            }
            let who = format!("Podman publishes it for {name}");
            let holder = Holder {
                address,
                who,
                ..Holder::default()
            };
            held.add(key, holder);
        }
    }
}

/// Where a Quadlet names a port.
fn publishing(file: &File, port: u16) -> Diagnostic {
    let source = Source::new(&file.source, text(file));
    let port = port.to_string();
    let sections = source.parsed.sections.iter();
    let mut entries = sections.flat_map(|section| &section.entries);
    let entry = entries.find(|entry| entry.key == "PublishPort" && entry.value.contains(&port));
    let span = entry.map_or(0..0, |entry| entry.key_span.clone());
    source.complain(span, "", "")
}

fn sockets(subject: &Subject, held: &mut Holders, findings: &mut Findings) {
    for (name, _, settings) in instances(subject.revision).filter(|(_, unit, _)| unit.start) {
        for Socket {
            value,
            port,
            address,
            protocol,
        } in listen::sockets(&name, settings)
        {
            if let Some(holder) = held.by((port, protocol), address, None) {
                let message = format!("{name} listens on port {port}, and {}", holder.who);
                let place = say(
                    value.complain("", ""),
                    message,
                    "",
                    "listen on another port",
                );
                findings.push(found(place, false));
            }
            let holder = Holder {
                address,
                who: format!("systemd listens on it for {name}"),
                unit: Some(name.stem().to_owned()),
                is_likely: false,
            };
            held.add((port, protocol), holder);
        }
    }
}

fn commands(subject: &Subject, held: &mut Holders, findings: &mut Findings) {
    let own =
        instances(subject.revision).filter(|(_, unit, _)| unit.start && unit.stacks.is_empty());
    for (name, _, settings) in own {
        for Socket {
            value,
            port,
            address,
            protocol,
        } in commands::ports(&name, settings)
        {
            if let Some(holder) = held.by((port, protocol), address, Some(name.stem())) {
                let message = format!("{name} names port {port}, and {}", holder.who);
                let place = say(value.complain("", ""), message, "", ANOTHER);
                findings.push(found(place, true));
            }
            let holder = Holder {
                address,
                who: format!("the command of {name} names it"),
                unit: Some(name.stem().to_owned()),
                is_likely: true,
            };
            held.add((port, protocol), holder);
        }
    }
}

fn containers(context: &Context, held: &Holders, findings: &mut Findings) {
    let units = &context.revision().desired.units;
    let starts = |unit: &str| units.get(unit).is_some_and(|unit| unit.start);
    let view = context.projects();
    let entries = entries(view).into_iter();
    for entry in entries.filter(|entry| entry.stack.unit.as_deref().is_some_and(starts)) {
        let port = &entry.port;
        let mut ports = port.host.clone().into_iter().flatten();
        let taken = ports.find_map(|number| {
            let key = (number, port.protocol.as_str());
            Some((number, held.by(key, port.address, None)?))
        });
        if let Some((number, holder)) = taken {
            let message = format!(
                "{} publishes port {number}, and {}",
                entry.service, holder.who
            );
            let help = format!(
                "publish another port, such as \"127.0.0.1:PORT:{}\", and let nginx proxy it",
                port.container.start()
            );
            let place = say(entry.place(view), message, "", help);
            findings.push(found(place, holder.is_likely));
        }
    }
}

fn found(place: Diagnostic, is_likely: bool) -> Finding {
    RULE.at(place).weighing_where(is_likely, Severity::Warning)
}

/// Whether two addresses cannot both be bound: one that is for all of its kind holds each of them, ip(7).
fn meet(one: Option<IpAddr>, other: Option<IpAddr>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return true;
    };
    one.is_ipv4() == other.is_ipv4()
        && (one == other || one.is_unspecified() || other.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::{of_family, surveyed};

    fn of_rule(subject: &Subject) -> Vec<Finding> {
        let mut findings = of_family("port", subject);
        findings.retain(|finding| finding.rule.name == RULE.name);
        findings
    }

    fn found(listen: &str, socket: &str, publish: &str, unit: &str) -> Vec<String> {
        let site = format!("server {{ listen {listen}; location / {{ return 204; }} }}\n");
        let socket = format!("[Socket]\n{socket}\n[Install]\nWantedBy=sockets.target\n");
        let compose = format!("services:\n  app:\n    image: app:1\n    ports: ['{publish}']\n");
        let unit = format!(
            "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/compose/a/docker-compose.yml up\n{unit}"
        );
        let files = [
            ("sites-available/a", site.as_str()),
            ("systemd/s.socket", &socket),
            ("systemd/s.service", "[Service]\nExecStart=/usr/bin/s\n"),
            ("systemd/a.service", &unit),
            ("compose/a/docker-compose.yml", &compose),
            ("watchme.toml", "checkout = \"/srv/c\"\n"),
        ];
        let told = |finding: &Finding| {
            let place = finding.place().unwrap();
            assert_eq!(place.path().to_str(), Some("compose/a/docker-compose.yml"));
            finding.message().to_owned()
        };
        surveyed(&files, |subject| {
            of_rule(subject).iter().map(told).collect()
        })
    }

    #[test]
    fn a_port_has_one_holder() {
        const INSTALL: &str = "[Install]\nWantedBy=multi-user.target\n";
        const NGINX: &str =
            "app publishes port 8001, and nginx listens on it for sites-available/a";
        const SYSTEMD: &str = "app publishes port 8061, and systemd listens on it for s.socket";
        for (listen, socket, publish, unit, expected) in [
            ("8001", "", "127.0.0.1:8001:80", INSTALL, Some(NGINX)),
            ("127.0.0.1:8001", "", "8001:80", INSTALL, Some(NGINX)),
            ("[::]:8001", "", "8001:80", INSTALL, Some(NGINX)),
            ("80", "", "8000-8001:80-81", INSTALL, None),
            ("8000-8010", "", "0.0.0.0:8001:80", INSTALL, Some(NGINX)),
            ("[::]:8001", "", "127.0.0.1:8001:80", INSTALL, None),
            ("127.0.0.1:8001", "", "127.0.0.2:8001:80", INSTALL, None),
            ("8001 udp", "", "8001:80", INSTALL, None),
            ("8001", "", "8001:80/udp", INSTALL, None),
            ("8001", "", "8001:80", "", None),
            (
                "80",
                "ListenStream=8061",
                "127.0.0.1:8061:80",
                INSTALL,
                Some(SYSTEMD),
            ),
            (
                "80",
                "ListenStream=127.0.0.1:8061",
                "[::1]:8061:80",
                INSTALL,
                None,
            ),
        ] {
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(
                found(listen, socket, publish, unit),
                expected,
                "{listen} {socket} {publish}"
            );
        }
    }

    #[test]
    fn sockets_and_commands_are_compared_too() {
        let install = "\n[Install]\nWantedBy=multi-user.target\n";
        let found = |more: &[(&str, &str)]| {
            let site = ("sites-available/a", "server { listen 8001; return 204; }\n");
            let mut files = vec![site];
            files.extend(more);
            let told = |finding: &Finding| {
                let letter = if finding.is_error() { 'E' } else { 'W' };
                format!("{letter} {finding}")
            };
            surveyed(&files, |subject| {
                of_rule(subject).iter().map(told).collect::<Vec<_>>()
            })
        };
        let socket = format!("[Socket]\nListenStream=127.0.0.1:8001{install}");
        assert_eq!(
            found(&[
                ("systemd/s.socket", &socket),
                ("systemd/s.service", "[Service]\nExecStart=/bin/s\n")
            ]),
            [
                "E systemd/s.socket:2:14: s.socket listens on port 8001, and nginx listens on it for sites-available/a"
            ]
        );
        let run =
            format!("[Service]\nExecStart=/usr/bin/docker run -p 127.0.0.1:8001:80 x{install}");
        assert_eq!(
            found(&[("systemd/d.service", &run)]),
            [
                "W systemd/d.service:2:11: d.service names port 8001, and nginx listens on it for sites-available/a"
            ]
        );
        let (one, other) = (
            format!("[Service]\nExecStart=/usr/bin/uvicorn --port 8002 a{install}"),
            format!("[Service]\nEnvironment=PORT=8002\nExecStart=/usr/bin/x --port 8002{install}"),
        );
        assert_eq!(
            found(&[("systemd/a.service", &one), ("systemd/b.service", &other)]),
            [
                "W systemd/b.service:2:13: b.service names port 8002, and the command of a.service names it",
                "W systemd/b.service:3:11: b.service names port 8002, and the command of a.service names it"
            ]
        );
        // A socket and its own service.
        let late = format!("[Socket]\nListenStream=8003{install}");
        let own = format!("[Service]\nExecStart=/usr/bin/x --port 8003{install}");
        assert_eq!(
            found(&[("systemd/s.socket", &late), ("systemd/s.service", &own)]),
            [""; 0]
        );
        // What is not started.
        let idle = "[Service]\nExecStart=/usr/bin/x --port 8002\n";
        assert_eq!(
            found(&[("systemd/a.service", &one), ("systemd/b.service", idle)]),
            [""; 0]
        );
    }

    #[test]
    fn ports_of_quadlets_are_held_as_others_are() {
        let quadlet = |port: &str| {
            format!(
                "[Container]\nImage=docker.io/a:1\nPublishPort={port}\n[Install]\nWantedBy=multi-user.target\n"
            )
        };
        let (one, two) = (quadlet("127.0.0.1:8011:80"), quadlet("8011-8012:80-81"));
        let files = [
            ("sites-available/a", "server { listen 8012; return 204; }\n"),
            ("containers/a.container", one.as_str()),
            ("containers/b.container", &two),
        ];
        let found = surveyed(&files, |subject| {
            let found = of_rule(subject);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        });
        assert_eq!(
            found,
            [
                "containers/b.container:3:1: b.service publishes port 8011, and Podman publishes it for a.service",
                "containers/b.container:3:1: b.service publishes port 8012, and nginx listens on it for sites-available/a",
            ]
        );
    }
}
