//! Values and mounts: what `check` finds of them is what docker-compose or the engine refuses when a container is made.

use std::fs;

use watchme_apply::check::{self, Subject};
use watchme_apply::source::{Checkout, Which};

use crate::support::{Debian, Host, Service};

/// Lines of a service that is made, and of one that is not.
const MADE: [&str; 17] = [
    "restart: unless-stopped",
    "restart: on-failure:3",
    "restart: 'no'",
    "mem_limit: 6m",
    "mem_limit: 1.5g",
    "mem_limit: 192MB",
    "mem_limit: 201326592",
    "mem_limit: 64m\n    memswap_limit: -1",
    "shm_size: 64m",
    "cpus: '0.5'",
    "healthcheck: {test: 'true', interval: 1m30s, timeout: 500ms, retries: '3'}",
    "stop_grace_period: 1m",
    "ulimits: {nofile: {soft: 1024, hard: 2048}, nproc: 64}",
    "expose: [80, '90-95']",
    "volumes: ['./d:/d', '/srv:/e:ro', '/f', 'data:/v']",
    "depends_on: {b: {condition: service_started}}",
    "secrets: [key]",
];
const REFUSED: [&str; 20] = [
    "ulimits: {nofile: {soft: 1}}",
    "network_mode: host\n    networks: [default]",
    "restart: allways",
    "restart: unless-stoped",
    "restart: 'always:3'",
    "mem_limit: 192",
    "mem_limit: 5m",
    "mem_limit: 192megs",
    "mem_limit: lots",
    "shm_size: 64x",
    "memswap_limit: x",
    "cpus: half",
    "pids_limit: x",
    "healthcheck: {test: 'true', retries: x}",
    "ulimits: {nofile: x}",
    "ulimits: {nofile: {soft: 1, hard: x}}",
    "volumes: ['./d:d']",
    "volumes: ['data/x:/data']",
    "depends_on: {b: {condition: service_helthy}}",
    "secrets: [none]",
];
/// Compose 2 takes them and does something else than they say: another variable, no limit, no port, no mode, one mount of the
/// two. `check` warns of them with it.
const TAKEN_BY_2: [&str; 5] = [
    "environment: ['A: 1']",
    "restart: on-failure:x",
    "expose: ['80x']",
    "volumes: ['./d:/d:rx']",
    "volumes: ['./d:/d', './e:/d']",
];
/// docker-compose 1 takes the default instead, compose 2 refuses the file.
const PASSED_OVER: [&str; 2] = [
    "healthcheck: {test: 'true', interval: 30x}",
    "healthcheck: {test: 'true', interval: '30'}",
];
const RULES: [&str; 3] = [
    "compose-invalid-value",
    "compose-secret-undeclared",
    "compose-volume-undeclared",
];

fn compose(lines: &str) -> String {
    format!(
        "version: '3.8'\nservices:\n  a:\n    image: a:1\n    {lines}\n  b:\n    image: a:1\nvolumes:\n  data:\nsecrets:\n  key:\n    file: /etc/hostname\n"
    )
}

/// The findings of these rules for a host of a generation.
fn found(text: &str, debian: Debian) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("docker-compose.yml"), text).expect("a file");
    let host = match debian {
        Debian::Twelve => "[host]\ncompose = 1\ndocker = \"20.10\"\n",
        Debian::Thirteen => "[host]\ncompose = 2\ndocker = \"26.1\"\n",
    };
    fs::write(folder.path().join("watchme.toml"), host).expect("a file");
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = Checkout::open(folder.path(), &[owner]).expect("a checkout");
    let (revision, wrong) = checkout.survey(&Which::Worktree).expect("a revision");
    let findings = check::check(&Subject {
        revision: &revision,
        wrong: &wrong,
    });
    let own = findings
        .iter()
        .filter(|finding| RULES.contains(&finding.rule.name));
    own.map(ToString::to_string).collect()
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_docker_does_not_start_is_found() {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "a:1",
        port: 80,
        paths: &[],
    }]);
    let cases = MADE.iter().map(|lines| (lines, true, false));
    let cases = cases.chain(REFUSED.iter().map(|lines| (lines, false, true)));
    let is_taken = host.debian() == Debian::Thirteen;
    let cases = cases.chain(TAKEN_BY_2.iter().map(|lines| (lines, is_taken, true)));
    let is_passed_over = host.debian() == Debian::Twelve;
    let cases = cases.chain(
        PASSED_OVER
            .iter()
            .map(|lines| (lines, is_passed_over, true)),
    );
    let mut wrong = Vec::new();
    for (lines, is_made, is_found) in cases {
        let text = compose(lines);
        host.write("/root/c/docker-compose.yml", &text);
        let said = host.try_sh("cd /root/c; docker-compose up --no-start 2>&1; s=$?; docker-compose down -v >/dev/null 2>&1; exit $s");
        let ours = found(&text, host.debian());
        if (said.status == 0) != is_made || ours.is_empty() == is_found {
            wrong.push(format!("{lines}\n{}we: {ours:?}", said.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
