//! A pull that nobody applied: everything in the checkout is broken, everything on the host is started anew, and all
//! serves as it was applied.

use std::time::Duration;

use crate::support::{Baseline, CHECKOUT, Host, Served, Service, desired};

const BACK: Duration = Duration::from_secs(60);

const BASELINE: Baseline<'_> = Baseline {
    units: &["web.service", "found.service", "plain.service"],
    urls: &[
        "http://web.example.com/",
        "http://localhost:8101/",
        "http://localhost:8102/",
    ],
};

/// What a container serves: the word that its environment has. busybox has no other way to show it.
const SAY_WORD: &str =
    "['sh', '-c', 'echo $$WORD >/www/index.html; exec httpd -f -p 8000 -h /www']";

/// Every kind of file that something reads where it lies in the checkout.
const READ_IN_PLACE: [&str; 12] = [
    "desired-state/sites-available/web",
    "desired-state/systemd/web.service",
    "desired-state/systemd/found.service",
    "desired-state/systemd/plain.service",
    "desired-state/systemd/plain.service.d/nice.conf",
    "compose/common.yml",
    "compose/web/docker-compose.yml",
    "compose/web/settings.env",
    "compose/web/.env",
    "compose/found/docker-compose.yml",
    "scripts/plain.sh",
    "scripts/plain.env",
];

/// What is set beside those and would be read if it had been there.
const ADDED: [(&str, &str); 4] = [
    (
        "compose/found/docker-compose.override.yml",
        "services: {server: {image: registry.example.com/none:1}}",
    ),
    (
        "desired-state/systemd/plain.service.d/more.conf",
        "[Service]\nNice=9",
    ),
    (
        "desired-state/systemd/more.service",
        "[Service]\nExecStart=/bin/sleep 9",
    ),
    ("desired-state/sites-available/more", "} broken"),
];

#[test]
fn a_pull_that_breaks_everything_changes_nothing_that_runs() {
    let host = Host::boot();
    let images = ["web:1", "web:2"].map(|image| Service {
        image,
        port: 8000,
        paths: &[],
    });
    host.load_service_images(&images);
    apply_good(&host);
    let served = BASELINE.look(&host);

    let garbage = on_each(|file| format!("echo '}} broken [[ =' >{file}"));
    let added = ADDED.map(|(file, content)| format!("echo '{content}' >{file}"));
    pull(&host, "broken", &format!("{garbage}; {}", added.join("; ")));
    everything_starts_anew(&host, &served);
    pull(
        &host,
        "deleted",
        &on_each(|file| format!("git rm -q {file}")),
    );
    everything_starts_anew(&host, &served);
    assert_only_pending(&host);
    a_pull_that_mends_everything_is_in_sync(&host, &served);
}

fn apply_good(host: &Host) {
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/compose/web/docker-compose.yml");
    let web = unit(&format!("ExecStart={compose} up\nExecStop={compose} down"));
    let found = unit(&format!(
        "WorkingDirectory={CHECKOUT}/compose/found\nExecStart=/usr/bin/docker-compose up\nExecStop=/usr/bin/docker-compose down"
    ));
    let plain = unit(&format!(
        "EnvironmentFile={CHECKOUT}/scripts/plain.env\nExecStart={CHECKOUT}/scripts/plain.sh"
    ));
    let service = |more: &str| format!("services:\n  server:\n{more}    command: {SAY_WORD}\n");
    host.checkout(&[
        (&desired("sites-available/web"), SITE),
        (&desired("systemd/web.service"), &web),
        (&desired("systemd/found.service"), &found),
        (&desired("systemd/plain.service"), &plain),
        (&desired("systemd/plain.service.d/nice.conf"), "[Service]\nNice=5\n"),
        ("compose/common.yml", "services:\n  common:\n    image: web:${TAG}\n"),
        (
            "compose/web/docker-compose.yml",
            &service("    extends: {file: ../common.yml, service: common}\n    env_file: settings.env\n    ports: ['127.0.0.1:8101:8000']\n"),
        ),
        ("compose/web/settings.env", "WORD=web applied\n"),
        ("compose/web/.env", "TAG=1\n"),
        (
            "compose/found/docker-compose.yml",
            &service("    image: web:2\n    environment: {WORD: found applied}\n    ports: ['127.0.0.1:8102:8000']\n"),
        ),
        ("scripts/plain.sh", "#!/bin/sh\necho $WORD >/run/plain.word\nexec sleep 1000\n"),
        ("scripts/plain.env", "WORD=plain-applied\n"),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(
        host.get("http://web.example.com/"),
        (200, "web applied\n".into())
    );
    assert_eq!(
        host.get("http://localhost:8102/"),
        (200, "found applied\n".into())
    );
}

const SITE: &str = "server {
    listen 80;
    server_name web.example.com;
    location / {
        proxy_pass http://127.0.0.1:8101;
    }
}
";

fn unit(lines: &str) -> String {
    format!(
        "[Unit]
Requires=docker.service
After=docker.service

[Service]
TimeoutStartSec=0
{lines}
Restart=always

[Install]
WantedBy=multi-user.target
"
    )
}

/// The same command for every file that is read in place.
fn on_each(command: impl Fn(&str) -> String) -> String {
    READ_IN_PLACE.map(command).join("; ")
}

/// A commit that a script makes elsewhere, and a pull of it as a person does it.
#[track_caller]
fn pull(host: &Host, message: &str, script: &str) {
    host.sh_as(
        "ubuntu",
        &format!(
            "rm -rf elsewhere; git clone -q {CHECKOUT} elsewhere; cd elsewhere; {script}
             git add -A; git commit -qm '{message}'; cd {CHECKOUT}; git pull -q ~/elsewhere HEAD"
        ),
    );
}

/// Containers are killed, nginx, Docker and plain units restarted, and then the whole host.
#[track_caller]
fn everything_starts_anew(host: &Host, served: &Served) {
    let word = || host.read("/run/plain.word");
    BASELINE.assert_unchanged(host, served, "after the pull");
    host.sh("rm /run/plain.word; docker kill $(docker ps -q); systemctl kill plain.service");
    BASELINE.wait_until_unchanged(host, served, BACK, "containers that were killed");
    assert_eq!(word(), "plain-applied\n");
    host.sh("rm /run/plain.word; systemctl restart nginx docker web found plain");
    BASELINE.wait_until_unchanged(host, served, BACK, "daemons that were restarted");
    host.reboot();
    BASELINE.wait_until_unchanged(host, served, BACK, "a reboot");
    assert_eq!(word(), "plain-applied\n");
    assert_eq!(host.property("plain.service", "Nice"), "5");
}

/// Three-way: git moved, the host did not.
fn assert_only_pending(host: &Host) {
    let drift = host.tool(&["drift"]).text();
    for word in ["drifted", "unloaded", "degraded"] {
        assert!(!drift.contains(word), "{drift}");
    }
}

/// Where a file is gone systemd has put an empty one in its place, which stops git. Taking it away harms nobody: a
/// namespace is made anew for each command of a unit.
fn a_pull_that_mends_everything_is_in_sync(host: &Host, served: &Served) {
    let runs = host.runs(BASELINE.units);
    host.sh(&format!(
        "cd {CHECKOUT}; git -c safe.directory='*' clean -qfd"
    ));
    let restore = |file: &str| format!("git checkout -q HEAD~2 -- {file}");
    let added = ADDED.map(|(file, _)| file).join(" ");
    pull(
        host,
        "mended",
        &format!("{}; git rm -q {added}", on_each(restore)),
    );
    host.assert_does_nothing(&["apply"]).expect(0);
    BASELINE.assert_unchanged(host, served, "mended");
    assert_eq!(host.runs(BASELINE.units), runs);
    host.sh("systemctl restart web found plain");
    BASELINE.wait_until_unchanged(host, served, BACK, "a restart after that");
}
