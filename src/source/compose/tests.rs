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
            "c.yml:5:19: \"172.27.0.0\" is no subnet",
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

#[test]
fn syntax_errors_have_their_place() {
    for (source, expected) in [
        (
            "services:\n  a: [\n",
            "c.yml:3:1: did not find expected node content",
        ),
        (
            "services:\n  - a\n",
            "c.yml:2:3: services: invalid type: sequence",
        ),
        ("services:\n  a:\n    ports: 1\n", "c.yml:3:12: "),
        (
            "a: 1\nb: 2\na: 3\n",
            "c.yml:3:1: duplicate entry with key \"a\"",
        ),
        ("- a\n", "c.yml:1:1: this is no compose file"),
        (
            "services:\n  a:\n    image: ${\n",
            "c.yml:3:12: the variable in \"${\" cannot be read",
        ),
    ] {
        let error = document(source).err().unwrap_or_default();
        assert!(
            error.starts_with(expected),
            "{source}: {error} / {expected}"
        );
    }
    assert!(document("").unwrap().compose.services.is_empty());
    assert!(document("services:\nnetworks:\n").is_ok());
}

#[test]
fn services_are_read_in_all_forms() {
    let compose = document(
        "services:\n  a:\n    ports: [\"127.0.0.1:8015:80\", 3000, \"8001-8003:1-3/udp\", \"[::1]:9:9\", {published: \"70\", target: 7}]\n    env_file: [.env, {path: b.env}]\n    networks:\n      n: {ipv4_address: 10.0.0.1, aliases: [x]}\n      m:\n  b:\n    env_file: c.env\n    networks: [n]\n",
    )
    .unwrap()
    .compose;
    let a = &compose.services["a"];
    assert_eq!(
        a.host_ports().into_iter().collect::<Vec<_>>(),
        [9, 70, 8001, 8002, 8003, 8015]
    );
    assert_eq!(a.env_files(), [".env", "b.env"]);
    let entries = a.networks.entries();
    assert_eq!((entries[0].0, entries[0].1.is_none()), ("m", true));
    assert_eq!(
        entries[1].1.and_then(|at| at.ipv4_address.as_deref()),
        Some("10.0.0.1")
    );
    assert_eq!(compose.services["b"].env_files(), ["c.env"]);
}

#[test]
fn later_files_lie_over_earlier_ones() {
    let mut base = document("a: {b: 1, c: [1]}\nd: 1\nservices: {s: {dns: [1]}}\n")
        .unwrap()
        .value;
    overlay(
        &mut base,
        document("a: {b: 2, c: [2], e: 3}\nd:\nservices: {s: {dns: 2}, t: {}}\n")
            .unwrap()
            .value,
    );
    let expected: Value = serde_yaml::from_str(
        "a: {b: 2, c: [2], e: 3}\nd: 1\nservices: {s: {dns: [1, 2]}, t: {}}\n",
    )
    .unwrap();
    assert_eq!(base, expected);
}

#[test]
fn project_names_are_as_compose_makes_them() {
    for (folder, expected) in [
        ("Watch.Me Docker", "watchmedocker"),
        ("api_v1-x", "api_v1-x"),
        ("日本", "default"),
    ] {
        assert_eq!(project_name(folder), expected);
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
