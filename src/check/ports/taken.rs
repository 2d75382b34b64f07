//! Ports that a container publishes and that nginx or systemd has already.

use std::net::IpAddr;

use super::{By, Declared, Ports, declared};
use crate::check::Subject;
use crate::check::compose::view::{View, say};
use crate::model::{Finding, Rule};
use crate::source::ParsedStack;

crate::rule! {
    PORT_TAKEN, "port-taken", Error;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&PORT_TAKEN];

/// Findings about the ports of containers that units start.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let units = &subject.revision.desired.units;
    let starts = |unit: &str| units.get(unit).is_some_and(|unit| unit.start);
    let all = declared(subject);
    let view = View::new(subject);
    let started = view.started().filter(|(stack, _, service)| {
        stack.unit.as_deref().is_some_and(starts) && service.network_mode() != Some("host")
    });
    let mut findings = Vec::new();
    for (stack, name, service) in started {
        for published in service.published() {
            let host = published.host.clone().into_iter().flatten();
            let taken = host
                .filter_map(|port| {
                    let holder = holder(
                        &all,
                        (port, &published.protocol),
                        published.address,
                        &starts,
                    );
                    Some((port, holder?))
                })
                .next();
            if let (Some((port, holder)), Some(item)) = (taken, service.ports.get(published.index))
            {
                let inside = *published.container.start();
                findings.push(find(&view, (stack, name), item, (port, inside), &holder));
            }
        }
    }
    findings
}

/// Who else listens where a container is to be reached.
fn holder(
    all: &Ports,
    (port, protocol): (u16, &str),
    address: Option<IpAddr>,
    starts: &impl Fn(&str) -> bool,
) -> Option<String> {
    let port = all.get(&(port, protocol.to_owned()))?;
    port.declared.iter().find_map(|other| match &other.by {
        By::Nginx { path, .. } if other.address.is_some() && meet(address, other) => {
            Some(format!("nginx listens on it for {}", path.display()))
        }
        By::Socket(unit) if starts(unit) && meet(address, other) => {
            Some(format!("systemd listens on it for {unit}"))
        }
        _ => None,
    })
}

/// Whether two addresses cannot both be bound: one that is for all of its kind holds each of them, ip(7).
fn meet(address: Option<IpAddr>, other: &Declared) -> bool {
    let (Some(one), Some(other)) = (address, other.address) else {
        return true;
    };
    one.is_ipv4() == other.is_ipv4()
        && (one == other || one.is_unspecified() || other.is_unspecified())
}

fn find(
    view: &View,
    (stack, service): (&ParsedStack, &str),
    item: &serde_yaml::Value,
    (port, inside): (u16, u16),
    holder: &str,
) -> Finding {
    let message = format!("{service} publishes port {port}, and {holder}");
    let help = format!(
        "publish another port, such as \"127.0.0.1:PORT:{inside}\", and let nginx proxy it"
    );
    let place = view.at_item(stack, service, "ports", item);
    Finding::at(&PORT_TAKEN, say(place, message, "", help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::surveyed;

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
            assert_eq!(place.path.to_str(), Some("compose/a/docker-compose.yml"));
            finding.message().to_owned()
        };
        surveyed(&files, |subject| check(subject).iter().map(told).collect())
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
}
