//! Whole states: the users' template, what is shipped, and a thousand units.

use std::path::Path;

use super::dependencies::DOCKER;
use super::{found, service};
use crate::check::tests::{assert_time_grows_as_inputs_do, checked};

/// The template of the users' documents, filled in: its comment behind a value is the only error.
#[test]
fn the_template_of_a_service() {
    let text = "[Unit]\nDescription=音声文字起こし\nAfter=docker.service watchme-infrastructure.service  # インフラの後に起動\nRequires=docker.service watchme-infrastructure.service\n\n[Service]\nTimeoutStartSec=0\n\n# 常にECRから最新のイメージを取得\nExecStartPre=-/usr/bin/docker-compose -f /home/ubuntu/api/docker-compose.prod.yml pull -q\n\n# Docker Composeでコンテナを起動\nExecStart=/usr/bin/docker-compose -f /home/ubuntu/api/docker-compose.prod.yml up\n\n# サービス停止時にコンテナを停止\nExecStop=/usr/bin/docker-compose -f /home/ubuntu/api/docker-compose.prod.yml down\n\nRestart=always\nRestartSec=10\n\n[Install]\nWantedBy=multi-user.target\n";
    let infra = format!(
        "{DOCKER}{}",
        service("Type=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker network ls")
    );
    let files = [
        ("systemd/api.service", text),
        ("systemd/watchme-infrastructure.service", &infra),
    ];
    assert_eq!(found(&files), ["comment-behind-value # インフラの後に起動"]);
}

fn files_below(folder: &Path, below: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder.join(below)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = [below, &name].join("/").trim_start_matches('/').to_owned();
        match folder.join(&path).is_dir() {
            true => files_below(folder, &path, files),
            false => files.push((
                path.clone(),
                std::fs::read_to_string(folder.join(&path)).unwrap(),
            )),
        }
    }
}

/// The example of a new service is laid over the state that it is for.
#[test]
fn the_shipped_state_and_the_examples_are_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folders in [
        vec!["desired-state"],
        vec!["examples/minimal"],
        vec!["examples/unattended/desired-state"],
        vec!["desired-state", "examples/service-template/desired-state"],
    ] {
        let mut files = Vec::new();
        for folder in &folders {
            files_below(&root.join(folder), "", &mut files);
        }
        let findings = checked(&files);
        let own = findings
            .iter()
            .filter(|finding| finding.rule.name.starts_with("systemd-"));
        let own: Vec<String> = own.map(|finding| finding.to_string()).collect();
        assert_eq!(own, [""; 0], "{folders:?}");
    }
}

#[test]
fn time_grows_as_the_units_do() {
    assert_time_grows_as_inputs_do("systemd", |folder, units| {
        std::fs::create_dir(folder.join("systemd")).unwrap();
        for at in 0..units {
            let unit = format!(
                "[Unit]\nAfter=docker.service u{}.service\nRequires=docker.service u{0}.service\nWrong=1\n{}",
                at / 2,
                service(
                    "ExecStartPre=-/usr/bin/docker-compose -f /srv/a.yml pull -q\nExecStart=/usr/bin/docker-compose -f /srv/a.yml up\nRestart=always"
                )
            );
            std::fs::write(folder.join(format!("systemd/u{}.service", at + 1)), unit).unwrap();
        }
    });
}
