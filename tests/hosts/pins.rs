//! Addresses that are pinned, who stands in their way, and connections that are there on one side only.

use crate::support::Host;
use crate::support::network::{
    NETWORK, POLICY, Server, field, marks, members, network_drift, policy, told,
};

#[test]
fn pinned_addresses_are_enforced_and_others_reported() {
    let host = Host::boot();
    let unpinned = "container = 'gamma', address = '172.27.0.12'";
    Server::new()
        .with(POLICY, pins("172.27.0.10", "172.27.0.11", unpinned))
        .check_out(&host);
    host.apply(&[]).expect(0);
    for name in ["gamma", "beta", "alpha"] {
        host.run_container(
            name,
            &format!("--network watchme-network --network-alias {name}-alias"),
            "",
        );
    }
    let addresses = |a: &str, b: &str, others: &[(&str, &str)]| {
        let mut all = vec![
            ("alpha".to_owned(), a.to_owned()),
            ("beta".to_owned(), b.to_owned()),
        ];
        all.extend(
            others
                .iter()
                .map(|(name, address)| ((*name).to_owned(), (*address).to_owned())),
        );
        all.into_iter().collect()
    };
    let c = ("gamma", "172.27.0.2");
    assert_eq!(
        host.on_network(NETWORK),
        addresses("172.27.0.4", "172.27.0.3", &[c]),
        "in the order of their start"
    );

    let untouched = marks(&host, "gamma");
    let found = network_drift(&host, &[], 2);
    assert_eq!(
        found["items"].as_array().map(Vec::len),
        Some(2),
        "not c: {found}"
    );
    network_drift(&host, &["--fix"], 0);
    assert_eq!(
        host.on_network(NETWORK),
        addresses("172.27.0.10", "172.27.0.11", &[c])
    );
    assert_eq!(marks(&host, "gamma"), untouched);
    let members = members(&host);
    assert_eq!(
        (
            field(&members, "alpha", "pinned"),
            field(&members, "gamma", "pinned")
        ),
        (&true.into(), &false.into())
    );
    assert_eq!(field(&members, "gamma", "expected_address"), "172.27.0.12");
    let table = host.tool(&["status"]).stdout;
    assert!(
        table.contains("172.27.0.10 (pinned)")
            && table.contains("172.27.0.2 (expected 172.27.0.12)"),
        "{table}"
    );

    host.commit(
        &[(POLICY, Some(&pins("172.27.0.11", "172.27.0.10", unpinned)))],
        "swapped",
    );
    host.apply(&[]).expect(0);
    assert_eq!(
        host.on_network(NETWORK),
        addresses("172.27.0.11", "172.27.0.10", &[c])
    );
    know_each_other(&host);
    host.assert_does_nothing(&["apply"]).expect(0);

    host.sh("docker network disconnect watchme-network alpha");
    host.run_container(
        "thief",
        "--network watchme-network --ip 172.27.0.11 --network-alias robber",
        "",
    );
    network_drift(&host, &[], 2);
    network_drift(&host, &["--fix"], 0);
    let thief = host.on_network(NETWORK)["thief"].clone();
    assert_eq!(
        host.on_network(NETWORK),
        addresses("172.27.0.11", "172.27.0.10", &[c, ("thief", &thief)])
    );
    assert!(
        host.reaches("alpha", "robber"),
        "the holder keeps its names"
    );
    host.sh("docker restart -t 0 alpha thief");
    assert_eq!(
        host.on_network(NETWORK)["alpha"],
        "172.27.0.11",
        "also after a restart"
    );
    network_drift(&host, &[], 0);
}

/// Two pinned members and a third one.
fn pins(a: &str, b: &str, third: &str) -> String {
    policy(&[
        &format!("container = 'alpha', address = '{a}', pin = true, aliases = ['alpha-alias']"),
        &format!("container = 'beta', address = '{b}', pin = true, aliases = ['beta-alias']"),
        third,
    ])
}

#[track_caller]
fn know_each_other(host: &Host) {
    for (from, to) in [
        ("alpha", "beta"),
        ("beta", "alpha"),
        ("gamma", "alpha"),
        ("gamma", "beta"),
    ] {
        for name in [to.to_owned(), format!("{to}-alias")] {
            assert!(host.reaches(from, &name), "{from} does not reach {name}");
        }
    }
}

#[test]
fn the_pinned_address_of_a_stopped_member_is_freed_for_its_start() {
    let host = Host::boot();
    let pinned = "container = 'alpha', address = '172.27.0.2', pin = true";
    Server::new()
        .with(POLICY, policy(&[pinned]))
        .check_out(&host);
    host.apply(&[]).expect(0);
    host.run_container("alpha", "--network watchme-network --ip 172.27.0.2", "");
    network_drift(&host, &[], 0);
    host.sh("docker stop -t 0 alpha");
    host.run_container("thief", "--network watchme-network", "");
    assert_eq!(
        host.on_network(NETWORK)["thief"],
        "172.27.0.2",
        "Docker gives it away"
    );
    assert!(
        host.try_sh("docker start alpha")
            .text()
            .contains("Address already in use")
    );

    let found = network_drift(&host, &[], 2);
    assert!(
        told(&found["items"])
            .iter()
            .any(|told| told.starts_with("drifted watchme-network/alpha")),
        "{found}"
    );
    network_drift(&host, &["--fix"], 2);
    host.sh("docker start alpha");
    let on = host.on_network(NETWORK);
    assert_eq!(
        (on["alpha"].as_str(), on.len()),
        ("172.27.0.2", 2),
        "{on:?}"
    );
    network_drift(&host, &[], 0);
}

#[test]
fn a_ghost_of_a_connection_is_replaced_by_a_real_one() {
    let host = Host::boot();
    Server::new()
        .with(
            POLICY,
            policy(&["container = 'alpha', aliases = ['first']"]),
        )
        .check_out(&host);
    host.apply(&[]).expect(0);
    host.run_container("holder", "--network watchme-network --ip 172.27.0.9", "");
    host.run_container("alpha", "", "");
    let refused = host.try_sh("docker network connect --ip 172.27.0.9 watchme-network alpha");
    assert!(
        refused.text().contains("Address already in use"),
        "{}",
        refused.text()
    );
    let own = host.container(
        "alpha",
        "{{with index .NetworkSettings.Networks \"watchme-network\"}}on it: {{.EndpointID}}{{end}}",
    );
    assert_eq!(
        own, "on it:",
        "its own record claims a connection without an endpoint"
    );
    assert!(!host.names_on_network(NETWORK).contains("alpha"));

    let found = network_drift(&host, &[], 2);
    assert!(
        told(&found["items"])
            .iter()
            .any(|told| told.starts_with("drifted watchme-network/alpha")),
        "{found}"
    );
    assert_eq!(field(&members(&host), "alpha", "connected"), false);
    network_drift(&host, &["--fix"], 0);
    assert!(host.names_on_network(NETWORK).contains("alpha"));
    assert!(host.reaches("holder", "first"));
    assert_eq!(
        host.on_network(NETWORK)["holder"],
        "172.27.0.9",
        "left alone"
    );
    host.sh("docker restart -t 0 alpha");
    assert!(
        host.names_on_network(NETWORK).contains("alpha"),
        "it starts again"
    );
}

#[test]
fn a_run_killed_while_it_moves_a_holder_loses_nobody() {
    let host = Host::boot();
    let pinned = "container = 'alpha', address = '172.27.0.11', pin = true";
    Server::new()
        .with(POLICY, policy(&[pinned]))
        .check_out(&host);
    host.apply(&[]).expect(0);
    host.run_container("alpha", "", "");
    let fix = ["drift", "--only", "network", "--fix"];
    take_the_address(&host);
    let requests = host.requests_of(&fix);
    assert!(
        requests.len() >= 3,
        "one disconnects, two connect: {requests:?}"
    );
    for request in requests {
        take_the_address(&host);
        let kill = format!("inject={}", request.replace(':', ":signal=KILL:"));
        let trace = host.strace(&["-e", &kill], &fix);
        assert!(trace.contains("killed by SIGKILL"), "{request}:\n{trace}");
        host.tool(&fix).expect(0);
        let on = host.on_network(NETWORK);
        assert!(
            on["alpha"] == "172.27.0.11" && on.len() == 2,
            "killed on entry to {request}: {on:?}"
        );
        assert!(
            host.reaches("alpha", "robber"),
            "killed on entry to {request}: the holder's names are gone"
        );
    }
}

/// Takes `alpha` off the network and gives its address to a container that is no member.
fn take_the_address(host: &Host) {
    host.try_sh("docker rm -f thief");
    host.try_sh("docker network disconnect -f watchme-network alpha");
    host.run_container(
        "thief",
        "--network watchme-network --ip 172.27.0.11 --network-alias robber",
        "",
    );
}
