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
}

#[test]
fn names_that_match_too_much() {
    table(
        "nginx-server-name-regex",
        &[
            (
                "server_name ~api\\.x\\.org;",
                "W sites-available/a:2:13: the server name ~api\\.x\\.org has no ^ and $ around it",
            ),
            ("server_name ~^api\\.x\\.org;", "has no $ at its end"),
            (
                "server_name ~^api.x.org$;",
                "a dot in the server name ~^api.x.org$ is not escaped",
            ),
            ("server_name ~^(?<sub>.+)\\.x\\.org$;", ""),
            ("server_name ~^[a.b]+\\.x\\.org$;", ""),
            ("server_name ~^(www\\.)?(?<domain>.*)$ ~.;", ""),
            ("server_name api.x.org *.x.org .y.org www.*;", ""),
        ],
    );
}

#[test]
fn copies_that_are_loaded() {
    let server = |name: &str| format!("server {{ server_name {name}; }}");
    let found = |files: &[(&str, &str)]| said("nginx-backup-included", files);
    let (a, b) = (server("a"), server("b"));
    for name in [
        "a.orig",
        "a.old",
        "a.20250828_101500",
        "a.dpkg-old",
        "a.save",
    ] {
        let path = format!("sites-available/{name}");
        let said = found(&[("sites-available/a", &a), (&path, &b)]);
        assert!(
            said.len() == 1 && said[0].starts_with("E "),
            "{name}: {said:?}"
        );
    }
    for name in ["a.bak", "a~", "a.backup.20250828_101500"] {
        let path = format!("sites-available/{name}");
        let said = found(&[("sites-available/a", &a), (&path, "server {")]);
        assert!(
            said.len() == 1 && said[0].starts_with("W "),
            "{name}: {said:?}"
        );
    }
    for name in [
        "a.example.org",
        "api.v2",
        "README.md",
        "2025.example.org",
        "old.example.org",
    ] {
        let path = format!("sites-available/{name}");
        assert_eq!(found(&[(&path, &b)]), [""; 0], "{name}");
    }
    let main = "http { include conf.d/*; include sites-enabled/*; }";
    let copy = ("etc/nginx/conf.d/x.conf.old", "gzip on;");
    assert_eq!(found(&[copy]), [""; 0], "Debian's nginx.conf takes *.conf");
    assert_eq!(found(&[copy, ("etc/nginx/nginx.conf", main)]).len(), 1);
    let left_out = ("etc/nginx/conf.d/x.conf.bak", "gzip on;");
    let said = found(&[left_out, ("etc/nginx/nginx.conf", main)]);
    assert!(said.len() == 1 && said[0].starts_with("W "), "{said:?}");
    let debian = ("etc/nginx/conf.d/y.conf", "gzip on;");
    assert_eq!(
        found(&[left_out, debian, ("sites-available/a", &a)]),
        [""; 0]
    );
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
                "E sites-available/a:2:1: nobody who listens on 0.0.0.0:443 says ssl",
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

#[test]
fn servers_that_speak_tls_have_a_certificate() {
    const RULE: &str = "nginx-no-certificate";
    const PAIR: &str = "ssl_certificate /c.pem; ssl_certificate_key /k.pem;";
    let found = |inside: &str, more: &[(&str, &str)]| {
        let text = format!("server {{ server_name a.test; {inside} return 204; }}");
        let mut files = vec![("sites-available/a", text.as_str())];
        files.extend(more);
        said(RULE, &files)
    };
    assert_eq!(
        found("listen 443 ssl;", &[]),
        [
            "E sites-available/a:1:30: this server speaks TLS and has no ssl_certificate: nginx refuses it"
        ]
    );
    assert_eq!(
        found("listen 443 ssl; ssl_certificate /c.pem;", &[]),
        [
            "E sites-available/a:1:30: this server speaks TLS and has no ssl_certificate_key: nginx refuses it"
        ]
    );
    for inside in [
        format!("listen 443 ssl; {PAIR}"),
        "listen 443 ssl; ssl_reject_handshake on;".to_owned(),
        "listen 443 ssl; include snippets/tls.conf;".to_owned(),
        "listen 443;".to_owned(),
    ] {
        assert_eq!(found(&inside, &[]), [""; 0], "{inside}");
    }
    let around = ("etc/nginx/conf.d/tls.conf", PAIR);
    assert_eq!(found("listen 443 ssl;", &[around]), [""; 0]);
}

/// TCP and QUIC do not meet at one port.
#[test]
fn quic_beside_tcp() {
    let quic = "server { listen 443 ssl; listen 443 quic reuseport; ssl_certificate /c; ssl_certificate_key /k; return 204; }";
    let found = said("nginx-duplicate-listen", &[("sites-available/a", quic)]);
    assert_eq!(found, [""; 0]);
    let twice = quic.replace("443 ssl;", "443 quic;");
    let found = said("nginx-duplicate-listen", &[("sites-available/a", &twice)]);
    assert_eq!(found.len(), 1, "{found:?}");
}
