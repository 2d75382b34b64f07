//! Plain services with their drop-ins.

use super::{NOBODY, applied_host, change};
use crate::support::{CHECKOUT, Host, desired, service, site, sleeper};

#[test]
fn a_change_of_a_unit_restarts_it_alone() {
    let host = applied_host();
    let workers = host.nginx_workers();
    assert_eq!(
        change(&host, "systemd/two.service", Some(&sleeper(2002))),
        ["two.service"]
    );
    assert!(
        host.property("two.service", "ExecStart")
            .contains("sleep 2002")
    );
    assert_eq!(
        host.sh("cat /proc/$(systemctl show -P MainPID two.service)/cmdline | tr '\\0' ' '"),
        "/bin/sleep 2002"
    );

    assert_eq!(
        change(
            &host,
            "systemd/three.service.d/nice.conf",
            Some("[Service]\nNice=5\n")
        ),
        ["three.service"]
    );
    assert_eq!(host.property("three.service", "Nice"), "5");
    host.assert_linked(
        "/etc/systemd/system/three.service.d/nice.conf",
        "desired-state/systemd/three.service.d/nice.conf",
    );
    assert_eq!(
        change(
            &host,
            "systemd/three.service.d/nice.conf",
            Some("[Service]\nNice=7\n")
        ),
        ["three.service"]
    );
    assert_eq!(
        host.sh("ps -o ni= -p $(systemctl show -P MainPID three.service)")
            .trim(),
        "7"
    );
    assert_eq!(
        change(&host, "systemd/three.service.d/nice.conf", None),
        ["three.service"]
    );
    assert_eq!(host.property("three.service", "Nice"), "0");
    assert_eq!(host.property("three.service", "DropInPaths"), "");
    assert!(!host.stands("/etc/systemd/system/three.service.d"));

    assert_eq!(
        change(&host, "systemd/four.service", Some(&sleeper(1004))),
        NOBODY
    );
    assert!(host.is_active("four.service"));
    assert_eq!(
        host.wants_links("four.service"),
        ["multi-user.target.wants/four.service"]
    );

    a_removed_unit_is_forgotten(&host);
    a_renamed_unit_runs_under_its_new_name(&host);
    assert_eq!(host.nginx_workers(), workers, "nginx had no part in this");
    a_unit_that_fails_is_rolled_back(&host);
    host.reboot();
    for unit in ["one.service", "two.service", "fourth.service"] {
        assert!(host.is_active(unit), "{unit} after the reboot");
    }
    assert_eq!(host.property("three.service", "LoadState"), "not-found");
}

fn a_removed_unit_is_forgotten(host: &Host) {
    assert_eq!(
        change(
            host,
            "systemd/three.service.d/nice.conf",
            Some("[Service]\nNice=7\n")
        ),
        ["three.service"]
    );
    let pid = host.property("three.service", "MainPID");
    let paths = [
        (desired("systemd/three.service"), None),
        (desired("systemd/three.service.d"), None),
    ];
    host.commit(
        &paths
            .each_ref()
            .map(|(path, content)| (path.as_str(), *content)),
        "three goes",
    );
    let before = host.runs(&["one.service", "two.service", "four.service"]);
    host.apply(&[]).expect(0);
    let after = host.runs(&["one.service", "two.service", "four.service"]);
    assert_eq!(after.restarted_since(&before), NOBODY);
    assert!(!host.stands(&format!("/proc/{pid}/exe")), "it was stopped");
    for path in ["/etc/systemd/system", "/etc/watchme-apply/live/systemd"] {
        assert_eq!(host.sh(&format!("find {path} -name 'three*'")), "");
    }
    assert_eq!(
        host.property("three.service", "LoadState"),
        "not-found",
        "systemd forgot it"
    );
    assert_eq!(
        host.sh("systemctl list-units --all --plain --no-legend 'three*'"),
        ""
    );
}

fn a_renamed_unit_runs_under_its_new_name(host: &Host) {
    host.sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}/desired-state/systemd; git mv four.service fourth.service"),
    );
    host.commit(&[], "renamed");
    host.apply(&[]).expect(0);
    assert!(host.is_active("fourth.service"));
    assert_eq!(host.property("four.service", "LoadState"), "not-found");
    assert_eq!(host.sh("pgrep -cf '^/bin/sleep 1004'"), "1");
    assert_eq!(
        host.wants_links("four*.service"),
        ["multi-user.target.wants/fourth.service"]
    );
}

fn a_unit_that_fails_is_rolled_back(host: &Host) {
    let (picture, before) = (
        host.picture(),
        host.runs(&["one.service", "fourth.service"]),
    );
    host.commit(
        &[
            (
                "desired-state/systemd/two.service",
                Some(&service("/bin/sh -c 'echo no such config; exit 1'")),
            ),
            ("desired-state/systemd/added.service", Some(&sleeper(1005))),
            (
                "desired-state/sites-available/a",
                Some(&site("a", "a with a bad unit")),
            ),
        ],
        "a command that fails",
    );
    let failed = host.apply(&[]).expect(3).stderr;
    for part in ["two.service", "rolled back", "no such config"] {
        assert!(failed.contains(part), "{part} is not in\n{failed}");
    }
    host.assert_unchanged(&picture, "no generation either");
    let after = host.runs(&["one.service", "fourth.service"]);
    assert_eq!(after.restarted_since(&before), NOBODY);
    assert!(host.is_active("two.service"));
    assert!(
        host.property("two.service", "ExecStart")
            .contains("sleep 2002")
    );
    assert_eq!(host.property("two.service", "NeedDaemonReload"), "no");
    assert_eq!(host.property("added.service", "LoadState"), "not-found");
    assert_eq!(host.page("a"), "a first");
    let drift = host.tool(&["drift"]).expect(2).stdout;
    assert!(
        drift
            .lines()
            .all(|line| !line.starts_with("drifted") && !line.starts_with("unloaded")),
        "{drift}"
    );
}
