//! Networks and volumes: who makes them first, what stands in their way, and how they go.

use std::time::{Duration, Instant};

use crate::support::network::{
    CREATE_NETWORK, INFRA, INFRA_UP, NETWORK, Server, infra_file, watchme_infra,
};
use crate::support::schema::json;
use crate::support::{CHECKOUT, Debian, Host};

const BOUND: Duration = Duration::from_secs(30);

/// How often the engine made the network since `since`.
fn creations(host: &Host, since: &str) -> usize {
    let events = host.docker_events(since);
    events
        .iter()
        .filter(|event| *event == "network create watchme-network")
        .count()
}

#[test]
fn a_missing_network_is_made_and_the_owner_unit_takes_it_as_its_own() {
    let host = Host::boot();
    Server::with_owner()
        .member("vault", ("up", "down"))
        .check_out(&host);

    let plan = host
        .assert_untouched(|host| host.tool(&["plan"]))
        .expect(0)
        .stdout;
    let (made, started) = (
        plan.find(CREATE_NETWORK),
        plan.find("watchme-infrastructure.service: start"),
    );
    assert!(made.is_some() && made < started, "{plan}");
    let told = host
        .tool(&["plan", "--detailed-exitcode", "--json"])
        .expect(2);
    let told = json("plan", &told.stdout);
    assert_eq!(told["changes"][0]["action"], "create-network", "{told}");

    let since = host.now();
    host.apply(&[]).expect(0);
    host.assert_network_as_desired();
    assert_eq!(
        creations(&host, &since),
        1,
        "{:?}",
        host.docker_events(&since)
    );
    host.assert_active("watchme-infrastructure.service");
    let id = host.network_id(NETWORK).expect("the network");
    host.wait_for("member", BOUND, || {
        host.names_on_network(NETWORK) == ["watchme-vault".to_owned()].into()
    });

    let by_hand = host.try_sh(&format!("{INFRA_UP} 2>&1")).expect(0).stdout;
    assert!(
        !by_hand.contains("network with name") && !by_hand.contains("WARNING"),
        "{by_hand}"
    );
    assert_eq!(host.network_id(NETWORK), Some(id), "made anew by compose");
    // The service that holds the network has nothing to do, and ends.
    wait_for_holder(&host);
    host.assert_does_nothing(&["apply"]).expect(0);
    a_look_at_the_network_asks_docker_only(&host);
}

fn a_look_at_the_network_asks_docker_only(host: &Host) {
    let is_bus = |path: &String| path.contains("dbus") || path.contains("systemd/private");
    let sockets = host.sockets_of(&["drift", "--only", "network"]);
    assert!(
        sockets.iter().any(|path| path.ends_with("docker.sock")),
        "{sockets:?}"
    );
    assert!(!sockets.iter().any(is_bus), "{sockets:?}");
    let sockets = host.sockets_of(&["drift"]);
    assert!(
        sockets.iter().any(is_bus),
        "the trace sees the bus: {sockets:?}"
    );

    let begun = Instant::now();
    let drift = host
        .tool(&["drift", "--only", "network", "--json"])
        .expect(0);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "not quick: {took:?}");
    let drift = json("drift", &drift.stdout);
    assert_eq!(
        (&drift["in_sync"], &drift["items"]),
        (&true.into(), &serde_json::json!([]))
    );
}

#[test]
fn a_network_that_compose_made_first_is_adopted() {
    let host = Host::boot();
    Server::with_owner().check_out(&host);
    host.sh(&format!("{INFRA_UP} 2>&1"));
    adopts(&host);
}

/// The container for which compose makes the network ends by itself.
fn wait_for_holder(host: &Host) {
    host.wait_for("end of the holder", BOUND, || {
        host.sh("docker ps -q --filter name=network-holder")
            .is_empty()
    });
}

#[test]
fn a_network_made_by_hand_is_adopted() {
    let host = Host::boot();
    Server::with_owner().check_out(&host);
    host.sh("docker network create --subnet 172.27.0.0/16 --gateway 172.27.0.1 watchme-network");
    host.run_container("by-hand", "--network watchme-network", "");
    if host.debian() == Debian::Thirteen {
        refused_until_replaced(&host);
        return;
    }
    adopts(&host);
    assert_eq!(host.on_network(NETWORK)["by-hand"], "172.27.0.2");
    assert_eq!(host.container("by-hand", "{{.State.Running}}"), "true");
}

/// Compose 2 takes no network without its labels: that is said before its owner fails.
fn refused_until_replaced(host: &Host) {
    let refused = host.assert_untouched(|host| host.apply(&[])).expect(1);
    for part in [
        "error:",
        "network/watchme-network",
        "was not created by compose",
        "watchme-infrastructure.service would not start",
    ] {
        assert!(refused.stderr.contains(part), "{part}:\n{}", refused.text());
    }
    host.sh("docker rm -f by-hand");
    let procedure = procedure(&refused.stderr);
    assert_eq!(
        procedure.len(),
        3,
        "stop, remove, apply:\n{}",
        refused.stderr
    );
    // The owner was never there to stop.
    assert!(
        procedure[0].ends_with("and stop the containers that it lists"),
        "{procedure:?}"
    );
    host.sh(&procedure[1]);
    host.apply(&[]).expect(0);
    host.assert_network_as_desired();
    host.assert_active("watchme-infrastructure.service");
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// Applies over a network that exists: it stays the same one, and the owner unit accepts it.
#[track_caller]
fn adopts(host: &Host) {
    let (id, since) = (host.network_id(NETWORK), host.now());
    assert!(id.is_some());
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(!plan.contains("create the network"), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!(host.network_id(NETWORK), id);
    assert_eq!(creations(host, &since), 0);
    host.assert_network_as_desired();
    host.assert_active("watchme-infrastructure.service");
    host.sh("systemctl restart watchme-infrastructure.service");
    assert_eq!(host.network_id(NETWORK), id);
    wait_for_holder(host);
    host.assert_does_nothing(&["apply"]).expect(0);
}

#[test]
fn a_network_in_the_way_is_refused_with_the_procedure_that_helps() {
    let host = Host::boot();
    Server::with_owner()
        .member("vault", ("up", "stop"))
        .check_out(&host);

    host.sh("docker network create --subnet 172.27.128.0/17 other");
    let refused = host.assert_untouched(|host| host.apply(&[])).expect(1);
    for part in [
        "error:",
        "network/watchme-network",
        "overlaps",
        "172.27.128.0/17",
        "other",
    ] {
        assert!(refused.stderr.contains(part), "{part}:\n{}", refused.text());
    }
    assert_eq!(host.network_id(NETWORK), None);
    host.sh("docker network rm other");
    host.apply(&[]).expect(0);

    let moved = infra_file("172.29.0.0/16", "172.29.0.1");
    host.commit(&[(INFRA, Some(&moved))], "another subnet");
    let plan = host.tool(&["plan"]);
    assert!(
        plan.text()
            .contains("172.27.0.0/16 instead of 172.29.0.0/16"),
        "{}",
        plan.text()
    );
    let refused = host.assert_untouched(|host| host.apply(&[])).expect(1);
    let procedure = procedure(&refused.stderr);
    assert_eq!(
        procedure.len(),
        3,
        "stop, remove, apply:\n{}",
        refused.stderr
    );
    for step in procedure {
        host.sh(&format!("cd {CHECKOUT}; {step}"));
    }
    let subnet = "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}";
    let now = host
        .run(&["docker", "network", "inspect", "-f", subnet, NETWORK])
        .expect(0)
        .stdout;
    assert_eq!(now.trim(), "172.29.0.0/16 172.29.0.1");
    host.assert_active("watchme-vault.service");
    host.wait_for("member on the new network", BOUND, || {
        host.on_network(NETWORK)
            .get("watchme-vault")
            .is_some_and(|address| address.starts_with("172.29."))
    });
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// The commands that a refusal names.
fn procedure(text: &str) -> Vec<String> {
    let commands = text.lines().map(str::trim);
    commands
        .filter(|line| {
            ["systemctl ", "docker network ", "watchme-apply"]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_left_the_desired_state_goes_when_nobody_uses_it_and_volumes_never_do() {
    let host = Host::boot();
    let more = "  extra-network:\n    name: extra-network\n    ipam: {config: [{subnet: 172.30.0.0/24}]}\n\
        volumes:\n  data:\n    name: watchme-data\n";
    Server::default()
        .with(INFRA, watchme_infra() + more)
        .check_out(&host);
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("volume/watchme-data: create the volume"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    let label = "{{index .Labels \"com.docker.compose.volume\"}} {{.Driver}}";
    let volume = host.run(&["docker", "volume", "inspect", "-f", label, "watchme-data"]);
    assert_eq!(volume.expect(0).stdout, "data local\n");
    let script = "sh -c 'echo kept >/data/file; exec sleep 1000'";
    host.run_container(
        "user",
        "--init --network extra-network -v watchme-data:/data",
        script,
    );

    host.commit(&[(INFRA, Some(&watchme_infra()))], "less");
    let applied = host.apply(&[]).expect(0);
    assert_reported(
        &applied.text(),
        "network/extra-network: left the desired state, and stays as long as user is on it",
    );
    assert_reported(
        &applied.text(),
        "volume/watchme-data: left the desired state; volumes are never removed",
    );
    assert_eq!(
        host.names_on_network("extra-network"),
        ["user".to_owned()].into()
    );
    let again = host.assert_does_nothing(&["apply"]).expect(0);
    assert_reported(&again.text(), "network/extra-network");
    assert_reported(&host.tool(&["status"]).text(), "extra-network");

    host.sh("docker rm -f user");
    assert_reported(
        &host.tool(&["plan"]).expect(0).stdout,
        "network/extra-network: remove the network",
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.network_id("extra-network"), None);
    host.assert_network_as_desired();
    let kept = host.sh("docker run --rm -v watchme-data:/data busybox:1.36.1 cat /data/file");
    assert_eq!(kept, "kept");
    let again = host.assert_does_nothing(&["apply"]).expect(0);
    assert_reported(&again.text(), "volume/watchme-data");
}

#[track_caller]
fn assert_reported(text: &str, words: &str) {
    assert!(text.contains(words), "not reported: {words}\n{text}");
}
