//! Runs as such: two at once, without privilege, killed, with closed output, inside a unit that they change; and pauses.

mod hung;
mod inside;
mod pauses;
mod stopped;

use std::time::Duration;

use crate::support::{CHECKOUT, Host, desired, service, site, sleeper};

const SOON: Duration = Duration::from_secs(20);

/// A service whose start takes a while, so that a run can be met in the middle.
fn slow(seconds: u32, number: u32) -> String {
    let start = format!("/bin/sleep {number}\nExecStartPre=/bin/sleep {seconds}");
    service(&start)
}

fn applied_host() -> Host {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "a first")),
        (&desired("systemd/one.service"), &sleeper(1001)),
        (&desired("systemd/two.service"), &sleeper(1002)),
    ]);
    host.apply(&[]).expect(0);
    host
}

/// Commits a new site, a changed unit, and a unit that takes `seconds` to start.
fn commit_slow_start(host: &Host, seconds: u32, number: u32) {
    host.commit(
        &[
            (
                &desired("sites-available/a"),
                Some(&site("a", &format!("a {number}"))),
            ),
            (&desired("systemd/one.service"), Some(&sleeper(number))),
            (
                &desired("systemd/slow.service"),
                Some(&slow(seconds, number)),
            ),
        ],
        "slow",
    );
}

/// Starts `watchme-apply ARGS` in the background of the host, and waits until it starts the slow unit.
fn begin_apply(host: &Host) {
    host.sh(&format!(
        "cd {CHECKOUT}; rm -f /run/status
         setsid sh -c 'watchme-apply apply; echo $? >/run/status' </dev/null >/run/output 2>&1 &"
    ));
    host.wait_for("slow start", SOON, || {
        host.property("slow.service", "ActiveState") == "activating"
    });
}

/// Waits for the end of the run in the background; its exit status and output.
fn end_of_apply(host: &Host) -> (String, String) {
    host.wait_for("end of the run", Duration::from_secs(60), || {
        host.stands("/run/status")
    });
    (
        host.read("/run/status").trim().to_owned(),
        host.read("/run/output"),
    )
}

#[test]
fn one_run_at_a_time() {
    let host = applied_host();
    commit_slow_start(&host, 5, 2001);
    begin_apply(&host);
    let pid = host.sh("pgrep -x watchme-apply");
    let second = host.apply(&["--lock-timeout", "0"]).expect(1).stderr;
    for part in [&*pid, "--lock-timeout"] {
        assert!(second.contains(part), "{part} is not in\n{second}");
    }
    host.tool(&["plan"]).expect(0);
    let waited = host.apply(&[]).expect(0);
    assert_eq!(end_of_apply(&host).0, "0");
    assert!(
        waited.stdout.contains("in sync"),
        "the second found it all done:\n{}",
        waited.text()
    );
    assert_eq!(host.page("a"), "a 2001");
    assert!(host.is_active("slow.service"));
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
fn without_root_it_asks_sudo_or_says_so() {
    let host = Host::boot();
    host.checkout(&[(&desired("sites-available/a"), &site("a", "a first"))]);
    let run = |user: &str, script: &str| host.try_sh_as(user, &format!("cd {CHECKOUT}; {script}"));
    host.sh("useradd --create-home guest; chmod a+rx /home/ubuntu; ln -s /usr/local/bin/watchme-apply /usr/bin/");

    let no_sudo = host
        .assert_untouched(|_| run("ubuntu", "PATH=/nonexistent /usr/bin/watchme-apply"))
        .expect(1);
    for part in ["error:", "root", "sudo", "hint:"] {
        assert!(
            no_sudo.stderr.contains(part),
            "{part} is not in\n{}",
            no_sudo.stderr
        );
    }
    let not_allowed = host
        .assert_untouched(|_| run("guest", "watchme-apply </dev/null"))
        .expect(1);
    assert!(
        not_allowed.stderr.contains("sudo"),
        "{}",
        not_allowed.stderr
    );
    let plan = host
        .assert_untouched(|_| run("ubuntu", "PATH=/nonexistent /usr/bin/watchme-apply plan"))
        .expect(0);
    assert!(plan.stdout.contains("site/a"), "{}", plan.text());
    host.assert_untouched(|_| run("ubuntu", "watchme-apply drift"))
        .expect(2);

    let applied = run("ubuntu", "watchme-apply").expect(0);
    assert!(
        applied.stderr.contains("sudo"),
        "it says that it does:\n{}",
        applied.text()
    );
    assert_eq!(host.page("a"), "a first");
    let status = run("ubuntu", "watchme-apply status").text();
    assert!(
        status.contains("needs root: sudo watchme-apply status"),
        "{status}"
    );
    let status = run("ubuntu", "sudo watchme-apply status").expect(0).stdout;
    assert!(status.contains("by ubuntu"), "{status}");
    host.sh("rm /etc/nginx/sites-enabled/a");
    run("ubuntu", "WATCHME_DESIRED_STATE=$PWD/desired-state; export WATCHME_DESIRED_STATE; cd /; watchme-apply apply").expect(0);
    assert_eq!(
        host.page("a"),
        "a first",
        "the environment's folder gets through sudo"
    );
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_reader_that_goes_away_stops_nothing() {
    let host = applied_host();
    let apply = |number: u32, pipe: &str| {
        host.commit(
            &[
                (
                    &desired("sites-available/a"),
                    Some(&site("a", &format!("a {number}"))),
                ),
                (&desired("systemd/one.service"), Some(&sleeper(number))),
            ],
            "cut off",
        );
        let script = format!("set -o pipefail; cd {CHECKOUT}; watchme-apply apply {pipe}");
        let output = host.run(&["bash", "-c", &script]).expect(0);
        assert_eq!(host.page("a"), format!("a {number}"), "{pipe}");
        assert!(
            host.property("one.service", "ExecStart")
                .contains(&format!("sleep {number}")),
            "{pipe}"
        );
        host.assert_does_nothing(&["apply"]).expect(0);
        output
    };
    assert_eq!(apply(2001, "| head -1").stdout.lines().count(), 1);
    apply(2002, "2>&1 | true");
    apply(2003, ">&- 2>&-");
}

#[test]
fn a_machine_without_systemd_is_one_clear_error() {
    let host = Host::boot();
    host.checkout(&[
        (&desired("sites-available/a"), &site("a", "a first")),
        (&desired("systemd/one.service"), &sleeper(1001)),
    ]);
    let without = |args: &str| {
        let hide =
            "export SUDO_UID=1000; mount -t tmpfs none /run/systemd; mount -t tmpfs none /run/dbus";
        let script = format!("{hide}; cd {CHECKOUT}; exec watchme-apply {args}");
        host.assert_untouched(|host| host.run(&["unshare", "-m", "sh", "-eu", "-c", &script]))
    };
    for command in ["plan", "apply"] {
        let failed = without(command).expect(1).stderr;
        assert_eq!(
            failed
                .lines()
                .filter(|line| line.starts_with("error:"))
                .count(),
            1,
            "{failed}"
        );
        assert!(
            failed.contains("systemd") && failed.contains("--root"),
            "{failed}"
        );
    }
    let root = "--root $(mktemp -d /run/root.XXXX)";
    let offline = without(&format!("plan {root}")).expect(0).stdout;
    assert!(
        offline.contains("one.service") && offline.contains("site/a"),
        "{offline}"
    );
}
