//! A server with something broken can still be managed: what the daemons pass over stops nothing, and neither does
//! what failed before or may fail.

use std::time::Duration;

use crate::support::{Host, desired, service, sleeper};

/// A unit that fails at once, and for good.
fn broken() -> String {
    service("/bin/false")
}

/// One that fails again and again.
fn flapping() -> String {
    "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1\n[Unit]\nStartLimitIntervalSec=0\n[Install]\nWantedBy=multi-user.target\n".to_owned()
}

/// One that is up at one look and down at the next.
fn swinging() -> String {
    flapping().replace("/bin/false", "/bin/sleep 0.7")
}

fn pid(host: &Host, unit: &str) -> String {
    host.property(unit, "MainPID")
}

/// Lived-in: three units failed before anybody adopted the server. They are reported, and block nothing; the ones that
/// run go on running.
#[test]
fn what_failed_before_blocks_nothing() {
    let host = Host::boot();
    let files = [
        ("broken", broken()),
        ("flapping", flapping()),
        ("swinging", swinging()),
        ("good", sleeper(1001)),
    ];
    for (name, text) in &files {
        host.write(&format!("/etc/systemd/system/{name}.service"), text);
    }
    host.sh("systemctl daemon-reload; systemctl enable -q broken flapping swinging good; systemctl start broken flapping swinging good");
    // One that swings has died once before: nobody knows how one ends that runs for the first time.
    host.wait_for("failures", Duration::from_secs(10), || {
        let has_died = |unit: &str| host.property(unit, "NRestarts") != "0";
        host.property("broken.service", "ActiveState") == "failed"
            && has_died("flapping.service")
            && has_died("swinging.service")
    });
    let (good, invocation) = (
        pid(&host, "good.service"),
        host.property("broken.service", "InvocationID"),
    );
    let paths: Vec<(String, String)> = files
        .iter()
        .map(|(name, text)| (desired(&format!("systemd/{name}.service")), text.clone()))
        .collect();
    let paths: Vec<(&str, &str)> = paths
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    host.checkout(&paths);
    let adopted = host.apply(&[]).expect(0).text();
    assert!(
        adopted.contains(
            "unit/broken.service: failed: exit-code, status 1, and this revision does not change it"
        ),
        "{adopted}"
    );
    assert!(adopted.contains("unit/flapping.service: "), "{adopted}");
    assert_eq!(pid(&host, "good.service"), good);
    assert_eq!(
        host.property("broken.service", "InvocationID"),
        invocation,
        "nobody starts it"
    );
    assert_eq!(
        host.sh("readlink -f /etc/systemd/system/broken.service"),
        "/etc/watchme-apply/live/systemd/broken.service"
    );

    // Another change goes through, and there is nothing to do afterwards.
    host.commit(
        &[(&desired("systemd/new.service"), Some(&sleeper(1002)))],
        "one more",
    );
    host.apply(&[]).expect(0);
    assert!(host.is_active("new.service"));
    let again = host.apply(&["--json"]).expect(0).text();
    assert!(again.contains("\"outcome\": \"in-sync\""), "{again}");
    // Drift tells it, and tries it: it stays what it is, and what else drifted is mended.
    host.sh("systemctl stop new.service");
    let fixed = host.tool(&["drift", "--fix"]).expect(2).text();
    assert!(host.is_active("new.service"), "{fixed}");
    assert!(fixed.contains("broken.service"), "{fixed}");
    assert_ne!(host.property("broken.service", "InvocationID"), invocation);

    // One that ends with an error when it is told to end was stopped, and did not fail: so does `docker compose up`.
    let rude = "[Service]\nExecStart=/bin/sh -c 'trap \"exit 2\" TERM; while :; do sleep 0.1; done'\nRestart=always\n\
                [Install]\nWantedBy=multi-user.target\n";
    host.commit(&[(&desired("systemd/rude.service"), Some(rude))], "rude");
    host.apply(&[]).expect(0);
    host.sh("sleep 0.5; systemctl stop rude.service");
    assert_eq!(host.property("rude.service", "ActiveState"), "failed");
    host.apply(&[]).expect(0);
    assert!(host.is_active("rude.service"));

    // One that changes has to come up.
    host.commit(
        &[(
            &desired("systemd/broken.service"),
            Some(&service("/bin/false again")),
        )],
        "still broken",
    );
    host.apply(&[]).expect(3);
    host.commit(
        &[(&desired("systemd/broken.service"), Some(&sleeper(1003)))],
        "mended",
    );
    host.apply(&[]).expect(0);
    assert!(host.is_active("broken.service"));
}

/// `required = false`: it fails, the run goes on without it, and says so.
#[test]
fn a_unit_that_is_not_required_may_fail() {
    let host = Host::boot();
    let policy = "[unit.\"extra.service\"]\nrequired = false\n";
    host.checkout(&[
        (&desired("watchme.toml"), policy),
        (&desired("systemd/extra.service"), &broken()),
        (&desired("systemd/good.service"), &sleeper(1001)),
    ]);
    let applied = host.apply(&["--json"]).expect(5).text();
    assert!(applied.contains("\"outcome\": \"degraded\""), "{applied}");
    assert!(
        applied.contains("extra.service did not stay up"),
        "{applied}"
    );
    assert!(host.is_active("good.service"));
    assert_eq!(host.property("extra.service", "ActiveState"), "failed");
    let history = host.tool(&["history"]).expect(0).text();
    assert!(history.contains("applied, degraded"), "{history}");
    let again = host.apply(&[]).expect(0).text();
    assert!(
        again.contains("nothing to apply") && again.contains("unit/extra.service: failed"),
        "{again}"
    );

    // Running, then changed to one that fails: no rollback of what changes with it.
    host.commit(
        &[(&desired("systemd/extra.service"), Some(&sleeper(1002)))],
        "mended",
    );
    host.apply(&[]).expect(0);
    host.commit(
        &[
            (&desired("systemd/extra.service"), Some(&flapping())),
            (&desired("systemd/good.service"), Some(&sleeper(1003))),
        ],
        "broken anew",
    );
    let text = host.apply(&[]).expect(5).text();
    assert!(
        text.contains("applied, degraded") && text.contains("in sync but for 1 unit"),
        "{text}"
    );
    let main = pid(&host, "good.service");
    assert_eq!(
        host.sh(&format!("tr '\\0' ' ' </proc/{main}/cmdline"))
            .trim(),
        "/bin/sleep 1003"
    );
    // A unit that is required still takes all back.
    host.commit(
        &[(&desired("systemd/good.service"), Some(&broken()))],
        "good is broken",
    );
    host.apply(&[]).expect(3);
    assert!(host.is_active("good.service"));
}

/// Lines that systemd passes over are told, and applied; a file that it does not load is refused.
#[test]
fn lines_that_systemd_passes_over_stop_nothing() {
    let host = Host::boot();
    let stray = "Nobody=knows\nstray\n[Service]\nmore words\n=value\n[]\nA=b\n[Service]\nExecStart=/bin/sleep 1001\n[Install]\nWantedBy=multi-user.target\n";
    // What systemd itself says, without the tool.
    host.write("/etc/systemd/system/probe.service", stray);
    host.write(
        "/etc/systemd/system/spoilt.service",
        "[Service\nExecStart=/bin/sleep 1\n",
    );
    host.sh("systemctl daemon-reload; systemctl start probe.service");
    assert!(host.is_active("probe.service"));
    assert_ne!(host.property("spoilt.service", "LoadState"), "loaded");
    host.sh("systemctl stop probe.service; rm /etc/systemd/system/probe.service /etc/systemd/system/spoilt.service; systemctl daemon-reload");

    host.checkout(&[(&desired("systemd/app.service"), stray)]);
    let plan = host.tool(&["plan"]).expect(0).text();
    for place in ["1:1", "2:1", "4:1", "5:1", "6:1"] {
        let line = format!("warning desired-state/systemd/app.service:{place}: ");
        assert!(plan.contains(&line), "{place}: {plan}");
    }
    assert!(
        plan.contains("this line is no assignment: systemd passes over it"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert!(host.is_active("app.service"));
    host.tool(&["check"]).expect(2);
    host.commit(
        &[(
            &desired("systemd/app.service"),
            Some("[Service\nExecStart=/bin/sleep 1002\n"),
        )],
        "spoilt",
    );
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("the section header is not closed"),
        "{refused}"
    );
    assert!(host.is_active("app.service"));
}

/// What failed before a run that is rolled back has stopped then: systemd has no way back to "failed".
#[test]
fn a_roll_back_says_what_had_failed_before() {
    let host = Host::boot();
    let broken = broken();
    host.checkout(&[
        (&desired("systemd/broken.service"), &broken),
        (&desired("systemd/good.service"), &sleeper(1000)),
    ]);
    host.write("/etc/systemd/system/broken.service", &broken);
    host.sh("systemctl daemon-reload; systemctl enable -q broken; systemctl start broken");
    host.wait_for("failure", Duration::from_secs(10), || {
        host.property("broken.service", "ActiveState") == "failed"
    });
    host.apply(&[]).expect(0);
    let (mended, fails) = (
        sleeper(1001),
        sleeper(1002).replace("/bin/sleep", "/bin/false"),
    );
    host.commit(
        &[
            (&desired("systemd/broken.service"), Some(&mended)),
            (&desired("systemd/good.service"), Some(&fails)),
        ],
        "one is mended, the other is broken",
    );
    let failed = host.apply(&[]).expect(3);
    assert!(
        failed
            .text()
            .contains("broken.service had failed before this run; it is stopped now"),
        "{}",
        failed.text()
    );
    assert_eq!(host.property("broken.service", "SubState"), "dead");
}
