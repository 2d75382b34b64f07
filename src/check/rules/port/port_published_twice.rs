//! Ports that two services publish.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::compose::ports::{Entry, entries};
use crate::check::rules::port::prelude::*;

pub(crate) static RULE: Rule = rule!(port_published_twice, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let held = &entries(view);
    let mut by_port: BTreeMap<u16, Vec<&Entry>> = BTreeMap::new();
    let mut offered = BTreeSet::new();
    for one in held {
        for port in one.port.host.clone().into_iter().flatten() {
            let others = by_port.entry(port).or_default();
            let other = others.iter().find(|other| {
                run_together(view, one, other) && one.port.collides(&other.port).is_some()
            });
            if let Some(other) = other {
                let message = format!(
                    "port {port} is published twice: by {} and here",
                    other.who()
                );
                let help = match free(view, held, port, &offered) {
                    Some(free) => {
                        offered.insert(free);
                        format!("publish another port: {free} is free")
                    }
                    None => "publish another port".to_owned(),
                };
                let place = say(one.place(view), message, "", help);
                findings.push(RULE.at(place));
                break;
            }
            // A second one on the same port adds nothing that others could collide with.
            if others.len() < 8 {
                others.push(one);
            }
        }
    }
}

/// Whether two entries are there at the same time.
fn run_together(view: &View, one: &Entry, other: &Entry) -> bool {
    let same = std::ptr::eq(one.stack, other.stack) && one.service == other.service;
    match same {
        true => one.port != other.port,
        false => view.run_together((one.stack, one.service), (other.stack, other.service)),
    }
}

/// A port that nobody publishes and that was offered to nobody, of the range that a port is in.
fn free(view: &View, held: &[Entry], port: u16, offered: &BTreeSet<u16>) -> Option<u16> {
    let allowed = &view.subject.revision.parsed.policy.ports.allowed;
    let range = allowed.iter().find(|range| range.contains(&port))?;
    let taken = |port: &u16| {
        held.iter().any(|held| {
            held.port
                .host
                .as_ref()
                .is_some_and(|host| host.contains(port))
        })
    };
    (**range)
        .clone()
        .find(|port| !taken(port) && !offered.contains(port))
}

#[cfg(test)]
mod tests {
    use crate::check::compose::tests::ports::helps;
    use crate::check::compose::tests::two;

    #[test]
    fn ports_collide_across_stacks() {
        let with =
            |port: &str| format!("services:\n  s:\n    image: x:1\n    ports:\n      - {port}\n");
        let twice = |a: &str, b: &str| {
            let found = two(&with(a), &with(b));
            found
                .iter()
                .any(|finding| finding.starts_with("port-published-twice b/c.yml:5:"))
        };
        for (a, b) in [
            ("'127.0.0.1:8001:80'", "'0.0.0.0:8001:81'"),
            ("'8000-8005:1-6'", "{published: 8003, target: 1}"),
            ("'127.0.0.1:8001:80'", "'127.0.0.1:8001:80'"),
        ] {
            assert!(twice(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("'127.0.0.1:8001:80'", "'127.0.0.2:8001:80'"),
            ("'127.0.0.1:8001:80'", "'127.0.0.1:8001:80/udp'"),
            ("'8001'", "'8001'"),
            ("'127.0.0.1:8001:80'", "'127.0.0.1:80:8001'"),
            ("'127.0.0.1:8001:80'", "'${P:-8002}:80'"),
        ] {
            assert!(!twice(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_free_port_is_offered_once() {
        let ports = ["'8001:80'", "'8001:81'", "'8001:82'"];
        let policy = "[ports]\nallowed = [\"8001-8003\"]\n";
        assert_eq!(
            helps("port-published-twice", &ports, policy),
            [
                "publish another port: 8002 is free",
                "publish another port: 8003 is free"
            ]
        );
    }
}
