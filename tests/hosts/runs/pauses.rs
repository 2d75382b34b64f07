//! Units that are kept stopped.

use super::{SOON, applied_host};
use crate::support::{desired, sleeper};

#[test]
fn a_paused_unit_stays_stopped_until_it_is_resumed() {
    let host = applied_host();
    host.tool(&["pause", "one", "--reason", "memory for a build"])
        .expect(0);
    assert!(!host.is_active("one.service"));
    let status = host.tool(&["status"]).expect(0).stdout;
    assert!(
        status.contains("paused one.service") && status.contains("memory for a build"),
        "{status}"
    );
    host.assert_does_nothing(&["apply"]).expect(0);
    host.assert_does_nothing(&["drift"]).expect(0);
    host.assert_does_nothing(&["drift", "--fix"]).expect(0);
    host.commit(
        &[(&desired("systemd/one.service"), Some(&sleeper(2001)))],
        "changed while paused",
    );
    host.apply(&[]).expect(0);
    assert!(
        !host.is_active("one.service"),
        "over an apply that changes it"
    );
    host.reboot();
    assert!(
        !host.is_active("one.service") && host.is_active("two.service"),
        "over a reboot"
    );
    host.tool(&["drift", "--fix"]).expect(0);
    assert!(!host.is_active("one.service"));

    host.tool(&["resume", "one.service"]).expect(0);
    assert!(host.is_active("one.service"));
    assert_eq!(host.sh("pgrep -cf '^/bin/sleep 2001'"), "1");
    assert!(!host.stands("/etc/systemd/system/one.service.d"));
    host.assert_does_nothing(&["drift"]).expect(0);

    host.tool(&["pause", "two", "--for", "3s", "--reason", "a moment"])
        .expect(0);
    assert!(!host.is_active("two.service"));
    host.wait_for("end of the pause", SOON, || {
        host.tool(&["drift"]).status == 2
    });
    host.tool(&["drift", "--fix"]).expect(0);
    assert!(host.is_active("two.service"));
    assert!(!host.stands("/etc/systemd/system/two.service.d"));
    host.assert_does_nothing(&["drift"]).expect(0);
    let unknown = host
        .assert_untouched(|host| host.tool(&["pause", "tow.service", "--reason", "x"]))
        .expect(1)
        .stderr;
    assert!(
        unknown.contains("two.service"),
        "the nearest one:\n{unknown}"
    );
}
