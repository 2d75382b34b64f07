//! What the compose rules find, and leave alone.

mod files;
mod networks;
pub(in crate::check) mod ports;
mod running;
pub(in crate::check) mod values;

use std::path::Path;

use crate::check::tests::checked;
use crate::check::{Subject, check};
use crate::source::{Checkout, Which};

/// Findings of this family as `RULE PATH:LINE:COLUMN: MESSAGE`, those that every bare service has left out.
pub(in crate::check) fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let bare = [
        "compose-no-memory-limit",
        "compose-no-health-check",
        "compose-no-log-rotation",
        "compose-no-restart",
    ];
    checked(&files)
        .iter()
        .filter(|finding| !bare.contains(&finding.rule.name))
        .filter(|finding| !finding.rule.name.starts_with("systemd-"))
        .map(|finding| format!("{} {finding}", finding.rule.name))
        .collect()
}

/// Rules that have a finding, each once.
pub(in crate::check) fn rules(files: &[(&str, &str)]) -> Vec<String> {
    let mut rules: Vec<String> = found(files)
        .iter()
        .map(|finding| finding.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    rules.dedup();
    rules
}

pub(in crate::check) const UNIT: &str = "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/NAME.yml up\n[Install]\nWantedBy=multi-user.target\n";
pub(in crate::check) const HERE: (&str, &str) = ("watchme.toml", "checkout = \"/srv/c\"\n");

/// One compose file that a unit runs.
pub(in crate::check) fn one(compose: &str) -> Vec<String> {
    let unit = UNIT.replace("NAME", "a");
    found(&[HERE, ("systemd/a.service", &unit), ("a.yml", compose)])
}

/// Two compose files, each run by a unit.
pub(in crate::check) fn two(a: &str, b: &str) -> Vec<String> {
    let (unit_a, unit_b) = (UNIT.replace("NAME", "a/c"), UNIT.replace("NAME", "b/c"));
    found(&[
        HERE,
        ("systemd/a.service", &unit_a),
        ("systemd/b.service", &unit_b),
        ("a/c.yml", a),
        ("b/c.yml", b),
    ])
}

pub(in crate::check) const NONE: [&str; 0] = [];

#[test]
fn the_shipped_states_are_clean() {
    for folder in [
        "desired-state",
        "examples/minimal",
        "examples/service-template/desired-state",
        "examples/unattended/desired-state",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let owner = nix::unistd::Uid::effective().as_raw();
        let (revision, wrong) = Checkout::open(&path, &[owner])
            .unwrap()
            .survey(&Which::Worktree)
            .unwrap();
        let subject = Subject {
            revision: &revision,
            wrong: &wrong,
        };
        let found: Vec<String> = check(&subject)
            .iter()
            .filter(|finding| {
                finding.rule.name.starts_with("compose-") || finding.rule.name.starts_with("port-")
            })
            .map(|finding| format!("{} {finding}", finding.rule.name))
            .collect();
        assert_eq!(found, NONE, "{folder}");
    }
}

/// Bounded loosely: a test build on a busy machine takes ten times as long as the program itself.
#[test]
fn a_thousand_stacks_are_checked_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("watchme.toml"),
        "checkout = \"/srv/c\"\n",
    )
    .unwrap();
    std::fs::create_dir(folder.path().join("systemd")).unwrap();
    for number in 0..1000 {
        let compose = format!(
            "services:\n  s:\n    image: x:1\n    mem_limit: 16m\n    container_name: c{number}\n    ports: ['127.0.0.1:{}:80']\n    environment: {{A: http://localhost:9/, B_PASSWORD: '${{P:-}}'}}\n",
            10_000 + number
        );
        std::fs::write(folder.path().join(format!("c{number}.yml")), compose).unwrap();
        let unit = UNIT.replace("NAME", &format!("c{number}"));
        std::fs::write(
            folder.path().join(format!("systemd/u{number}.service")),
            unit,
        )
        .unwrap();
    }
    let owner = nix::unistd::Uid::effective().as_raw();
    let (revision, wrong) = Checkout::open(folder.path(), &[owner])
        .unwrap()
        .survey(&Which::Worktree)
        .unwrap();
    let begun = std::time::Instant::now();
    let found = check(&Subject {
        revision: &revision,
        wrong: &wrong,
    });
    let took = begun.elapsed();
    let own = found
        .iter()
        .filter(|one| one.rule.name.starts_with("compose-"));
    assert_eq!(own.count(), 2000, "no health check, no log rotation");
    assert!(took.as_millis() < 3000, "{took:?}");
}
