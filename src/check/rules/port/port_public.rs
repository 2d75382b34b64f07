//! Ports that are published to the whole network.

use serde_yaml::Value;
use source_text::word_list;

use crate::check::compose::ports::{Entry, entries, shown};
use crate::check::rules::port::prelude::*;
use crate::model::{Firewall, OpenTo, Verdict};

pub(crate) static RULE: Rule = rule!(port_public, Warning, run)
    .grouped(
        "ports are published on all addresses of the host",
        Some("write 127.0.0.1: in front of those that only this host needs"),
    )
    .advice();

/// Ports that are there for the world: SSH, mail, DNS, HTTP and its likes, VPNs.
const FOR_ALL: [u16; 16] = [
    22, 25, 53, 80, 110, 143, 443, 465, 587, 853, 993, 995, 1194, 3478, 5349, 51820,
];

/// Words in the names of images of databases, caches, queues and search engines.
const STORES: [&str; 28] = word_list(
    "postgres postgis pgvector timescale mysql mariadb percona mongo redis valkey keydb memcached \
    elasticsearch opensearch cassandra scylla couchdb couchbase influxdb clickhouse neo4j \
    cockroach mssql rethinkdb rabbitmq etcd qdrant milvus",
);

/// Words that make such an image something in front of one.
const BESIDE_A_STORE: [&str; 8] =
    word_list("exporter express commander insight admin backup kibana dashboard");

/// Ports of the same, where the image's name says nothing.
const STORE_PORTS: [u16; 15] = [
    1433, 1521, 2379, 3306, 5432, 5672, 5984, 6379, 7687, 9042, 9200, 9300, 11211, 27017, 28015,
];

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let policy = &context.revision().parsed.policy;
    let firewall = policy.firewall().ok().flatten();
    let entries = entries(view);
    let open = entries.iter().filter(|entry| {
        let firewall = firewall.as_ref();
        firewall.is_none_or(|firewall| !is_kept(firewall, entry))
    });
    findings.extend(open.filter_map(|entry| public(view, entry)));
}

/// Whether `[firewall]` keeps the world away from every port of an entry.
fn is_kept(firewall: &Firewall, entry: &Entry) -> bool {
    let Some(transport) = entry.transport() else {
        return firewall.published == Verdict::Deny;
    };
    let is_kept = |port| match firewall.opening(transport, port) {
        Some(opening) => !opening.to.contains(&OpenTo::World),
        None => firewall.published == Verdict::Deny,
    };
    // Docker chooses one that nobody can name.
    match entry.port.host.clone() {
        Some(mut ports) => ports.all(is_kept),
        None => firewall.published == Verdict::Deny,
    }
}

fn public(view: &View, entry: &Entry) -> Option<Finding> {
    let port = &entry.port;
    let first = *port.container.start();
    let host = port.host.as_ref().map_or(0, |host| *host.start());
    let store = is_store(entry);
    if !port.is_public()
        || (!store && (FOR_ALL.contains(&host) || FOR_ALL.contains(&first) && port.host.is_none()))
    {
        return None;
    }
    let place = entry.place(view);
    let help = on_loopback(entry, view.raw(&place));
    let wanted = port.host.as_ref().map(shown).unwrap_or_default();
    let what = match port.host {
        Some(_) => format!("port {wanted}"),
        // Docker chooses the port of the host.
        None => format!("container port {}", shown(&port.container)),
    };
    let is = match store {
        true => "open to the whole network, and it is a database or cache",
        false => "published on all addresses of the host",
    };
    let message = format!("{what} of {} is {is}", entry.service);
    let expected = "Docker opens it past the host's firewall";
    let finding = RULE.at(say(place, message, expected, help));
    Some(finding.weighing_where(store, Severity::Error))
}

/// How an entry is written for this host alone. Variables stay in it.
fn on_loopback(entry: &Entry, written: &str) -> String {
    let port = &entry.port;
    if entry.item().is_some_and(Value::is_mapping) {
        return "add host_ip: 127.0.0.1 to it".to_owned();
    }
    let all = ["0.0.0.0:", "[::]:", ":::"];
    let bare = all.iter().find_map(|all| written.strip_prefix(all));
    match (bare, port.address, &port.host) {
        (Some(bare), ..) => format!("write \"127.0.0.1:{bare}\""),
        (None, Some(_), _) => "set its address to 127.0.0.1".to_owned(),
        (None, None, Some(_)) => format!("write \"127.0.0.1:{written}\""),
        (None, None, None) => format!("write \"127.0.0.1::{written}\""),
    }
}

fn is_store(entry: &Entry) -> bool {
    let image = entry
        .definition
        .image()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let name = image.split(['@']).next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or(name);
    if BESIDE_A_STORE.iter().any(|word| name.contains(word)) {
        return false;
    }
    STORES.iter().any(|word| image.contains(word))
        || STORE_PORTS.iter().any(|port| {
            entry.port.container.contains(port) && entry.port.container.clone().count() == 1
        })
}

#[cfg(test)]
mod tests {
    use crate::check::compose::tests::ports::helps;
    use crate::check::tests::checked;

    #[test]
    fn what_is_open_to_the_world() {
        let severity = |image: &str, port: &str| {
            let text = format!("services: {{s: {{image: '{image}', ports: ['{port}']}}}}");
            let files = [
                ("watchme.toml".to_owned(), String::new()),
                ("docker-compose.yml".to_owned(), text),
            ];
            let found = checked(&files);
            let public = found
                .iter()
                .find(|finding| finding.rule.name == "port-public");
            public.map(|finding| finding.is_error())
        };
        for (image, port, expected) in [
            ("api:1", "8000:80", Some(false)),
            ("api:1", "0.0.0.0:8000:80", Some(false)),
            ("api:1", "[::]:8000:80", Some(false)),
            ("api:1", "127.0.0.1:8000:80", None),
            ("api:1", "192.0.2.1:8000:80", None),
            ("traefik:v3.1", "443:443", None),
            ("traefik:v3.1", "443:443/udp", None),
            ("docker.io/pgvector/pgvector:pg16", "15432:5432", Some(true)),
            ("redis:7-alpine", "6379:6379", Some(true)),
            (
                "registry.example.com/own-database:1",
                "3306:3306",
                Some(true),
            ),
            ("prom/redis_exporter:v1", "9121:9121", Some(false)),
            ("redis:7-alpine", "127.0.0.1:6379:6379", None),
        ] {
            assert_eq!(severity(image, port), expected, "{image} {port}");
        }
    }

    #[test]
    fn what_the_firewall_keeps_is_not_open() {
        for (firewall, expected) in [
            ("", true),
            ("[firewall]\n", false),
            ("[firewall]\npublished = \"allow\"\n", true),
            ("[firewall.allow]\n8000 = [\"10.0.0.0/8\"]\n", false),
            ("[firewall.allow]\n8000 = [\"world\"]\n", true),
        ] {
            let text = "services: {s: {image: 'api:1', ports: ['8000:80']}}";
            let files = [("watchme.toml", firewall), ("docker-compose.yml", text)];
            let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
            let found = checked(&files);
            let reported = found.iter().any(|one| one.rule.name == "port-public");
            assert_eq!(reported, expected, "{firewall}");
        }
    }

    #[test]
    fn what_helps_keeps_what_was_written() {
        for (port, expected) in [
            ("'8000:80'", "write \"127.0.0.1:8000:80\""),
            ("8000:80 # why", "write \"127.0.0.1:8000:80\""),
            ("'0.0.0.0:8000:80/udp'", "write \"127.0.0.1:8000:80/udp\""),
            ("'[::]:8000:80'", "write \"127.0.0.1:8000:80\""),
            (
                "'${API_PORT:-8000}:8000'",
                "write \"127.0.0.1:${API_PORT:-8000}:8000\"",
            ),
            (
                "'${BIND:-0.0.0.0}:8000:8000'",
                "set its address to 127.0.0.1",
            ),
            ("'3000'", "write \"127.0.0.1::3000\""),
            (
                "{published: 8000, target: 80}",
                "add host_ip: 127.0.0.1 to it",
            ),
        ] {
            assert_eq!(helps("port-public", &[port], ""), [expected], "{port}");
        }
    }
}
