//! Ports that containers publish to the network, and that no site proxies.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::check::nginx::ports::numbers;
use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(port_unproxied, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let (view, projects) = (context.nginx(), context.projects());
    if view.servers().next().is_none() || !view.subject.is_whole() {
        return;
    }
    let revision = view.subject.revision;
    let enabled = revision.desired.sites.values().filter(|site| site.enabled);
    let nginx = revision
        .desired
        .etc
        .iter()
        .filter(|(path, _)| path.starts_with("nginx"));
    let texts = enabled
        .map(|site| &site.file)
        .chain(nginx.map(|(_, entry)| &entry.file));
    // Variables and maps may lead anywhere: a number that is in a site is good enough.
    let known: LazyCell<BTreeSet<u16>, _> =
        LazyCell::new(|| texts.flat_map(|file| numbers(&file.content)).collect());
    let published = context.published();
    let started = published
        .all
        .iter()
        .filter(|one| one.stack.unit.is_some() && one.stack.started.contains(one.service));
    for one in started {
        let loopback = one
            .port
            .address
            .is_some_and(|address| address.is_loopback());
        let Some(range) = one.port.host.clone().filter(|_| !loopback) else {
            continue;
        };
        // What listens at the web's own ports is a proxy itself.
        let alone = |port: &u16| !matches!(port, 80 | 443) && !known.contains(port);
        let port = range.into_iter().find(alone);
        let Some(port) = port.filter(|_| one.port.protocol != "udp") else {
            continue;
        };
        let mut place = one.place(projects);
        place.message = format!(
            "{} publishes port {port} to the network, and no site proxies it",
            one.service
        );
        let inside = one.port.container.start();
        place.help = Some(format!(
            "add a location with proxy_pass http://localhost:{port}; and publish \"127.0.0.1:{port}:{inside}\", or publish nothing"
        ));
        findings.push(RULE.at(place));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::stacks::behind;

    #[test]
    fn ports_that_nothing_proxies() {
        let found =
            |service: &str| behind("port-unproxied", "http://localhost:8001/", service, &[]);
        assert_eq!(
            found("    ports:\n      - \"8002:80\"\n"),
            [
                "W compose/api/docker-compose.yml:4:10: api publishes port 8002 to the network, and no site proxies it"
            ]
        );
        assert_eq!(
            found("    ports: [{target: 80, published: 8002}]\n").len(),
            1
        );
        assert_eq!(found("    ports: ['10.0.0.7:8002:80']\n").len(), 1);
        for service in [
            "    ports: ['8001:80']\n",
            "    ports: ['127.0.0.1:8002:80']\n",
            "    ports: ['[::1]:8002:80']\n",
            "    ports: ['5353:53/udp']\n",
            "    ports: ['443:443']\n",
            "    ports: ['80']\n",
            "    ports: ['8002:80']\n    profiles: [debug]\n",
            "    expose: ['8002']\n",
        ] {
            assert_eq!(found(service), [""; 0], "{service}");
        }
    }
}
