//! Ports that nginx passes requests to, and that nothing publishes.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::check::nginx::ports::{Proxied, numbers};
use crate::check::rules::nginx::prelude::*;
use crate::model::UnitType;
use crate::source::Revision;
use crate::source::policy::PortRange;

pub(crate) static RULE: Rule = rule!(nginx_port_unpublished, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    if view.servers().next().is_none() {
        return;
    }
    let mut proxied = Proxied::default();
    for block in context.blocks() {
        proxied.add(context.groups(), block);
    }
    let published = context.published();
    let revision = view.subject.revision;
    let nothing = revision
        .desired
        .units
        .values()
        .all(|unit| unit.stacks.is_empty() && unit.by_podman.is_none());
    if published.more || published.on_host || nothing || !view.subject.is_whole() {
        return;
    }
    let ports = &published.ports;
    let mentioned = LazyCell::new(|| mentioned(revision));
    let own: BTreeSet<u16> = revision
        .desired
        .sites
        .values()
        .flat_map(|site| &site.listens)
        .map(|listen| listen.port)
        .collect();
    let wanting = proxied.ports.iter().filter(|(port, _)| {
        !ports.contains(port) && !own.contains(port) && !mentioned.contains(port)
    });
    for (port, nodes) in wanting {
        let allowed = &revision.parsed.policy.ports.allowed;
        let outside = |range: &PortRange| !range.contains(port);
        // What is no service of this desired state may be one of the host's packages.
        let foreign = (!allowed.is_empty() && allowed.iter().all(outside)) || runs_more(revision);
        let message =
            format!("nginx passes requests to port {port}, and nothing here publishes it");
        let near = ports.iter().min_by_key(|known| known.abs_diff(*port));
        let help = match near.filter(|near| near.abs_diff(*port) < 10) {
            Some(near) => format!(
                "publish \"127.0.0.1:{port}:{port}\" in a compose file, or is {near} meant?"
            ),
            None => format!("publish \"127.0.0.1:{port}:{port}\" in a compose file"),
        };
        for node in nodes {
            let found = view.find(&RULE, node, &message, &help);
            let severity = if foreign {
                Severity::Warning
            } else {
                Severity::Error
            };
            findings.push(found.weighing(severity));
        }
    }
}

/// Whether a unit runs a program of its own, which may listen anywhere.
fn runs_more(revision: &Revision) -> bool {
    revision.desired.units.iter().any(|(name, unit)| {
        name.ends_with(".service")
            && unit.stacks.is_empty()
            && unit.file.is_some()
            && unit.service_type == UnitType::Lasting
    })
}

/// Numbers in units, in the scripts and settings that they name, and in files below etc other
/// than nginx's: a port that is there is somebody's.
fn mentioned(revision: &Revision) -> BTreeSet<u16> {
    let desired = &revision.desired;
    let units = desired
        .units
        .values()
        .flat_map(|unit| unit.file.iter().chain(unit.dropins.values()));
    let named = desired.files.values();
    let named = named.filter(|file| !revision.parsed.compose.contains_key(&file.source));
    let etc = desired
        .etc
        .iter()
        .filter(|(path, _)| !path.starts_with("nginx"));
    let files = units.chain(named).chain(etc.map(|(_, entry)| &entry.file));
    files.flat_map(|file| numbers(&file.content)).collect()
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;
    use crate::check::nginx::tests::stacks::{LOOPBACK, behind};

    #[test]
    fn ports_that_nothing_publishes() {
        let found = |pass: &str, service: &str, more: &[(&str, &str)]| {
            behind("nginx-port-unpublished", pass, service, more)
        };
        let quadlet = "[Container]\nImage=docker.io/a:1\nPublishPort=127.0.0.1:8002:80\n";
        let quadlet = ("containers/a.container", quadlet);
        assert_eq!(
            found("http://localhost:8002/", LOOPBACK, &[quadlet]),
            [""; 0]
        );
        let bad = found("http://localhost:8002/", LOOPBACK, &[]);
        assert_eq!(
            bad,
            [
                "E sites-available/a:1:23: nginx passes requests to port 8002, and nothing here publishes it"
            ]
        );
        let group = (
            "sites-available/g",
            "upstream g { server 127.0.0.1:8001; server 127.0.0.1:8002; }",
        );
        assert_eq!(found("http://g", LOOPBACK, &[group]).len(), 1, "in a group");
        for (pass, service, more) in [
            ("http://localhost:8001/", LOOPBACK, None),
            (
                "http://localhost:8005/",
                "    ports: ['8000-8009:8000-8009']\n",
                None,
            ),
            ("http://localhost:8002/", "    network_mode: host\n", None),
            (
                "http://localhost:8002/",
                "    ports: ['${PORT}:80']\n",
                None,
            ),
            ("http://10.0.0.7:8002/", LOOPBACK, None),
            ("http://$name:8002/", LOOPBACK, None),
            (
                "http://localhost:3000/",
                LOOPBACK,
                Some((
                    "systemd/ui.service",
                    "[Service]\nExecStart=/usr/bin/ui --port=3000\n",
                )),
            ),
            (
                "http://localhost:3000/",
                LOOPBACK,
                Some(("etc/ui/ui.ini", "http_port = 3000\n")),
            ),
            (
                "http://localhost:3000/",
                LOOPBACK,
                Some((
                    "systemd/ui.socket",
                    "[Socket]\nListenStream=127.0.0.1:3000\n",
                )),
            ),
            (
                "http://localhost:8002/",
                LOOPBACK,
                Some((
                    "systemd/x.service",
                    "[Service]\nExecStart=/usr/bin/docker start x\n",
                )),
            ),
            (
                "http://localhost:8002/",
                LOOPBACK,
                Some((
                    "systemd/x.service",
                    "[Service]\nExecStart=/usr/bin/docker-compose -f /opt/x/docker-compose.yml up\n",
                )),
            ),
            (
                "http://localhost:8002/",
                LOOPBACK,
                Some(("sites-available/own", "server { listen 127.0.0.1:8002; }")),
            ),
        ] {
            let more: Vec<_> = more.into_iter().collect();
            assert_eq!(
                found(pass, service, &more),
                [""; 0],
                "{pass} {service} {more:?}"
            );
        }
        for more in [
            (
                "watchme.toml",
                "checkout = \"/srv/s\"\n[ports]\nallowed = [\"8000-8001\"]\n",
            ),
            ("systemd/ui.service", "[Service]\nExecStart=/usr/bin/ui\n"),
        ] {
            let found = found("http://localhost:8002/", LOOPBACK, &[more]);
            assert!(found.len() == 1 && found[0].starts_with("W "), "{found:?}");
        }
        let without = said(
            "nginx-port-unpublished",
            &[(
                "sites-available/a",
                "server { location / { proxy_pass http://localhost:3000; } }",
            )],
        );
        assert_eq!(without, [""; 0], "where nothing is known of containers");
    }
}
