//! Health gates: what has to answer before an apply is kept. What was asked is read from access logs and from
//! certificates that openssl made, not from what the tool says.

mod certificates;
mod touched;

use crate::support::{Host, desired, service, site, sleeper};

/// A site that answers everything with a status and a text, and writes who asked into a log of its own.
fn answering(name: &str, status: u16, text: &str) -> String {
    format!(
        "server {{
    listen 80;
    server_name {name}.example.com;
    access_log /var/log/nginx/{name}.log;
    location / {{ return {status} \"{text}\"; }}
}}
"
    )
}

/// A gate of watchme.toml: what it asks, and further keys.
fn gate(asks: &str, more: &str) -> String {
    format!("[[gate]]\n{asks}\n{more}\n")
}

/// How often this program has asked a site of [`answering`].
fn asked(host: &Host, name: &str) -> usize {
    let count = format!("grep -c ' \"watchme-apply/' /var/log/nginx/{name}.log || true");
    host.sh(&count).parse().unwrap_or(0)
}

#[test]
fn a_gate_that_fails_brings_the_old_state_back() {
    let host = Host::boot();
    let toml = gate("url = \"http://a.example.com/health\"", "retries = 1");
    host.checkout(&[
        (&desired("watchme.toml"), &toml),
        (&desired("sites-available/a"), &answering("a", 200, "old")),
        (&desired("systemd/old.service"), &sleeper(1000)),
    ]);
    let first = host.apply(&[]).expect(0);
    assert!(
        first.stdout.contains("gate http://a.example.com/health"),
        "{}",
        first.text()
    );
    assert_eq!(asked(&host, "a"), 1);
    let (picture, runs) = (host.picture(), host.runs(&["old.service"]));

    host.commit(
        &[
            (
                &desired("sites-available/a"),
                Some(&answering("a", 500, "no database")),
            ),
            (&desired("systemd/old.service"), None),
            (&desired("systemd/new.service"), Some(&sleeper(2000))),
        ],
        "bad",
    );
    let plan = host.tool(&["plan"]).expect(0).stdout;
    let line = "? gate http://a.example.com/health would be checked  (expects status 200)";
    assert!(plan.lines().any(|one| one.trim() == line), "{plan}");
    assert_eq!(asked(&host, "a"), 1, "a plan asks nobody");

    let failed = host.apply(&[]).expect(3);
    let said: Vec<&str> = failed.stderr.lines().collect();
    assert!(said[0].contains("rolled back"), "{}", failed.text());
    let reason = "http://a.example.com/health: expected 200, got 500 (no database) after 2 tries";
    assert!(
        said.iter().rev().take(3).any(|line| line.contains(reason)),
        "{}",
        failed.text()
    );
    assert!(said.last().is_some_and(|line| line.contains("hint: curl")));
    assert_eq!(asked(&host, "a"), 3, "twice");
    assert_eq!(host.page("a"), "old");
    host.assert_unchanged(&picture, "after the rollback");
    // What leaves stops only once the gates hold.
    assert_eq!(
        host.runs(&["old.service"]).restarted_since(&runs),
        ["nginx master"; 0]
    );
    assert_eq!(host.property("new.service", "LoadState"), "not-found");

    // The same with a gate that expects it.
    let toml = gate("url = \"http://a.example.com/health\"", "status = 500");
    host.commit(&[(&desired("watchme.toml"), Some(&toml))], "expected");
    host.apply(&[]).expect(0);
    assert!(!host.is_active("old.service") && host.is_active("new.service"));
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_does_not_answer_is_bounded_and_can_be_interrupted() {
    let host = Host::boot();
    let listen = "/usr/bin/busybox nc -ll -p 8009 -e /bin/sleep 100";
    let mute = gate(
        "url = \"http://localhost:8009/\"",
        "timeout = \"1s\"\nretries = 0",
    );
    host.checkout(&[
        (&desired("watchme.toml"), &mute),
        (&desired("sites-available/a"), &site("a", "old")),
        (&desired("systemd/mute.service"), &service(listen)),
    ]);
    let failed = host.apply(&[]).expect(3);
    assert!(
        failed
            .stderr
            .contains("http://localhost:8009/: no answer within 1 s after 1 try"),
        "{}",
        failed.text()
    );
    assert_eq!(host.property("mute.service", "LoadState"), "not-found");

    let closed = gate("tcp = \"127.0.0.1:8010\"", "retries = 1000");
    host.commit(&[(&desired("watchme.toml"), Some(&closed))], "closed");
    let line = "cd /home/ubuntu/watchme-server-configs
        sudo timeout --preserve-status -s INT 6 watchme-apply apply";
    let stopped = host.try_sh_as("ubuntu", line).expect(3);
    assert!(
        stopped.stderr.contains("interrupted by a signal"),
        "{}",
        stopped.text()
    );
    assert_ne!(host.page("a"), "old");
}
