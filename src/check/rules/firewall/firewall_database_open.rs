//! Databases that everybody may reach.

use crate::check::rules::prelude::*;
use crate::model::{OpenTo, Transport};

pub(crate) static RULE: Rule = rule!(firewall_database_open, Error, run);

/// Standard ports, with whose they are.
const DATABASES: [(u16, &str); 14] = [
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (2375, "the Docker engine, which gives everybody root"),
    (2379, "etcd"),
    (3306, "MySQL"),
    (5432, "PostgreSQL"),
    (5984, "CouchDB"),
    (6379, "Redis"),
    (7687, "Neo4j"),
    (9042, "Cassandra"),
    (9200, "Elasticsearch"),
    (11211, "memcached"),
    (27017, "MongoDB"),
    (28015, "RethinkDB"),
];

fn run(context: &Context, findings: &mut Findings) {
    let policy = &context.revision().parsed.policy;
    let Some(firewall) = &policy.firewall else {
        return;
    };
    for (opening, places) in firewall.openings(&policy.file) {
        let world = opening.to.iter().position(|to| *to == OpenTo::World);
        let Some(place) = world.and_then(|at| places.get(at)) else {
            continue;
        };
        let mut databases = DATABASES.iter();
        let database = databases.find(|(port, _)| {
            opening.transport == Transport::Tcp && opening.ports().contains(port)
        });
        if let Some((port, whose)) = database {
            findings.push(RULE.at(policy.file.complain(
                place.clone(),
                format!("port {port} is open to the world: it is the port of {whose}"),
                "scanners try it within hours",
                Some("name a source instead of world".to_owned()),
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::found;

    #[test]
    fn only_databases_that_the_world_reaches() {
        for (allow, expected) in [
            (
                "5432 = [\"world\"]",
                Some(
                    "watchme.toml:2:9: port 5432 is open to the world: it is the port of PostgreSQL",
                ),
            ),
            (
                "\"6000-7000\" = [\"10.0.0.0/8\", \"world\"]",
                Some("watchme.toml:2:30: port 6379 is open to the world: it is the port of Redis"),
            ),
            ("5432 = [\"10.0.0.0/8\"]", None),
            ("\"5432/udp\" = [\"world\"]", None),
            ("443 = [\"world\"]", None),
        ] {
            let text = format!("[firewall.allow]\n{allow}\n");
            let found = found(&RULE, &[("watchme.toml", &text)]);
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(found, expected, "{allow}");
        }
    }
}
