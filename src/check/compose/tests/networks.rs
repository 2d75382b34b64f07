//! Networks, their members and addresses, and calls between containers.

use super::*;

#[test]
fn networks_of_others_are_joined_and_own_ones_are_free() {
    let infra = (
        "docker-compose.infra.yml",
        "networks:\n  n: {name: shared, ipam: {config: [{subnet: 172.27.0.0/16, gateway: 172.27.0.1, ip_range: 172.27.128.0/17}]}}\n",
    );
    let with = |compose: &str| rules(&[infra, ("docker-compose.yml", compose)]);
    let service = "services: {s: {image: 'x:1', networks: [shared]}}\n";
    for (networks, expected) in [
        ("networks: {shared: {external: true}}", &[][..]),
        ("networks: {shared: {external: {name: shared}}}", &[]),
        ("networks: {shared: {external: true, name: shared}}", &[]),
        (
            "networks: {shared: {driver: bridge}}",
            &["compose-network-not-external"],
        ),
        ("networks: {shared: }", &["compose-network-not-external"]),
        (
            "networks: {shared: {name: shared}}",
            &["compose-network-not-external"],
        ),
        (
            "networks: {shared: {external: true, driver: bridge}}",
            &["compose-network-not-external"],
        ),
        (
            "networks: {shared: {external: true, name: sharde}}",
            &["compose-network-unknown"],
        ),
        ("networks: {other: {}}", &["compose-network-undeclared"]),
        ("", &["compose-network-undeclared"]),
    ] {
        assert_eq!(
            with(&format!("{service}{networks}\n")),
            expected,
            "{networks}"
        );
    }
    for own in [
        "services: {a: {image: 'x:1', networks: [back]}}\nnetworks: {back: {driver: bridge, internal: true}}\n",
        "services: {a: {image: 'x:1', networks: {default: {aliases: [x]}}}}\n",
        "services: {a: {image: 'x:1', network_mode: host}}\n",
        "services: {a: {image: 'x:1'}}\nnetworks: {default: {external: true, name: shared}}\n",
        "services: {a: {image: 'x:1'}}\nnetworks: {b: {external: true, name: bridge}}\n",
    ] {
        assert_eq!(with(own), NONE, "{own}");
    }
}

#[test]
fn addresses_are_validated_across_stacks() {
    let infra = |range: &str| {
        format!(
            "networks:\n  n: {{name: shared, ipam: {{config: [{{subnet: 172.27.0.0/16, gateway: 172.27.0.1{range}}}]}}}}\n"
        )
    };
    let range = ", ip_range: 172.27.128.0/17";
    let stack = |address: &str| {
        format!(
            "services: {{s: {{image: 'x:1', networks: {{shared: {{ipv4_address: {address}}}}}}}}}\nnetworks: {{shared: {{external: true}}}}\n"
        )
    };
    let with = |range: &str, a: &str, b: &str| {
        rules(&[
            ("docker-compose.infra.yml", &infra(range)),
            ("a/docker-compose.yml", &stack(a)),
            ("b/docker-compose.yml", &stack(b)),
        ])
    };
    assert_eq!(with(range, "172.27.0.5", "172.27.0.6"), NONE);
    assert_eq!(
        with(range, "172.27.0.5", "172.27.0.5"),
        ["compose-address-twice"]
    );
    assert_eq!(
        with(range, "172.27.0.5", "172.27.0.1"),
        ["compose-address-twice"]
    );
    assert_eq!(
        with(range, "172.27.0.5", "172.28.0.1"),
        ["compose-address-outside-subnet"]
    );
    assert_eq!(
        with(range, "172.27.0.5", "172.27.255.255"),
        ["compose-address-outside-subnet"]
    );
    assert_eq!(
        with(range, "172.27.0.5", "172.27.200.1"),
        ["compose-address-in-dynamic-range"]
    );
    assert_eq!(
        with("", "172.27.0.5", "172.27.0.6"),
        ["compose-address-in-dynamic-range"; 1]
    );
    let own = "services:\n  a: {image: 'x:1', networks: {n: {ipv4_address: 10.5.0.2}}}\n  b: {image: 'x:1', networks: {n: {ipv4_address: 10.5.0.3}}}\nnetworks: {n: {ipam: {config: [{subnet: 10.5.0.0/24}]}}}\n";
    assert_eq!(one(own), NONE, "all are fixed");
}
