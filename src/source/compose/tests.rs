use std::path::Path;

use super::*;
use crate::model::Network;

fn document(source: &str) -> Result<Document, String> {
    Document::parse(Path::new("c.yml"), source, &Environment::new()).map_err(|e| e.to_string())
}

fn networks(source: &str) -> Result<Vec<(String, Network)>, String> {
    let document = document(source)?;
    let infra = infra::read(&document, "proj").map_err(|error| error.to_string())?;
    Ok(infra.networks.into_iter().collect())
}

#[test]
fn networks_are_read() {
    let found = networks(
        "networks:\n  n:\n    name: watchme-network\n    driver_opts: {a: 1}\n    labels: [x=y]\n    internal: true\n    ipam:\n      config:\n        - subnet: 172.27.0.0/16\n          gateway: 172.27.0.1\n          ip_range: 172.27.128.0/17\n  own:\n  foreign:\n    external: true\n",
    )
    .unwrap();
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["proj_own", "watchme-network"]);
    let network = &found[1].1;
    assert_eq!(
        (network.key.as_str(), network.driver.as_str()),
        ("n", "bridge")
    );
    assert_eq!(
        (network.options["a"].as_str(), network.labels["x"].as_str()),
        ("1", "y")
    );
    assert!(network.internal && !network.ipv6);
    assert_eq!(
        network.subnets[0].gateway,
        Some("172.27.0.1".parse().unwrap())
    );
}

#[test]
fn merge_keys_and_variables_count() {
    let found = networks(
        "x-base: &base\n  driver: macvlan\nnetworks:\n  n:\n    <<: *base\n    name: ${N:-net}\n",
    )
    .unwrap();
    assert_eq!(
        (found[0].0.as_str(), found[0].1.driver.as_str()),
        ("net", "macvlan")
    );
}

#[test]
fn bad_networks_are_refused_with_their_place() {
    let with =
        |config: &str| format!("networks:\n  a:\n    ipam:\n      config:\n        - {config}\n");
    for (source, expected) in [
        (
            with("subnet: 172.27.0.0"),
            "c.yml:5:19: \"172.27.0.0\" is not a valid subnet",
        ),
        (
            with("subnet: 172.27.0.5/16"),
            "c.yml:5:19: 172.27.0.5/16 is an address in a subnet, not a subnet",
        ),
        (
            with("subnet: 172.27.0.0/16\n          gateway: 172.28.0.1"),
            "c.yml:6:20: the gateway 172.28.0.1 is outside the subnet 172.27.0.0/16",
        ),
        (
            with("subnet: 172.27.0.0/16\n          gateway: 172.27.255.255"),
            "c.yml:6:20: the gateway 172.27.255.255 is outside the subnet 172.27.0.0/16",
        ),
        (
            with("subnet: 172.27.0.0/16\n          ip_range: 172.28.0.0/24"),
            "c.yml:6:21: the ip_range 172.28.0.0/24 is outside the subnet 172.27.0.0/16",
        ),
        (
            with("gateway: 172.27.0.1"),
            "c.yml:5:20: the gateway 172.27.0.1 has no subnet",
        ),
        (
            format!(
                "{}  b:\n    ipam:\n      config: [{{subnet: 172.27.1.0/24}}]\n",
                with("subnet: 172.27.0.0/16")
            ),
            "c.yml:8:25: the subnet 172.27.1.0/24 overlaps 172.27.0.0/16 of proj_a",
        ),
        (
            "networks:\n  a:\n    name: x/y\n".into(),
            "c.yml:3:11: \"x/y\" cannot be a name",
        ),
        (
            "networks:\n  a: {name: x}\n  b: {name: x}\n".into(),
            "c.yml:3:13: the network name \"x\" is used twice",
        ),
    ] {
        assert_eq!(networks(&source), Err(expected.into()), "{source}");
    }
}

proptest::proptest! {
    #[test]
    fn never_panics(source in ".*") {
        let _ = networks(&source);
    }

    #[test]
    fn never_panics_on_what_looks_like_it(
        source in "(networks|services|  a|    ipam|    networks|x):( \\[?(1|\\$\\{|&a|\\*a|<<|\\{b: c\\}|10.0.0.0/8)\\]?)?\n{1,8}"
    ) {
        let _ = networks(&source);
    }
}
