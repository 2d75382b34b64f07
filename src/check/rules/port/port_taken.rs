//! Ports that two want: a container, nginx, a socket unit, or a unit's own command.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::check::Subject;
use crate::check::nginx::listens::listens;
use crate::check::ports::{commands, instances};
use crate::check::rules::port::prelude::*;
use crate::model::File;
use crate::source::ParsedStack;
use crate::source::compose::Service;
use crate::source::load::text;
use crate::source::unit::listen;
use crate::source::unit::settings::Source;

pub(crate) static RULE: Rule = rule!(port_taken, Error, run);

/// Somebody who holds a port.
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

fn run(context: &Context, findings: &mut Findings) {
    findings.extend(check(context));
}

impl Holders {
    /// The holder that an address meets, unless `is_own` says that it is the same.
    fn by(
        &self,
        (port, protocol): (u16, &str),
        address: Option<IpAddr>,
        is_own: impl Fn(&Holder) -> bool,
    ) -> Option<&Holder> {
        let holders = self.0.get(&(port, protocol.to_owned()))?;
        holders
            .iter()
            .find(|holder| meet(address, holder.address) && !is_own(holder))
    }

    fn add(&mut self, (port, protocol): (u16, &str), holder: Holder) {
        let holders = self.0.entry((port, protocol.to_owned())).or_default();
        holders.push(holder);
    }
}

/// Findings about ports that somebody else has.
fn check(context: &Context) -> Vec<Finding> {
    let subject = context.subject;
    let mut held = Holders::default();
    for listening in listens(subject) {
        for port in listening.ports.filter(|_| !listening.is_named) {
            let who = format!("nginx listens on it for {}", listening.path.display());
            held.add(
                (port, listening.protocol),
                Holder {
                    address: listening.address,
                    who,
                    unit: None,
                    is_likely: false,
                },
            );
        }
    }
    let mut findings = Vec::new();
    sockets(subject, &mut held, &mut findings);
    commands(subject, &mut held, &mut findings);
    quadlets(subject, &mut held, &mut findings);
    containers(context, &held, &mut findings);
    findings
}

fn quadlets(subject: &Subject, held: &mut Holders, findings: &mut Vec<Finding>) {
    let desired = &subject.revision.desired;
    for quadlet in desired.quadlets.values() {
        let Some((name, unit)) = quadlet
            .unit
            .as_ref()
            .and_then(|name| desired.units.get_key_value(name))
        else {
            continue;
        };
        let published = unit.by_podman.iter().flat_map(|run| &run.published);
        for published in published.filter(|_| unit.start) {
            let key = (published.port, published.protocol.as_str());
            if let Some(holder) = held.by(key, published.address, |_| false) {
                let message = format!(
                    "{name} publishes port {}, and {}",
                    published.port, holder.who
                );
                let place = publishing(&quadlet.file, published.port);
                let place = say(place, message, "", "let one of the two have another port");
                findings.push(found(place, holder.is_likely));
            }
            let holder = Holder {
                address: published.address,
                who: format!("Podman publishes it for {name}"),
                unit: None,
                is_likely: false,
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

fn sockets(subject: &Subject, held: &mut Holders, findings: &mut Vec<Finding>) {
    for (name, _, settings) in instances(subject.revision).filter(|(_, unit, _)| unit.start) {
        for socket in listen::sockets(&name, settings) {
            let key = (socket.port, socket.protocol);
            if let Some(holder) = held.by(key, socket.address, |_| false) {
                let message = format!("{name} listens on port {}, and {}", socket.port, holder.who);
                let place = say(
                    socket.value.complain("", ""),
                    message,
                    "",
                    "listen on another port",
                );
                findings.push(found(place, false));
            }
            let holder = Holder {
                address: socket.address,
                who: format!("systemd listens on it for {name}"),
                unit: Some(name.stem().to_owned()),
                is_likely: false,
            };
            held.add(key, holder);
        }
    }
}

fn commands(subject: &Subject, held: &mut Holders, findings: &mut Vec<Finding>) {
    let own =
        instances(subject.revision).filter(|(_, unit, _)| unit.start && unit.stacks.is_empty());
    for (name, _, settings) in own {
        for named in commands::ports(&name, settings) {
            let key = (named.port, named.protocol);
            let is_own = |holder: &Holder| holder.unit.as_deref() == Some(name.stem());
            if let Some(holder) = held.by(key, named.address, is_own) {
                let message = format!("{name} names port {}, and {}", named.port, holder.who);
                let help = "let one of the two have another port";
                findings.push(found(
                    say(named.value.complain("", ""), message, "", help),
                    true,
                ));
            }
            let holder = Holder {
                address: named.address,
                who: format!("the command of {name} names it"),
                unit: Some(name.stem().to_owned()),
                is_likely: true,
            };
            held.add(key, holder);
        }
    }
}

fn containers(context: &Context, held: &Holders, findings: &mut Vec<Finding>) {
    let units = &context.revision().desired.units;
    let starts = |unit: &str| units.get(unit).is_some_and(|unit| unit.start);
    let view = context.projects();
    let started = view.started().filter(|(stack, _, service)| {
        stack.unit.as_deref().is_some_and(starts) && service.network_mode() != Some("host")
    });
    for (stack, name, service) in started {
        container(view, (stack, name, service), held, findings);
    }
}

fn container(
    view: &View,
    (stack, name, service): (&ParsedStack, &str, &Service),
    held: &Holders,
    findings: &mut Vec<Finding>,
) {
    for published in service.published() {
        let mut ports = published.host.clone().into_iter().flatten();
        let taken = ports.find_map(|port| {
            let key = (port, published.protocol.as_str());
            Some((port, held.by(key, published.address, |_| false)?))
        });
        if let (Some((port, holder)), Some(item)) = (taken, service.ports.get(published.index)) {
            let message = format!("{name} publishes port {port}, and {}", holder.who);
            let help = format!(
                "publish another port, such as \"127.0.0.1:PORT:{}\", and let nginx proxy it",
                published.container.start()
            );
            let place = say(view.at_item(stack, name, "ports", item), message, "", help);
            findings.push(found(place, holder.is_likely));
        }
    }
}

fn found(place: Diagnostic, is_likely: bool) -> Finding {
    let finding = RULE.at(place);
    finding.weighing_where(is_likely, Severity::Warning)
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
