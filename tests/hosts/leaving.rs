//! A network and the units on it leave git in one commit.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::network::{INFRA, NETWORK, OWNER, POLICY, Server};
use crate::support::{CHECKOUT, Host, desired, service, site, sleeper};

const POLICY_TEXT: &str = "[network.watchme-network]\nowner = 'watchme-infrastructure.service'\n\
    [[network.watchme-network.member]]\ncontainer = 'watchme-vault'\n\
    [[network.watchme-network.member]]\ncontainer = 'watchme-scheduler'\n\
    [[network.watchme-network.member]]\ncontainer = 'lodger'\n";

/// A host with the network, its owner, two units on it, of which one keeps its stopped container,
/// and a member that no unit runs.
fn host() -> Host {
    let host = Host::boot();
    Server::with_owner()
        .member("vault", ("up", "stop"))
        .member("scheduler", ("up", "down"))
        .with(&desired("sites-available/a"), site("a", "stays"))
        .with(POLICY, POLICY_TEXT)
        .check_out(&host);
    host.run_container("lodger", "", "");
    host.apply(&[]).expect(0);
    assert_eq!(
        on_it(&host),
        ["lodger", "watchme-scheduler", "watchme-vault"]
    );
    host
}

fn on_it(host: &Host) -> Vec<String> {
    host.names_on_network(NETWORK).into_iter().collect()
}

fn leave(host: &Host, more: &[(&str, Option<&str>)]) {
    let gone = [
        INFRA,
        OWNER,
        POLICY,
        "desired-state/systemd/watchme-vault.service",
        "desired-state/systemd/watchme-scheduler.service",
        "desired-state/compose/vault/docker-compose.yml",
        "desired-state/compose/scheduler/docker-compose.yml",
    ];
    let gone = gone.map(|path| (path, None));
    host.commit(&[&gone[..], more].concat(), "all of the network leaves");
}

fn assert_gone(host: &Host) {
    assert_eq!(host.network_id(NETWORK), None);
    for unit in [
        "watchme-infrastructure",
        "watchme-vault",
        "watchme-scheduler",
    ] {
        assert_eq!(host.property(unit, "LoadState"), "not-found", "{unit}");
    }
    assert_eq!(host.container("lodger", "{{.State.Running}}"), "true");
    assert_eq!(host.page("a"), "stays");
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
fn a_network_and_the_units_on_it_leave_in_one_commit() {
    let host = host();
    leave(&host, &[]);
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(plan.contains("network/watchme-network"), "{plan}");
    host.apply(&[]).expect(0);
    assert_gone(&host);
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_somebody_else_put_on_it_keeps_the_network_and_is_named() {
    let host = host();
    host.run_container("by-hand", "--network watchme-network", "");
    leave(&host, &[]);
    let free = "docker network disconnect -f watchme-network by-hand";
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(plan.contains(free), "{plan}");
    host.apply(&[]).expect(0);
    assert!(on_it(&host).contains(&"by-hand".to_owned()));
    let drift = host.tool(&["drift"]).expect(2).text();
    assert!(drift.contains(free), "{drift}");
    host.sh(free);
    host.sh("docker network disconnect -f watchme-network lodger || true");
    host.apply(&[]).expect(0);
    assert_gone(&host);
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_roll_back_brings_the_network_and_all_that_was_on_it_back() {
    let host = host();
    let all: BTreeSet<String> = on_it(&host).into_iter().collect();
    // A unit that stops with an error after the network is gone makes nothing fail; one that
    // comes instead and does not stay up does.
    leave(
        &host,
        &[(
            &desired("systemd/bad.service"),
            Some(&service("/bin/false")),
        )],
    );
    host.apply(&[]).expect(3);
    assert_eq!(host.names_on_network(NETWORK), all);
    // Killed when everything has stopped and the network is going.
    host.commit(&[(&desired("systemd/bad.service"), None)], "without bad");
    host.sh(&format!(
        "cd {CHECKOUT}; setsid watchme-apply apply </dev/null >/run/output 2>&1 &"
    ));
    host.wait_for("end of the network", Duration::from_secs(120), || {
        host.network_id(NETWORK).is_none()
    });
    host.sh("pkill -KILL -x watchme-apply || true");
    host.apply(&[]).expect(0);
    assert_gone(&host);
}

/// `stop` takes neither containers nor networks away, unlike `down`.
#[test]
fn what_a_project_leaves_behind_is_named() {
    let host = Host::boot();
    host.load_service_images(&[crate::support::Service {
        image: "app:1",
        port: 8000,
        paths: &[],
    }]);
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/compose/old/docker-compose.yml");
    let unit = format!(
        "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\nExecStart={compose} up\n\
         ExecStop={compose} stop -t 1\n\n[Install]\nWantedBy=multi-user.target\n"
    );
    host.checkout(&[
        (&desired("systemd/old.service"), &unit),
        (&desired("systemd/one.service"), &sleeper(1000)),
        (
            "compose/old/docker-compose.yml",
            "services:\n  app:\n    image: app:1\n    container_name: old-app\n",
        ),
    ]);
    host.apply(&[]).expect(0);
    host.commit(&[(&desired("systemd/old.service"), None)], "old goes");
    let applied = host.apply(&["--yes"]).expect(0).text();
    assert!(
        applied.contains(
            "no unit runs the compose project old any more, and it left stopped containers (old-app) and networks \
             (old_default): docker rm old-app; docker network rm old_default"
        ),
        "{applied}"
    );
    host.sh("docker rm old-app; docker network rm old_default");
    host.assert_does_nothing(&["apply"]).expect(0);
}
