//! Sites that come to pass requests to a port at which nothing listens.

use std::net::{Ipv4Addr, SocketAddr};

use super::replacement::{running, stack};
use super::*;

fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn to(ports: &[u16]) -> Site {
    Site {
        upstreams: ports.iter().map(|port| at(*port)).collect(),
        ..site(&format!("{ports:?}"))
    }
}

fn listener(port: u16) -> Listener {
    Listener {
        port,
        protocol: "tcp",
        address: Ipv4Addr::UNSPECIFIED.into(),
        program: Some("python3".into()),
        unit: None,
    }
}

#[test]
fn a_site_does_not_move_to_a_port_that_nobody_has() {
    let published = (
        "web.service".to_owned(),
        running("web.service", stack("p", "web", 9002)).1,
    );
    let named = unit(
        "own.service",
        "[Service]\nExecStart=/usr/bin/own --port=9003\n",
    );
    let base = Desired {
        sites: BTreeMap::from([("a".into(), to(&[8001, 8002]))]),
        ..Desired::default()
    };
    let (mut observed, recorded) = applied(&base);
    observed.listeners = vec![listener(8001), listener(8003)];
    let moved = |ports: &[u16]| Desired {
        sites: BTreeMap::from([("a".into(), to(ports))]),
        units: BTreeMap::from([published.clone(), ("own.service".to_owned(), named.clone())]),
        ..Desired::default()
    };
    let of = |plan: &Plan| {
        let words = plan
            .notes
            .iter()
            .filter(|note| note.text.contains("would pass"));
        (plan.refusals.len(), words.count())
    };
    // A program starts there, too: its port is not known for certain.
    let unsure = planned(&moved(&[9001]), &observed, &recorded);
    assert_eq!(of(&unsure), (0, 1), "{:?}", unsure.refusals);

    let mut alone = moved(&[9001]);
    alone.units.remove("own.service");
    let plan = planned(&alone, &observed, &recorded);
    let why = "it passed requests to 127.0.0.1:8001, and would pass them to 127.0.0.1:9001, where nothing listens, and \
               nothing that this revision runs publishes that port";
    assert_eq!(plan.refusals[0].why, why);
    assert_eq!(plan.refusals[0].id.to_string(), "site/a");

    let mut by_nginx = alone.clone();
    by_nginx
        .sites
        .insert("b".into(), site("server { listen 127.0.0.1:9001; }"));
    for (desired, expected, what) in [
        (moved(&[8003]), (0, 0), "somebody listens"),
        (moved(&[9002]), (0, 0), "a unit publishes it"),
        (moved(&[9003]), (0, 0), "a unit names it"),
        (
            moved(&[8001, 8002, 9001]),
            (0, 1),
            "it still passes requests to the old one",
        ),
        (by_nginx, (0, 0), "nginx listens there itself"),
    ] {
        assert_eq!(
            of(&planned(&desired, &observed, &recorded)),
            expected,
            "{what}"
        );
    }
    // What did not serve before is not lost.
    let mut quiet = observed.clone();
    quiet.listeners = vec![listener(22)];
    assert_eq!(of(&planned(&alone, &quiet, &recorded)), (0, 1));
    // Nobody has looked.
    quiet.listeners = Vec::new();
    assert_eq!(of(&planned(&alone, &quiet, &recorded)), (0, 0));
}
