//! Rules that look at what runs behind nginx: container names, ports, time.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{HEADERS, said};
use crate::check::Subject;
use crate::source::{Checkout, Which};

const UNIT: &str = "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/s/compose/api/docker-compose.yml up\n\
    [Install]\nWantedBy=multi-user.target\n";

/// A site that passes requests on to `pass`, and a stack with `service` as its only service.
fn behind(rule: &str, pass: &str, service: &str, more: &[(&str, &str)]) -> Vec<String> {
    let site = format!("server {{ location / {{ proxy_pass {pass}; {HEADERS} }} }}");
    let compose = format!("services:\n  api:\n{service}");
    let mut files = vec![
        ("sites-available/a", site.as_str()),
        ("systemd/api.service", UNIT),
        ("compose/api/docker-compose.yml", compose.as_str()),
    ];
    if !more.iter().any(|(path, _)| *path == "watchme.toml") {
        files.push(("watchme.toml", "checkout = \"/srv/s\"\n"));
    }
    files.extend(more);
    said(rule, &files)
}

const LOOPBACK: &str = "    container_name: the-api\n    ports: ['127.0.0.1:8001:80']\n";

#[test]
fn names_that_only_containers_know() {
    let found = |pass: &str, more: &[(&str, &str)]| {
        behind("nginx-container-upstream", pass, LOOPBACK, more)
    };
    for (pass, expected) in [
        (
            "http://api:80/",
            "E sites-available/a:1:34: api is the name of a container",
        ),
        (
            "http://the-api",
            "E sites-available/a:1:34: the-api is the name of a container",
        ),
        (
            "http://host.docker.internal:8001",
            "E sites-available/a:1:34: only containers know host.docker.internal",
        ),
        (
            "http://nowhere:8001",
            "W sites-available/a:1:34: nowhere is not a DNS name",
        ),
    ] {
        let said = found(pass, &[]);
        assert!(
            said.len() == 1 && said[0].contains(expected),
            "{pass}: {said:?}"
        );
    }
    for pass in [
        "http://localhost:8001",
        "http://127.0.0.1:8001",
        "http://[::1]:8001",
        "http://172.27.0.3:80",
        "http://api.example.org",
        "http://elsewhere",
        "http://$api:80",
        "http://unix:/run/api.sock",
    ] {
        assert_eq!(found(pass, &[]), [""; 0], "{pass}");
    }
    let named = ("etc/hosts", "127.0.0.1 localhost\n10.0.0.7 nowhere\n");
    assert_eq!(found("http://nowhere:8001", &[named]), [""; 0]);
    let group = |server: &str| {
        format!(
            "upstream api {{ server {server}; }}\nserver {{ listen 81; location / {{ proxy_pass http://api; }} location /x {{ proxy_pass http://api; }} }}"
        )
    };
    let (good, bad) = (group("localhost:8001"), group("api:80"));
    assert_eq!(
        found("http://api", &[("sites-available/g", &good)]),
        [""; 0]
    );
    let said = found("http://api", &[("sites-available/g", &bad)]);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("E sites-available/g:1:23"), "{said:?}");
}

#[test]
fn ports_that_nothing_publishes() {
    let found = |pass: &str, service: &str, more: &[(&str, &str)]| {
        behind("nginx-port-unpublished", pass, service, more)
    };
    let bad = found("http://localhost:8002/", LOOPBACK, &[]);
    assert_eq!(
        bad,
        [
            "E sites-available/a:1:23: nginx passes requests to port 8002, and nothing here publishes it"
        ]
    );
    let group = (
        "sites-available/g",
        "upstream g { server 127.0.0.1:8001; server 127.0.0.1:8002; }",
    );
    assert_eq!(found("http://g", LOOPBACK, &[group]).len(), 1, "in a group");
    for (pass, service, more) in [
        ("http://localhost:8001/", LOOPBACK, None),
        (
            "http://localhost:8005/",
            "    ports: ['8000-8009:8000-8009']\n",
            None,
        ),
        ("http://localhost:8002/", "    network_mode: host\n", None),
        (
            "http://localhost:8002/",
            "    ports: ['${PORT}:80']\n",
            None,
        ),
        ("http://10.0.0.7:8002/", LOOPBACK, None),
        ("http://$name:8002/", LOOPBACK, None),
        (
            "http://localhost:3000/",
            LOOPBACK,
            Some((
                "systemd/ui.service",
                "[Service]\nExecStart=/usr/bin/ui --port=3000\n",
            )),
        ),
        (
            "http://localhost:3000/",
            LOOPBACK,
            Some(("etc/ui/ui.ini", "http_port = 3000\n")),
        ),
        (
            "http://localhost:3000/",
            LOOPBACK,
            Some((
                "systemd/ui.socket",
                "[Socket]\nListenStream=127.0.0.1:3000\n",
            )),
        ),
        (
            "http://localhost:8002/",
            LOOPBACK,
            Some((
                "systemd/x.service",
                "[Service]\nExecStart=/usr/bin/docker start x\n",
            )),
        ),
        (
            "http://localhost:8002/",
            LOOPBACK,
            Some((
                "systemd/x.service",
                "[Service]\nExecStart=/usr/bin/docker-compose -f /opt/x/docker-compose.yml up\n",
            )),
        ),
        (
            "http://localhost:8002/",
            LOOPBACK,
            Some(("sites-available/own", "server { listen 127.0.0.1:8002; }")),
        ),
    ] {
        let more: Vec<_> = more.into_iter().collect();
        assert_eq!(
            found(pass, service, &more),
            [""; 0],
            "{pass} {service} {more:?}"
        );
    }
    for more in [
        (
            "watchme.toml",
            "checkout = \"/srv/s\"\n[ports]\nallowed = [\"8000-8001\"]\n",
        ),
        ("systemd/ui.service", "[Service]\nExecStart=/usr/bin/ui\n"),
    ] {
        let found = found("http://localhost:8002/", LOOPBACK, &[more]);
        assert!(found.len() == 1 && found[0].starts_with("W "), "{found:?}");
    }
    let without = said(
        "nginx-port-unpublished",
        &[(
            "sites-available/a",
            "server { location / { proxy_pass http://localhost:3000; } }",
        )],
    );
    assert_eq!(without, [""; 0], "where nothing is known of containers");
}

#[test]
fn ports_that_nothing_proxies() {
    let found = |service: &str| behind("port-unproxied", "http://localhost:8001/", service, &[]);
    assert_eq!(
        found("    ports:\n      - \"8002:80\"\n"),
        [
            "W compose/api/docker-compose.yml:4:10: api publishes port 8002 to the network, and no site proxies it"
        ]
    );
    assert_eq!(
        found("    ports: [{target: 80, published: 8002}]\n").len(),
        1
    );
    assert_eq!(found("    ports: ['10.0.0.7:8002:80']\n").len(), 1);
    for service in [
        "    ports: ['8001:80']\n",
        "    ports: ['127.0.0.1:8002:80']\n",
        "    ports: ['[::1]:8002:80']\n",
        "    ports: ['5353:53/udp']\n",
        "    ports: ['443:443']\n",
        "    ports: ['80']\n",
        "    ports: ['8002:80']\n    profiles: [debug]\n",
        "    expose: ['8002']\n",
    ] {
        assert_eq!(found(service), [""; 0], "{service}");
    }
}

#[test]
fn time_that_a_service_needs() {
    let toml = "checkout = \"/srv/s\"\n[unit.\"api.service\"]\nresponse_time = \"5m\"\n";
    for (inside, expected) in [
        (
            "location / { proxy_pass http://localhost:8001; }",
            "E sites-available/a:1:23: proxy_read_timeout is 60 s (nginx's default), and a request to api.service may take 300 s according to watchme.toml",
        ),
        (
            "proxy_read_timeout 90; location / { proxy_pass http://localhost:8001; }",
            "E sites-available/a:1:10: proxy_read_timeout is 90 s, and",
        ),
        (
            "location / { proxy_pass http://localhost:8001; proxy_read_timeout 5m; proxy_send_timeout 30s; }",
            "W sites-available/a:1:80: proxy_send_timeout is 30 s",
        ),
        (
            "location / { grpc_pass grpc://localhost:8001; }",
            "grpc_read_timeout is 60 s",
        ),
        ("location / { proxy_pass http://g; }", "60 s"),
        (
            "proxy_read_timeout 5m; location / { proxy_pass http://localhost:8001; }",
            "",
        ),
        (
            "location / { proxy_pass http://localhost:8001; proxy_read_timeout 300; }",
            "",
        ),
        ("location / { proxy_pass http://localhost:8002; }", ""),
        (
            "location / { include proxy_params; proxy_pass http://localhost:8001; }",
            "",
        ),
        ("location / { proxy_pass http://$up; }", ""),
    ] {
        let site = format!("server {{ {inside} }}");
        let found = said(
            "nginx-timeout-too-short",
            &[
                ("sites-available/a", &site),
                ("sites-available/g", "upstream g { server localhost:8001; }"),
                ("systemd/api.service", UNIT),
                (
                    "compose/api/docker-compose.yml",
                    "services:\n  api:\n    ports: ['127.0.0.1:8001:80', '127.0.0.1:8003:80']\n",
                ),
                ("watchme.toml", toml),
            ],
        );
        let fits = match expected {
            "" => found.is_empty(),
            expected => found.len() == 1 && found[0].contains(expected),
        };
        assert!(fits, "{inside}: {found:?}");
    }
}

/// The folders of this repository that people start from.
fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [
        "desired-state",
        "examples/minimal",
        "examples/service-template/desired-state",
    ]
    .map(|folder| root.join(folder))
    .into()
}

#[test]
fn what_is_shipped_is_clean() {
    for folder in shipped() {
        let owner = nix::unistd::Uid::effective().as_raw();
        let checkout = Checkout::open(&folder, &[owner]).unwrap();
        let (revision, wrong) = checkout.survey(&Which::Worktree).unwrap();
        let subject = Subject {
            revision: &revision,
            wrong: &wrong,
        };
        let found: Vec<String> = crate::check::tests::of_family("nginx", &subject)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(found.is_empty(), "{}: {found:#?}", folder.display());
    }
}

/// The template for a service that the users have, filled in.
#[test]
fn the_users_template_is_clean() {
    let site = r#"server {
    listen 443 ssl;
    ssl_certificate /c.pem;
    ssl_certificate_key /k.pem;
    server_name api.hey-watch.me;
    location /avatar/ {
        proxy_pass http://localhost:8014/;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;

        # CORS設定
        add_header "Access-Control-Allow-Origin" "*";
        add_header "Access-Control-Allow-Methods" "GET, POST, DELETE, OPTIONS";
        add_header "Access-Control-Allow-Headers" "Content-Type, Authorization";

        # OPTIONSリクエストの処理
        if ($request_method = "OPTIONS") {
            return 204;
        }

        client_max_body_size 10M;  # 10MBまでの画像アップロードを許可
    }
}
"#;
    let files = [(
        "sites-available/api.hey-watch.me".to_owned(),
        site.to_owned(),
    )];
    let found = crate::check::tests::checked(&files);
    let mut own = found
        .iter()
        .filter(|finding| finding.rule.name.starts_with("nginx-"));
    assert!(own.next().is_none(), "{found:#?}");
}

/// A thousand sites with fifteen locations each: what is looked up is looked up in an index.
#[test]
fn a_thousand_sites_take_no_time() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sites-available")).unwrap();
    for site in 0..1000 {
        let mut text = format!(
            "limit_req_zone $remote_addr zone=z{site}:1m rate=1r/s;\nserver {{ listen 80; server_name s{site}.example.com; add_header X-A b;\n"
        );
        for location in 0..15 {
            text.push_str(&format!("location /l{location}/ {{ proxy_pass http://localhost:{}/; {HEADERS} add_header X-A c; }}\n", 8000 + location));
        }
        text.push_str("}\n");
        std::fs::write(folder.path().join(format!("sites-available/s{site}")), text).unwrap();
    }
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = Checkout::open(folder.path(), &[owner]).unwrap();
    let (revision, wrong) = checkout.survey(&Which::Worktree).unwrap();
    let subject = Subject {
        revision: &revision,
        wrong: &wrong,
    };
    let begun = Instant::now();
    assert!(crate::check::tests::of_family("nginx", &subject).is_empty());
    // Unoptimised and on a busy machine; anything quadratic takes minutes.
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}
