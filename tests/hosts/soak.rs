//! An old unit stays beside its replacement until the gates held for a while.

use crate::support::{Host, desired, service, sleeper};

const POLICY: &str = "soak = \"12s\"\n\n[[gate]]\nunit = \"new.service\"\nretries = 0\n";

#[test]
#[ignore = "long: tests/run --all"]
fn what_leaves_stays_until_the_gates_held() {
    let host = Host::boot();
    host.checkout(&[(&desired("systemd/old.service"), &sleeper(1001))]);
    host.apply(&[]).expect(0);
    let old = host.property("old.service", "InvocationID");

    let dies = service("/bin/sleep 7");
    let moved = |new: &str| {
        host.commit(
            &[
                (&desired("systemd/old.service"), None),
                (&desired("systemd/new.service"), Some(new)),
                (&desired("watchme.toml"), Some(POLICY)),
            ],
            "new takes the place of old",
        );
    };
    moved(&dies);
    let failed = host.apply(&[]).expect(3);
    assert!(
        failed.text().contains("unit new.service"),
        "{}",
        failed.text()
    );
    assert_eq!(host.property("old.service", "InvocationID"), old);
    assert!(host.is_active("old.service"));
    assert!(!host.stands("/etc/systemd/system/new.service"));

    host.commit(
        &[(&desired("systemd/new.service"), Some(&sleeper(1002)))],
        "one that lasts",
    );
    let done = host.apply(&[]).expect(0).stdout;
    assert!(
        done.contains("wait until the gates have passed for 12 s"),
        "{done}"
    );
    let at = |property: &str, unit: &str| -> u64 {
        let text = host.property(unit, property);
        text.parse().unwrap_or_else(|_| panic!("{unit}: {text}"))
    };
    let stopped = host.sh(
        "journalctl --sync; journalctl -o short-monotonic -u old.service --no-pager | grep 'Stopped old' | tail -1 | sed 's/^\\[ *\\([0-9]*\\).*/\\1/'",
    );
    let stopped: u64 = stopped.parse().expect("the second in which old stopped");
    let started = at("ActiveEnterTimestampMonotonic", "new.service") / 1_000_000;
    assert!(
        stopped >= started + 12,
        "new started at {started} s, old stopped at {stopped} s"
    );
    assert!(host.is_active("new.service") && !host.stands("/etc/systemd/system/old.service"));
    host.assert_does_nothing(&["apply"]).expect(0);
}
