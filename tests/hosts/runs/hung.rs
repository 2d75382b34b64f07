//! Daemons that stop answering in the middle of a run: every wait has an end, and what could not be undone is told.

use std::time::{Duration, Instant};

use super::{applied_host, begin_apply, commit_slow_start};
use crate::support::network::{INFRA, NETWORK, POLICY, Server, watchme_infra};
use crate::support::{Host, desired, sleeper};

/// Each wait is bounded by seconds; together they may take minutes, and not more.
const BOUND: Duration = Duration::from_secs(200);

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
#[ignore = "long: tests/run --all"]
fn a_docker_engine_that_hangs_in_the_middle() {
    let host = applied_host();
    host.commit(&[(INFRA, Some(&watchme_infra()))], "a network");
    host.apply(&[]).expect(0);
    commit_slow_start(&host, 4, 2001);
    let (status, said) = apply_while_hung(&host, "dockerd");
    assert_eq!(status, "4", "{said}");
    assert!(
        said.contains("the rollback is incomplete") && said.contains("Docker"),
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
#[ignore = "long: tests/run --all"]
fn a_system_bus_that_hangs_in_the_middle() {
    let host = applied_host();
    let bounded = "[unit.\"slow.service\"]\nstart_timeout = \"10s\"\n";
    host.commit(&[(&desired("watchme.toml"), Some(bounded))], "bounded");
    commit_slow_start(&host, 4, 2001);
    let (status, said) = apply_while_hung(&host, "dbus-daemon");
    assert_eq!(status, "4", "{said}");
    assert!(
        said.contains("the rollback is incomplete") && said.contains("systemd"),
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

/// A host with containers on a network, whose next commit changes the unit of one and has one that takes a while to
/// start.
fn host_with_containers() -> Host {
    let host = Host::boot();
    // While nobody answers on Docker's socket, each ExecStop waits for its bound; systemd's own is 90 s, twice.
    host.write(
        "/etc/systemd/system.conf.d/stop.conf",
        "[Manager]\nDefaultTimeoutStopSec=15s\n",
    );
    host.sh("systemctl daemon-reexec");
    Server::with_owner()
        .member("vault", ("up", "down"))
        .member("scheduler", ("up", "down"))
        .with(
            POLICY,
            "[network.watchme-network]\nowner = 'watchme-infrastructure.service'\n\
             [[network.watchme-network.member]]\ncontainer = 'watchme-vault'\n\
             [[network.watchme-network.member]]\ncontainer = 'watchme-scheduler'\n",
        )
        .with(&desired("systemd/one.service"), sleeper(1001))
        .check_out(&host);
    host.apply(&[]).expect(0);
    let unit = desired("systemd/watchme-vault.service");
    let changed = host.sh(&format!(
        "sed 's/^Restart=.*/Restart=on-failure/' /home/ubuntu/watchme-server-configs/{unit}"
    ));
    host.commit(
        &[
            (&unit, Some(&format!("{changed}\n"))),
            (
                &desired("systemd/a-slow.service"),
                Some(&super::slow(4, 2001)),
            ),
            (
                &desired("systemd/slow.service"),
                Some(&super::slow(4, 2002)),
            ),
        ],
        "changed",
    );
    host
}

fn on_it(host: &Host) -> Vec<String> {
    host.names_on_network(NETWORK).into_iter().collect()
}

#[test]
#[ignore = "long: tests/run --all"]
fn an_engine_that_hangs_while_containers_are_replaced() {
    let host = host_with_containers();
    let (status, said) = apply_while_hung(&host, "dockerd");
    assert_eq!(status, "4", "{said}");
    for part in ["the rollback is incomplete", "systemctl restart docker"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    host.apply(&[]).expect(0);
    assert_eq!(on_it(&host), ["watchme-scheduler", "watchme-vault"]);
    assert!(host.is_active("slow.service") && host.is_active("one.service"));
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
#[ignore = "long: tests/run --all"]
fn an_engine_that_is_killed_comes_back_with_its_containers() {
    let host = host_with_containers();
    begin_apply(&host);
    host.sh("pkill -KILL -x dockerd");
    host.wait_for("end of the run", BOUND, || host.stands("/run/status"));
    let status = host.read("/run/status").trim().to_owned();
    let said = host.read("/run/output");
    assert!(["0", "3", "4"].contains(&status.as_str()), "{said}");
    host.wait_for("answer of the engine", Duration::from_secs(60), || {
        host.run(&["docker", "version"]).status == 0
    });
    println!("the engine was killed: the run ended with {status}");
    host.apply(&[]).expect(0);
    assert_eq!(on_it(&host), ["watchme-scheduler", "watchme-vault"]);
    host.assert_does_nothing(&["apply"]).expect(0);
    // A member that does not come back by itself is named.
    host.sh("systemctl stop watchme-vault");
    let drift = host.tool(&["drift"]).expect(2).text();
    assert!(drift.contains("watchme-vault"), "{drift}");
}
