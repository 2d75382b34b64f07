//! Daemons that stop answering in the middle of a run: every wait has an end, and what could not be undone is told.

use std::time::{Duration, Instant};

use super::{applied_host, begin_apply, commit_slow_start};
use crate::support::network::{INFRA, watchme_infra};
use crate::support::{Host, desired};

/// Each wait is bounded by seconds; together they may take minutes, and not more.
const BOUND: Duration = Duration::from_secs(280);

/// Begins an apply, stops a daemon while a unit starts, and returns how the run ended.
fn apply_while_hung(host: &Host, daemon: &str) -> (String, String) {
    begin_apply(host);
    host.sh(&format!("pkill -STOP -x {daemon}"));
    let began = Instant::now();
    host.wait_for("end of the run", BOUND, || host.stands("/run/status"));
    println!("{daemon} hung: the run ended after {:?}", began.elapsed());
    host.sh(&format!("pkill -CONT -x {daemon}"));
    (
        host.read("/run/status").trim().to_owned(),
        host.read("/run/output"),
    )
}

#[test]
fn a_docker_engine_that_hangs_in_the_middle() {
    let host = applied_host();
    host.commit(&[(INFRA, Some(&watchme_infra()))], "a network");
    host.apply(&[]).expect(0);
    commit_slow_start(&host, 4, 2001);
    let (status, said) = apply_while_hung(&host, "dockerd");
    assert_eq!(status, "4", "{said}");
    assert!(
        said.contains("the roll-back is incomplete") && said.contains("Docker"),
        "{said}"
    );
    assert_eq!(host.page("a"), "a first");
    assert!(!host.stands("/etc/systemd/system/slow.service"));
    assert!(
        host.property("one.service", "ExecStart")
            .contains("sleep 1001")
    );
    host.sh("nginx -t");
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "a 2001");
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
fn a_system_bus_that_hangs_in_the_middle() {
    let host = applied_host();
    let bounded = "[unit.\"slow.service\"]\nstart_timeout = \"10s\"\n";
    host.commit(&[(&desired("watchme.toml"), Some(bounded))], "bounded");
    commit_slow_start(&host, 4, 2001);
    let (status, said) = apply_while_hung(&host, "dbus-daemon");
    assert_eq!(status, "4", "{said}");
    assert!(
        said.contains("the roll-back is incomplete") && said.contains("systemd"),
        "{said}"
    );
    host.sh("nginx -t");
    assert_eq!(
        host.page("a"),
        "a first",
        "nginx was to come after the units"
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.page("a"), "a 2001");
    assert!(host.is_active("slow.service") && host.is_active("one.service"));
    host.assert_does_nothing(&["apply"]).expect(0);
}
