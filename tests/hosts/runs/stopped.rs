//! Runs that are killed, or told to stop.

use super::{SOON, applied_host, begin_apply, commit_slow_start, end_of_apply, slow};
use crate::support::{CHECKOUT, desired};

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let host = applied_host();
    commit_slow_start(&host, 5, 2001);
    begin_apply(&host);
    host.sh("pkill -KILL -x watchme-apply");
    host.sh("nginx -t");
    assert_eq!(
        host.page("a"),
        "a first",
        "nginx was to come after the units"
    );
    let told = host.assert_does_nothing(&["status"]).expect(0).stdout;
    assert!(told.contains("interrupted"), "{told}");
    let next = host.apply(&[]).expect(0);
    assert!(next.text().contains("interrupted"), "{}", next.text());
    assert_eq!(host.page("a"), "a 2001");
    assert!(host.is_active("slow.service") && host.is_active("one.service"));
    host.assert_linked(
        "/etc/systemd/system/slow.service",
        "desired-state/systemd/slow.service",
    );
    host.assert_does_nothing(&["apply"]).expect(0);

    // Back to an older revision, or to no revision at all: what the killed run made is gone.
    commit_slow_start(&host, 5, 2002);
    begin_apply(&host);
    host.sh("pkill -KILL -x watchme-apply");
    let fixed = host.tool(&["drift", "--fix"]);
    assert!([0, 2].contains(&fixed.status), "{}", fixed.text());
    assert_eq!(host.page("a"), "a 2001");
    assert!(
        host.property("slow.service", "ExecStart")
            .contains("sleep 2001")
    );
    assert_eq!(host.sh("pgrep -cf '^/bin/sleep 2001'"), "2", "one and slow");
    assert!(
        host.tool(&["drift"])
            .expect(2)
            .stdout
            .lines()
            .all(|line| !line.starts_with("drifted"))
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "a 2002");
}

#[test]
fn a_run_that_is_told_to_stop_rolls_back() {
    let host = applied_host();
    let picture = host.picture();
    for signal in ["TERM", "INT"] {
        commit_slow_start(&host, 3, 2001);
        begin_apply(&host);
        host.sh("pkill -HUP -x watchme-apply");
        host.sh(&format!("pkill -{signal} -x watchme-apply"));
        let (status, said) = end_of_apply(&host);
        assert_eq!(status, "3", "{said}");
        assert!(
            said.contains("rolled back") && said.contains("signal"),
            "{said}"
        );
        host.assert_unchanged(&picture, signal);
        assert_eq!(host.property("slow.service", "LoadState"), "not-found");
        assert_eq!(host.sh("pgrep -cf '^/bin/sleep 1001'"), "1");
        assert_eq!(host.page("a"), "a first");
    }
    commit_slow_start(&host, 3, 2002);
    begin_apply(&host);
    host.sh("pkill -HUP -x watchme-apply");
    assert_eq!(
        end_of_apply(&host).0,
        "0",
        "a lost connection is no reason to stop"
    );
    assert_eq!(host.page("a"), "a 2002");
}

/// Its old revision takes a while to come back, so that a rollback can be met in the middle.
#[test]
#[ignore = "long: tests/run --all"]
fn a_second_signal_does_not_disturb_the_roll_back() {
    let host = applied_host();
    host.commit(
        &[(&desired("systemd/one.service"), Some(&slow(2, 1001)))],
        "slow to restart",
    );
    host.apply(&[]).expect(0);
    let picture = host.picture();
    commit_slow_start(&host, 3, 2001);
    begin_apply(&host);
    host.sh("pkill -INT -x watchme-apply");
    host.wait_for("the rollback", SOON, || {
        host.read("/run/output")
            .contains("undo: restart one.service")
    });
    for signal in ["INT", "TERM", "INT", "HUP", "PIPE"] {
        host.sh(&format!("pkill -{signal} -x watchme-apply"));
    }
    let (status, said) = end_of_apply(&host);
    assert_eq!(status, "3", "{said}");
    host.assert_unchanged(&picture, "two signals");
    assert_eq!(host.sh("pgrep -cf '^/bin/sleep 1001'"), "1");
    assert_eq!(host.property("slow.service", "LoadState"), "not-found");
    assert_eq!(host.page("a"), "a first");
    assert!(!host.stands("/var/lib/watchme-apply/journal"));
    host.apply(&[]).expect(0);
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// The terminal of a person whose connection breaks: writes to it fail from then on, and SIGHUP comes.
#[test]
fn a_terminal_that_goes_away_stops_nothing() {
    let host = applied_host();
    commit_slow_start(&host, 3, 2001);
    host.sh(&format!(
        "cd {CHECKOUT}; setsid script -qfc 'exec watchme-apply apply' /run/output </dev/null >/dev/null 2>&1 &"
    ));
    host.wait_for("slow start", SOON, || {
        host.property("slow.service", "ActiveState") == "activating"
    });
    assert!(
        host.sh("tr -d '\\0' </proc/$(pgrep -x watchme-apply)/stat | cut -d' ' -f7") != "0",
        "it has a terminal"
    );
    host.sh("pkill -KILL -x script; pkill -PIPE -x watchme-apply");
    host.wait_for("end of the run", SOON, || {
        host.try_sh("pgrep -x watchme-apply").status == 1
    });
    assert_eq!(host.page("a"), "a 2001");
    assert!(host.is_active("slow.service"));
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// Nobody may be there to run anything after a power loss.
#[test]
fn a_killed_run_is_undone_at_boot() {
    let host = applied_host();
    commit_slow_start(&host, 5, 2001);
    begin_apply(&host);
    host.sh("pkill -KILL -x watchme-apply");
    assert!(
        host.stands("/etc/watchme-apply/next"),
        "switched, and not committed"
    );
    host.reboot();
    host.wait_for("end of the undo", SOON, || {
        !host.stands("/var/lib/watchme-apply/journal")
    });
    assert_eq!(
        host.property("watchme-apply-recover.service", "Result"),
        "success"
    );
    assert_eq!(host.page("a"), "a first");
    assert_eq!(host.property("slow.service", "LoadState"), "not-found");
    assert!(
        host.property("one.service", "ExecStart")
            .contains("sleep 1001")
    );
    assert!(host.is_active("one.service") && host.is_active("two.service"));
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "a 2001");
}
