//! Servers, their names, and files that nobody means to be one.

use super::{said, table};

#[test]
fn servers_in_each_others_way() {
    let two = |rule: &str, one: &str, other: &str| {
        let (one, other) = (
            format!("server {{ {one} }}"),
            format!("server {{ {other} }}"),
        );
        said(
            rule,
            &[("sites-available/a", &one), ("sites-available/b", &other)],
        )
    };
    for (one, other, expected) in [
        (
            "listen 80; server_name x;",
            "listen *:80; server_name y X;",
            "E sites-available/b:1:37: server_name x is already used on 0.0.0.0:80 at sites-available/a:1: nginx ignores this one",
        ),
        (
            "server_name x;",
            "listen 80; server_name x;",
            "server_name x is already used",
        ),
        ("listen 80;", "listen 80;", "a server without a name"),
        (
            "listen 80; server_name .x.org;",
            "listen 80; server_name x.org;",
            "server_name x.org is already used",
        ),
        (
            "listen 80; server_name *.x.org;",
            "listen 80; server_name .x.org;",
            "server_name .x.org is already used",
        ),
        (
            "listen 80; listen [::]:80; server_name x;",
            "listen 80; listen [::]:80; server_name x;",
            "on 0.0.0.0:80 and [::]:80",
        ),
        (
            "listen 8000-8003; server_name x;",
            "listen 8002; server_name x;",
            "0.0.0.0:8002",
        ),
        (
            "listen 80; server_name x;",
            "listen 443 ssl; server_name x;",
            "",
        ),
        (
            "listen 80; server_name x;",
            "listen 127.0.0.1:80; server_name x;",
            "",
        ),
        ("listen 80; server_name x;", "listen 80; server_name y;", ""),
        (
            "listen 80; server_name x;",
            "listen 80; server_name *.x;",
            "",
        ),
        (
            "listen 80; server_name ~^x$;",
            "listen 80; server_name ~^x$;",
            "",
        ),
        (
            "listen 80; server_name x x;",
            "listen 80; server_name $hostname;",
            "",
        ),
        (
            "listen unix:/run/a; server_name x;",
            "listen unix:/run/b; server_name x;",
            "",
        ),
    ] {
        let found = two("nginx-duplicate-server", one, other);
        let fits = match expected {
            "" => found.is_empty(),
            expected => found.len() == 1 && found[0].contains(expected),
        };
        assert!(fits, "{one} {other}: {found:?}");
    }
    let disabled = [
        ("sites-available/a", "server { server_name x; }"),
        ("sites-available/b", "server { server_name x; }"),
        ("watchme.toml", "[site.b]\nenabled = false\n"),
    ];
    assert_eq!(said("nginx-duplicate-server", &disabled), [""; 0]);
    let defaults = two(
        "nginx-duplicate-default-server",
        "listen 80 default_server;",
        "listen *:80 default;",
    );
    assert_eq!(
        defaults,
        [
            "E sites-available/b:1:10: 0.0.0.0:80 has its default server at sites-available/a:1 already: nginx refuses it"
        ]
    );
    let other = two(
        "nginx-duplicate-default-server",
        "listen 80 default_server;",
        "listen [::]:80 default_server;",
    );
    assert_eq!(other, [""; 0]);
    table(
        "nginx-duplicate-listen",
        &[
            ("listen 0.0.0.0:80;", "0.0.0.0:80 twice"),
            ("listen [::]:80; listen 443; listen 127.0.0.1:80;", ""),
        ],
    );
    let site = |name: &str, listen: &str| {
        format!("server {{ listen {listen}; server_name {name}; return 204; }}")
    };
    let of = |one: &str, other: &str| {
        let (one, other) = (site("a.example.com", one), site("b.example.com", other));
        let files = [
            ("sites-available/a", one.as_str()),
            ("sites-available/b", other.as_str()),
        ];
        said("nginx-duplicate-listen", &files)
    };
    assert_eq!(
        of("80 reuseport", "80 reuseport"),
        [
            "E sites-available/b:1:10: the options of 0.0.0.0:80 are set at sites-available/a:1 already: nginx refuses it"
        ]
    );
    assert_eq!(of("80 reuseport", "80"), [""; 0]);
    assert_eq!(of("80 default_server", "80 proxy_protocol"), [""; 0]);
}

#[test]
fn names_and_ports_that_nobody_means() {
    table(
        "nginx-server-name-unmatchable",
        &[
            (
                "server_name https://api.x.org/;",
                "E sites-available/a:2:13: no request has the name https://api.x.org/",
            ),
            (
                "server_name api.x.org:8080;",
                "no request has the name api.x.org:8080",
            ),
            ("server_name api.x.org ~^[a-z]+:/$;", ""),
        ],
    );
    table(
        "nginx-443-without-ssl",
        &[
            (
                "listen 443;",
                "E sites-available/a:2:1: no server that listens on 0.0.0.0:443 says ssl",
            ),
            ("listen [::]:443 ipv6only=on;", "[::]:443"),
            ("listen 443 ssl;", ""),
            ("listen 443 ssl http2; listen [::]:443 ssl;", ""),
            ("listen 443; ssl on;", ""),
            ("listen 443; include snippets/ssl.conf;", ""),
            ("listen 8443;", ""),
        ],
    );
    let shared = [
        ("sites-available/a", "server { listen 443; server_name a; }"),
        (
            "sites-available/b",
            "server { listen 443 ssl; server_name b; }",
        ),
    ];
    assert_eq!(said("nginx-443-without-ssl", &shared), [""; 0]);
}
