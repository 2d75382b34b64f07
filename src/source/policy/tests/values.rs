//! How values are written.

use std::path::Path;

use crate::model::{Target, Transport, Version};
use crate::source::policy::parse;
use crate::source::policy::values::{Duration, Mode, Owner, PackageName, PortRange, Text};

#[test]
fn values_are_read() {
    let milliseconds = |text| Duration::read(text).map(|time| time.as_millis());
    for (text, expected) in [
        ("90s", 90_000),
        ("15m", 900_000),
        ("1h30m", 5_400_000),
        ("1h 30min", 5_400_000),
        ("1 hour 30 minutes", 5_400_000),
        (" 250ms ", 250),
        ("0s", 0),
        ("24h", 86_400_000),
        ("1d", 86_400_000),
    ] {
        assert_eq!(milliseconds(text), Some(expected), "{text}");
    }
    for wrong in [
        "",
        "5",
        "5x",
        "m",
        "-5s",
        "5s ago",
        "99999999999999999999s",
        "é",
        "25h",
        "99999999999999d",
        "18446744073709551615s",
        "1mo",
    ] {
        assert_eq!(milliseconds(wrong), None, "{wrong}");
    }
    let range = |text| PortRange::read(text).map(|range| (*range.start(), *range.end()));
    assert_eq!(range("8001-8099"), Some((8001, 8099)));
    assert_eq!(range("8000"), Some((8000, 8000)));
    assert_eq!(
        (range("9-8"), range("0"), range("70000")),
        (None, None, None)
    );
    assert_eq!(Mode::read("0644").map(|mode| *mode), Some(0o644));
    assert_eq!(Mode::read("888"), None);
    assert_eq!(
        Owner::read("root").as_deref().map(String::as_str),
        Some("root:root")
    );
    assert_eq!(Owner::read("a:b:c"), None);
}

#[test]
fn names_of_packages() {
    for (text, usable) in [
        ("nginx", true),
        ("g++", true),
        ("libstdc++6", true),
        ("postgresql-client-16=16.4-1.pgdg120+2", true),
        ("redis-server=5:7.0.15-1~deb12u5", true),
        ("0ad", true),
        ("a", false),
        ("nginx-", false),
        ("nginx:i386", false),
        ("nginx/backports", false),
        ("nginx=", false),
        ("nginx=v1", false),
        ("nginx*", false),
        ("nginx redis", false),
        ("--purge", false),
        ("./nginx.deb", false),
        ("", false),
    ] {
        assert_eq!(PackageName::read(text).is_some(), usable, "{text}");
    }
}

#[test]
fn what_a_firewall_says() {
    let source = "[firewall.sources]\nvpn = [\"100.64.0.0/10\", \"fd7a:115c:a1e0::/48\"]\nlan = [\"192.168.0.0/16\"]\n\
                  [firewall.allow]\n22 = [\"vpn\", \"203.0.113.7\"]\n\"53/udp\" = [\"lan\"]\n80 = [\"world\"]\n5432 = []\n";
    let firewall = parse(Path::new("watchme.toml"), source).unwrap().firewall();
    let firewall = firewall.unwrap().unwrap();
    let lets_in =
        |transport, port, from: &str| firewall.lets_in(transport, port, from.parse().unwrap());
    for (transport, port, from, expected) in [
        (Transport::Tcp, 22, "100.64.0.5", true),
        (Transport::Tcp, 22, "100.63.255.255", false),
        (Transport::Tcp, 22, "fd7a:115c:a1e0::5", true),
        (Transport::Tcp, 22, "203.0.113.7", true),
        (Transport::Tcp, 22, "203.0.113.8", false),
        (Transport::Udp, 53, "192.168.7.5", true),
        (Transport::Tcp, 53, "192.168.7.5", false),
        (Transport::Tcp, 80, "2001:db8::1", true),
        (Transport::Tcp, 5432, "192.168.7.5", false),
        (Transport::Tcp, 9, "192.168.7.5", false),
    ] {
        assert_eq!(lets_in(transport, port, from), expected, "{port} {from}");
    }
    assert!(firewall.trusts("docker0") && firewall.trusts("br-0a1b") && !firewall.trusts("eth0"));
    let none = parse(Path::new("watchme.toml"), "").unwrap().firewall();
    assert_eq!(none.unwrap(), None);
}

proptest::proptest! {
    #[test]
    fn never_panics(text in ".*") {
        let _ = (Duration::read(&text), PortRange::read(&text), Mode::read(&text), Owner::read(&text));
    }
}

#[test]
fn versions_of_the_host_are_read() {
    let target = |table: &str| {
        let read = parse(Path::new("watchme.toml"), &format!("[host]\n{table}"));
        read.map(|policy| Target::from(&policy.host))
            .map_err(|wrong| format!("{wrong}, {}", wrong.expected))
    };
    let stated =
        target("nginx = \"1.22\"\nsystemd = 252\ncompose = 1\ndocker = \"20.10.24\"").unwrap();
    let version = |text| Version::read(text);
    assert_eq!(
        stated,
        Target {
            nginx: version("1.22"),
            systemd: version("252"),
            compose: version("1.29"),
            docker: version("20.10.24"),
        }
    );
    assert_eq!(target("").unwrap(), Target::default());
    for (table, expected) in [
        (
            "nginx = 1.22",
            "watchme.toml:2:9: invalid type: floating point `1.22`, expected a version in quotes such as \"1.22\"",
        ),
        (
            "nginx = \"bookworm\"",
            "watchme.toml:2:9: \"bookworm\" cannot be used here, expected a version in quotes such as \"1.22\"",
        ),
        (
            "nginx = \"0.1\"",
            "watchme.toml:2:9: nginx 0.1 is older than all that are known here, expected one of the versions that are known: nginx 1.18 to 1.31",
        ),
        (
            "nginx = 28",
            "watchme.toml:2:9: there is no nginx 28, expected one of the versions that are known: nginx 1.18 to 1.31",
        ),
        (
            "systemd = 1",
            "watchme.toml:2:11: systemd 1 is older than all that are known here, expected one of the versions that are known: systemd 249 to 258",
        ),
        (
            "systemd = \"25200\"",
            "watchme.toml:2:11: there is no systemd 25200, expected one of the versions that are known: systemd 249 to 258",
        ),
        (
            "docker = \"1.13\"",
            "watchme.toml:2:10: Docker 1.13 is older than all that are known here, expected one of the versions that are known: Docker 20.10 and later",
        ),
        (
            "docker = 2010",
            "watchme.toml:2:10: there is no Docker 2010, expected one of the versions that are known: Docker 20.10 and later",
        ),
        (
            "compose = 3",
            "watchme.toml:2:11: 3 cannot be used here, expected 1 or 2",
        ),
        (
            "podman = 4",
            "watchme.toml:2:1: unknown key \"podman\", the keys here are nginx, systemd, compose, docker",
        ),
    ] {
        assert_eq!(target(table), Err(expected.to_owned()), "{table}");
    }
}
