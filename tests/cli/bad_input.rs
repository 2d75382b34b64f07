//! Bad input gets a clear error and changes nothing.

use std::fs;

use crate::support::{Place, STATE, shows};

/// A file of the checkout, and what a person has to be told.
struct Case {
    path: &'static str,
    content: &'static str,
    told: &'static [&'static str],
}

/// Runs each case against a host that has [`STATE`] applied, and collects what is said.
fn refused(cases: &[Case]) -> String {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let mut said = String::new();
    for case in cases {
        let before = fs::read_to_string(place.checkout().join(case.path)).ok();
        place.write(&[(case.path, case.content)]);
        place.commit("A mistake");
        let text = untouched(&place, case.told);
        said.push_str(&format!("== {}\n{text}\n", case.path));
        match &before {
            Some(before) => place.write(&[(case.path, before)]),
            None => place.remove(&[case.path]),
        }
        place.commit("Take it back");
    }
    place.run(&["plan", "--detailed-exitcode"]).expect(0);
    said
}

/// `plan` and `apply` fail alike, tell what they have to, and change nothing.
#[track_caller]
pub(crate) fn untouched(place: &Place, told: &[&str]) -> String {
    let before = place.host();
    let plan = place.run(&["plan"]).expect(1);
    let apply = place.run(&["apply"]).expect(1);
    assert_eq!(place.host(), before, "nothing was changed");
    assert_eq!(plan.stderr, apply.stderr);
    assert_eq!((plan.stdout.as_str(), apply.stdout.as_str()), ("", ""));
    for words in told {
        assert!(
            apply.stderr.contains(words),
            "no {words:?} in\n{}",
            apply.stderr
        );
    }
    apply.stderr
}

#[test]
fn nginx_syntax() {
    let cases = [
        Case {
            path: "sites-available/a",
            content: "server {\n    listen 80;\n    server_name a.example.com\n}\n",
            told: &["sites-available/a:", "server_name a.example.com", ";"],
        },
        Case {
            path: "sites-available/a",
            content: "server {\n    location / {\n        return 204;\n    }\n",
            told: &["sites-available/a:", "}"],
        },
        Case {
            path: "sites-available/a",
            content: "server {\n    listen 80;\n}\n}\n",
            told: &["sites-available/a:4:1", "}"],
        },
        Case {
            path: "sites-available/a",
            content: "server {\n    add_header X-Name \"never closed;\n}\n",
            told: &["sites-available/a:2:", "add_header X-Name \"never closed;"],
        },
    ];
    shows!("nginx_syntax", refused(&cases));
}

#[test]
fn unit_syntax() {
    let unit = |content| Case {
        path: "systemd/a.service",
        content,
        told: &["systemd/a.service:"],
    };
    let cases = [
        unit("[Unit]\nDescription=A\n\n[Service\nExecStart=/bin/true\n"),
        Case {
            path: "systemd/hello.service.d/limits.conf",
            content: "[Service]\nMemoryMax=1M\n[Install\n",
            told: &["systemd/hello.service.d/limits.conf:3:1", "[Install"],
        },
        Case {
            path: "systemd/notes.txt",
            content: "Not a unit.\n",
            told: &["systemd/notes.txt", "unit"],
        },
    ];
    shows!("unit_syntax", refused(&cases));
}

#[test]
fn toml_syntax_and_unknown_keys() {
    let toml = |content, told| Case {
        path: "watchme.toml",
        content,
        told,
    };
    let cases = [
        toml("absent = [\"sites-enabled/default\"\n", &["watchme.toml:"]),
        toml(
            "absent = \"sites-enabled/default\"\n",
            &["watchme.toml:1:", "absent = "],
        ),
        toml(
            "absnt = []\n",
            &["watchme.toml:1:1", "absnt = []", "did you mean absent?"],
        ),
        toml(
            "[unit.\"hello.service\"]\nstart = true\non_chnage = \"reload\"\n",
            &["watchme.toml:3:1", "on_chnage", "did you mean on_change?"],
        ),
        toml(
            "[unit.\"hello.service\"]\non_change = \"bounce\"\n",
            &["watchme.toml:2:", "bounce", "restart", "reload", "none"],
        ),
        toml(
            "[unit.\"helo.service\"]\nstart = true\n",
            &["watchme.toml:1:", "did you mean hello.service?"],
        ),
        toml(
            "[site.\"api.example.org\"]\nenabled = false\n",
            &["watchme.toml:1:", "did you mean api.example.com?"],
        ),
        toml(
            "[unit.\"hello.service\"]\nstart_timeout = \"soon\"\n",
            &["watchme.toml:2:", "soon", "expected"],
        ),
        toml(
            "[ports]\nallowed = [\"8000-90000\"]\n",
            &["watchme.toml:2:", "8000-90000", "expected"],
        ),
        toml(
            "[budget]\nmemory = \"lots\"\n",
            &["watchme.toml:2:", "lots", "expected"],
        ),
        toml(
            "[etc.\"logrotate.d/hello\"]\nmode = \"rw-r--r--\"\n",
            &["watchme.toml:2:", "rw-r--r--", "expected"],
        ),
        toml(
            "absent = [\"/etc/passwd\"]\n",
            &["watchme.toml:1:", "/etc/passwd", "expected"],
        ),
    ];
    shows!("toml_syntax_and_unknown_keys", refused(&cases));
}

#[test]
fn yaml_syntax() {
    let yaml = |content, told| Case {
        path: "docker-compose.infra.yml",
        content,
        told,
    };
    let cases = [
        yaml(
            "networks:\n  shop:\n    name: shop\n   driver: bridge\n",
            &["docker-compose.infra.yml:4:"],
        ),
        yaml("networks:\n\tshop:\n", &["docker-compose.infra.yml:2:"]),
        yaml("networks: [shop\n", &["docker-compose.infra.yml:"]),
        yaml(
            "networks:\n  shop: 12\n",
            &["docker-compose.infra.yml:2:", "shop: 12"],
        ),
        yaml("- networks\n", &["docker-compose.infra.yml:1:"]),
    ];
    shows!("yaml_syntax", refused(&cases));
}

#[test]
fn addresses_and_networks() {
    let infra = |content, told| Case {
        path: "docker-compose.infra.yml",
        content,
        told,
    };
    let cases = [
        infra(
            "networks:\n  shop:\n    name: shop\n    ipam:\n      config:\n        - subnet: 172.30.0.0/33\n",
            &[
                "docker-compose.infra.yml:6:",
                "- subnet: 172.30.0.0/33",
                "not a valid subnet",
            ],
        ),
        infra(
            "networks:\n  shop:\n    name: shop\n    ipam:\n      config:\n        - subnet: 172.30.0.7/16\n",
            &["docker-compose.infra.yml:6:", "expected 172.30.0.0/16"],
        ),
        infra(
            "networks:\n  shop:\n    name: shop\n    ipam:\n      config:\n        - subnet: 172.30.0.0/16\n          gateway: 172.31.0.1\n",
            &[
                "docker-compose.infra.yml:7:",
                "172.31.0.1",
                "outside",
                "172.30.0.0/16",
            ],
        ),
        infra(
            "networks:\n  shop:\n    name: shop\n    ipam:\n      config:\n        - subnet: 172.30.0.0/16\n  till:\n    name: till\n    ipam:\n      config:\n        - subnet: 172.30.5.0/24\n",
            &[
                "docker-compose.infra.yml:11:",
                "172.30.5.0/24",
                "overlaps 172.30.0.0/16 of shop",
            ],
        ),
        infra(
            "networks:\n  shop:\n    name: two words\n",
            &["docker-compose.infra.yml:3:", "two words"],
        ),
    ];
    shows!("addresses_and_networks", refused(&cases));
}

const SHOP: (&str, &str) = (
    "docker-compose.infra.yml",
    "networks:\n  shop:\n    name: shop\n    ipam:\n      config:\n        - subnet: 172.30.0.0/24\n          gateway: 172.30.0.1\n",
);

#[test]
fn addresses_of_members() {
    let mut said = String::new();
    for (members, told) in [
        (
            "[[network.shop.member]]\ncontainer = \"a\"\naddress = \"172.31.0.2\"\n",
            &["watchme.toml:3:", "outside the subnet 172.30.0.0/24"][..],
        ),
        (
            "[[network.shop.member]]\ncontainer = \"a\"\naddress = \"172.30.0.255\"\n",
            &["watchme.toml:3:", "172.30.0.255"],
        ),
        (
            "[[network.shop.member]]\ncontainer = \"a\"\naddress = \"172.30.0.1\"\n",
            &["watchme.toml:3:", "given twice", "gateway"],
        ),
        (
            "[[network.shop.member]]\ncontainer = \"a\"\naddress = \"172.30.0.2\"\n\n[[network.shop.member]]\ncontainer = \"b\"\naddress = \"172.30.0.2\"\n",
            &[
                "watchme.toml:7:",
                "172.30.0.2",
                "given twice",
                "to a and to b",
            ],
        ),
        (
            "[[network.shop.member]]\ncontainer = \"a\"\naddress = \"172.30.0\"\n",
            &["watchme.toml:3:", "172.30.0", "expected"],
        ),
        (
            "[[network.shop.member]]\naddress = \"172.30.0.2\"\n",
            &["watchme.toml:1:", "container"],
        ),
        (
            "[network.shopp]\nowner = \"shop.service\"\n",
            &["watchme.toml:1:", "did you mean shop?"],
        ),
    ] {
        let place = Place::git(&[SHOP, ("watchme.toml", members)]);
        said.push_str(&format!("== {members}{}\n", untouched(&place, told)));
    }
    shows!("addresses_of_members", said);
}
