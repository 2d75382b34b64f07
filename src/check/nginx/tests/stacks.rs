//! Rules that look at what runs behind nginx: container names, ports, time.

use std::path::{Path, PathBuf};

use super::{HEADERS, said};
use crate::check::Subject;
use crate::check::tests::assert_time_grows_as_inputs_do;
use crate::source::{Checkout, Which};

pub(in crate::check) const UNIT: &str = "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/s/compose/api/docker-compose.yml up\n\
    [Install]\nWantedBy=multi-user.target\n";

/// A site that passes requests on to `pass`, and a stack with `service` as its only service.
pub(in crate::check) fn behind(
    rule: &str,
    pass: &str,
    service: &str,
    more: &[(&str, &str)],
) -> Vec<String> {
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

pub(in crate::check) const LOOPBACK: &str =
    "    container_name: the-api\n    ports: ['127.0.0.1:8001:80']\n";

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

/// Sites with fifteen locations each: what is looked up is looked up in an index.
#[test]
fn time_grows_as_the_sites_do() {
    assert_time_grows_as_inputs_do("nginx", |folder, sites| {
        std::fs::create_dir(folder.join("sites-available")).unwrap();
        for site in 0..sites {
            let mut text = format!(
                "limit_req_zone $remote_addr zone=z{site}:1m rate=1r/s;\nserver {{ listen 80; server_name s{site}.example.com; add_header X-A b;\n"
            );
            for location in 0..15 {
                text.push_str(&format!("location /l{location}/ {{ proxy_pass http://localhost:{}/; {HEADERS} add_header X-A c; }}\n", 8000 + location));
            }
            text.push_str("}\n");
            std::fs::write(folder.join(format!("sites-available/s{site}")), text).unwrap();
        }
    });
}
