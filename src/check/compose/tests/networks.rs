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
fn members_are_on_their_network() {
    let infra = (
        "docker-compose.infra.yml",
        "networks: {shared: {name: shared}}\n",
    );
    let policy = "checkout = \"/srv/c\"\n[[network.shared.member]]\ncontainer = \"s-prod\"\n[[network.shared.member]]\nproject = \"p\"\nservice = \"w\"\n";
    let missing = |files: &[(&str, &str)]| {
        let mut all = vec![("watchme.toml", policy), infra];
        all.extend(files);
        let found = found(&all);
        let own = found
            .iter()
            .filter_map(|one| one.strip_prefix("compose-network-missing "));
        own.map(|one| one.split(": ").next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let service = |service: &str, networks: &str| {
        format!("services:\n  s: {{image: 'x:1', container_name: s-prod{service}}}\n{networks}\n")
    };
    let external = "networks: {shared: {external: true}}";
    for (more, networks, expected) in [
        ("", "", Some("p/docker-compose.yml:2:3")),
        ("", external, Some("p/docker-compose.yml:2:3")),
        (", networks: ", external, Some("p/docker-compose.yml:2:3")),
        (
            ", networks: [own]",
            "networks: {own: {}}",
            Some("p/docker-compose.yml:2:3"),
        ),
        (
            ", network_mode: host",
            "",
            Some("p/docker-compose.yml:2:59"),
        ),
        (", networks: [shared]", external, None),
        (", networks: {shared: {aliases: [x]}}", external, None),
        (
            ", networks: [n]",
            "networks: {n: {external: true, name: shared}}",
            None,
        ),
        (
            "",
            "networks: {default: {external: true, name: shared}}",
            None,
        ),
        // Others complain about these.
        (", networks: [shared]", "", None),
        (", networks: [shared]", "networks: {shared: {}}", None),
        (", networks: shared", external, None),
        (", network_mode: shared", "", None),
        (", network_mode: 'container:x'", "", None),
    ] {
        let found = missing(&[("p/docker-compose.yml", &service(more, networks))]);
        assert_eq!(
            found.first().map(String::as_str),
            expected,
            "{more} {networks}"
        );
    }
    let bare = service("", "");
    let whole = service(", networks: [shared]", external);
    let prod = UNIT.replace("NAME", "p/prod");
    let both = UNIT.replace("NAME.yml", "p/prod.yml -f /srv/c/p/net.yml");
    let gone = UNIT.replace("NAME.yml", "p/prod.yml -f /srv/other.yml");
    let net = format!("services: {{s: {{networks: [shared]}}}}\n{external}\n");
    for (unit, prod, beside, expected) in [
        (
            &prod,
            &bare,
            ("p/docker-compose.yml", &whole),
            &["p/prod.yml:2:3"][..],
        ),
        (&prod, &whole, ("p/docker-compose.yml", &bare), &[]),
        (&both, &bare, ("p/net.yml", &net), &[]),
        (&gone, &bare, ("p/net.yml", &net), &[]),
    ] {
        let beside = (beside.0, beside.1.as_str());
        let files = [
            ("systemd/a.service", unit.as_str()),
            ("p/prod.yml", prod),
            beside,
        ];
        assert_eq!(missing(&files), expected, "{unit} {prod}");
    }
    let worker = "services:\n  w: {image: 'x:1'}\n";
    assert_eq!(
        missing(&[("p/docker-compose.yml", worker)]),
        ["p/docker-compose.yml:2:3"]
    );
    assert_eq!(missing(&[("q/docker-compose.yml", worker)]), NONE);
}

#[test]
fn addresses_are_judged_across_stacks() {
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

#[test]
fn calls_to_other_containers_go_by_name() {
    let with = |url: &str, more: &str| {
        let compose = format!(
            "services:\n  a:\n    image: x:1\n    environment: [\"URL={url}\"]\n{more}  b:\n    image: x:1\n    ports: ['127.0.0.1:8015:80']\n"
        );
        one(&compose).len()
    };
    assert_eq!(with("http://localhost:8015/x", ""), 1);
    assert_eq!(with("http://host.docker.internal:8015/x", ""), 1);
    for (url, more) in [
        ("http://b/x", ""),
        ("http://localhost:9999/x", ""),
        ("http://localhost:8015/x", "    network_mode: host\n"),
        (
            "http://localhost:8015/x",
            "    ports: ['127.0.0.1:8020:8015']\n",
        ),
    ] {
        assert_eq!(with(url, more), 0, "{url} {more}");
    }
    // Inside a project, too, where nobody publishes the port.
    let inside = |url: &str, cache: &str| {
        one(&format!(
            "services:\n  a:\n    image: x:1\n    environment: [\"URL={url}\"]\n  cache: {cache}\n"
        ))
    };
    assert_eq!(
        inside("redis://localhost:6379/0", "{image: 'redis:7'}"),
        [
            "compose-calls-localhost a.yml:4:20: URL of service a calls localhost:6379, which is cache in another container"
        ]
    );
    assert_eq!(inside("redis://cache:6379/0", "{image: 'redis:7'}"), NONE);
    assert_eq!(
        inside("http://localhost:9000/", "{image: 'y:1', expose: [9000]}").len(),
        1
    );
    assert_eq!(inside("http://localhost:9000/", "{image: 'y:1'}"), NONE);
}
