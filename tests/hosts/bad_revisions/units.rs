//! Units that do not start, or do not stay.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use super::Before;
use crate::support::{CHECKOUT, Host, desired, service, sleeper};

const UNIT: &str = "systemd/one.service";
/// How long a unit has to stay active, unless watchme.toml says otherwise.
const SETTLE: Duration = Duration::from_secs(3);

#[test]
#[ignore = "long: tests/run --all"]
fn a_unit_that_does_not_stay_up_leaves_the_old_one() {
    let before = Before::boot();
    let one = desired(UNIT);
    let without = service("/usr/bin/no-such-command");
    before.assert_refused(
        "a command that is missing",
        &[(&one, Some(&without))],
        &["one.service"],
        &["one.service", "/usr/bin/no-such-command"],
    );

    let (early, late) = (part_of(SETTLE / 2), SETTLE / 2 + part_of(SETTLE / 2));
    // Not so late that the look that would have seen it comes after the settle time.
    for life in [early, late.min(SETTLE - Duration::from_millis(300))] {
        let dying = dying_after(life);
        before.assert_refused(
            &format!("a unit that dies after {life:?}"),
            &[(&one, Some(&dying))],
            &["one.service"],
            // What systemd wrote of it may reach the journal after it was read.
            &[
                "one.service did not stay up",
                "status=7 or exited with status 7",
            ],
        );
    }
    before.assert_goes_on();
    one_that_dies_later_is_degraded(&before.host, &one);
}

/// The apply could not know, but the next look does, although systemd has started it again.
fn one_that_dies_later_is_degraded(host: &Host, one: &str) {
    let dying = dying_after(SETTLE + Duration::from_secs(4));
    host.commit(&[(one, Some(&dying))], "dies later");
    host.apply(&[]).expect(0);
    host.tool(&["drift"]).expect(0);
    host.wait_for("death and another start", Duration::from_secs(20), || {
        host.property("one.service", "NRestarts") != "0" && host.is_active("one.service")
    });
    let drift = host.tool(&["drift"]).expect(2);
    let about_it = |line: &str| line.starts_with("degraded") && line.contains("one.service");
    assert!(drift.stdout.lines().any(about_it), "{}", drift.text());
    host.commit(&[(one, Some(&sleeper(1001)))], "mended");
    host.apply(&[]).expect(0);
    host.tool(&["drift"]).expect(0);
}

/// A unit that systemd keeps restarting.
fn dying_after(life: Duration) -> String {
    format!(
        "[Service]\nExecStart=/bin/sh -c 'sleep {:.3}; exit 7'\nRestart=always\n\n[Install]\nWantedBy=multi-user.target\n",
        life.as_secs_f64()
    )
}

/// A random part of a time; in whole milliseconds, so that a failure can be tried again by hand.
fn part_of(whole: Duration) -> Duration {
    let random = RandomState::new().hash_one(0);
    let millis = u64::try_from(whole.as_millis()).expect("a short time");
    Duration::from_millis(random % millis)
}

/// What a unit wrote as it ended is on its way to the journal, whose daemon is held up for a second here.
#[test]
fn the_last_words_of_a_unit_are_waited_for() {
    let host = Host::boot();
    let script = "#!/bin/sh
journald=$(systemctl show -p MainPID --value systemd-journald)
systemd-run -q --on-active=1s --timer-property=AccuracySec=10ms /bin/kill -CONT $journald
kill -STOP $journald
echo 'the reason why it does not start' >&2
exit 1
";
    let unit = service(&format!("{CHECKOUT}/scripts/ends.sh"));
    let unit = unit.replace("[Service]\n", "[Service]\nType=oneshot\n");
    host.checkout(&[("scripts/ends.sh", script), (&desired(UNIT), &unit)]);
    let failed = host.apply(&[]).expect(3).stderr;
    assert!(
        failed.contains("the reason why it does not start"),
        "{failed}"
    );
}
