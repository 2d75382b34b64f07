//! Members of a network: found by name or by compose service, connected again with their names, and shown with the
//! reason when they do not run.

use std::time::Duration;

use serde_json::Value;

use crate::support::Host;
use crate::support::network::{
    NETWORK, POLICY, Server, field, marks, members, network_drift, policy, told,
};

const BOUND: Duration = Duration::from_secs(30);

#[test]
#[ignore = "long: tests/run --all"]
fn members_that_were_taken_off_are_reconnected_with_all_their_names() {
    let host = Host::boot();
    let vault = [
        "container_name: watchme-vault",
        "networks: {watchme-network: {aliases: [store]}}",
    ];
    Server::with_owner()
        .service("vault", ("up", "down"), &vault)
        .service(
            "sed",
            ("up --scale sed=2", "down"),
            &["networks: [watchme-network]"],
        )
        .with(
            POLICY,
            policy(&[
                "container = 'watchme-vault', aliases = ['vault-api']",
                "project = 'sed', service = 'sed', aliases = ['sed-api']",
            ]),
        )
        .check_out(&host);
    host.apply(&[]).expect(0);
    let [first, second] = [1, 2].map(|number| host.container_of("sed", "sed", number));
    let (first, second) = (first.as_str(), second.as_str());
    let all = [first, second, "watchme-vault"].map(str::to_owned);
    assert_eq!(
        host.names_on_network(NETWORK),
        all.clone().into(),
        "both replicas are there"
    );
    let vault_names = ["watchme-vault", "vault", "store", "vault-api"];
    for name in vault_names {
        assert!(host.reaches(first, name), "before: {name}");
    }

    let untouched = marks(&host, first);
    let (vault, replica) = (
        host.container("watchme-vault", "{{.Id}}"),
        host.container(second, "{{.Id}}"),
    );
    host.sh("docker network disconnect watchme-network watchme-vault");
    host.sh(&format!(
        "docker network disconnect watchme-network {second}"
    ));
    assert!(!host.reaches(first, "watchme-vault"));
    let found = host.assert_untouched(|host| network_drift(host, &[], 2));
    let lost = [second, "watchme-vault"]
        .map(|name| format!("drifted watchme-network/{name}: is not on the network"));
    for (told, lost) in told(&found["items"]).iter().zip(lost) {
        assert!(
            told.starts_with("drifted watchme-network/") && told.contains("not on the network"),
            "{told}, not {lost}"
        );
    }
    assert_eq!(found["items"].as_array().map(Vec::len), Some(2), "{found}");

    let fixed = network_drift(&host, &["--fix"], 0);
    assert_eq!(told(&fixed["fixed"]), told(&found["items"]));
    assert_eq!(
        (&fixed["in_sync"], told(&fixed["items"]).len()),
        (&Value::Bool(true), 0)
    );
    assert_eq!(host.names_on_network(NETWORK), all.into());
    for name in vault_names {
        assert!(host.reaches(first, name), "after: {name}");
    }
    assert!(
        host.reaches(second, "vault-api"),
        "the replica is connected"
    );
    for alias in ["sed", "sed-api"] {
        let aliases = host.container(
            second,
            "{{range .NetworkSettings.Networks}}{{.Aliases}}{{end}}",
        );
        assert!(
            aliases
                .trim_matches(['[', ']'])
                .split(' ')
                .any(|known| known == alias),
            "{alias}: {aliases}"
        );
    }
    assert_eq!(
        marks(&host, first),
        untouched,
        "who was connected stays as it is"
    );
    assert_eq!(
        host.container("watchme-vault", "{{.Id}}"),
        vault,
        "not made anew"
    );
    assert_eq!(host.container(second, "{{.Id}}"), replica, "not made anew");
    host.assert_does_nothing(&["drift", "--only", "network", "--fix"])
        .expect(0);
}

#[test]
fn members_that_do_not_run_are_shown_with_the_reason_and_not_started() {
    let host = Host::boot();
    Server::new()
        .with(
            POLICY,
            policy(&[
                "container = 'steady', address = '172.27.0.50'",
                "container = 'stopped'",
                "container = 'quitter'",
                "container = 'hungry'",
                "container = 'sick', aliases = ['patient']",
                "container = 'nobody'",
            ]),
        )
        .check_out(&host);
    host.apply(&[]).expect(0);
    let on = "--network watchme-network";
    host.run_container("steady", on, "");
    host.run_container("stranger", on, "");
    host.run_container("stopped", on, "");
    host.run_container(
        "quitter",
        &format!("{on} --restart on-failure:2"),
        "sh -c 'exit 7'",
    );
    host.run_container(
        "hungry",
        &format!("{on} -m 16m --memory-swap 16m"),
        "busybox tail /dev/zero",
    );
    let check = "--health-cmd false --health-interval 200ms --health-retries 1";
    host.run_container("sick", &format!("{on} --network-alias patient {check}"), "");
    host.sh("docker stop -t 0 stopped");
    host.wait_for("end of those that end", BOUND, || {
        let hungry = host.container(
            "hungry",
            "{{.State.Status}} {{.State.OOMKilled}} {{.State.ExitCode}}",
        );
        // An engine that is busy elsewhere may miss why the kernel killed it.
        if hungry == "exited false 137" {
            host.sh("docker start hungry");
        }
        host.container("quitter", "{{.State.Status}} {{.RestartCount}}") == "exited 2"
            && hungry == "exited true 137"
            && host.container("sick", "{{.State.Health.Status}}") == "unhealthy"
    });

    let found = host.assert_untouched(|host| network_drift(host, &[], 2));
    let expected = [
        ("hungry", &["137", "killed for lack of memory"][..]),
        ("nobody", &["no such container"]),
        ("quitter", &["status 7", "restarted 2 times"]),
        ("sick", &["unhealthy"]),
        ("stopped", &["exited", "137"]),
    ];
    let told = told(&found["items"]);
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, (name, parts)) in told.iter().zip(expected) {
        assert!(
            told.starts_with(&format!("degraded watchme-network/{name}: ")),
            "{told}"
        );
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
    let fixed = host.assert_untouched(|host| network_drift(host, &["--fix"], 2));
    assert_eq!(
        (fixed["fixed"].as_array().map(Vec::len), &fixed["items"]),
        (Some(0), &found["items"])
    );

    status_tells_the_same(&host, &expected);
    the_table_tells_it_to_people(&host);
}

fn status_tells_the_same(host: &Host, expected: &[(&str, &[&str])]) {
    let members = members(host);
    for (name, parts) in expected {
        if *name == "sick" {
            continue;
        }
        let why = field(&members, name, "why_not")
            .as_str()
            .unwrap_or_default();
        assert!(parts.iter().all(|part| why.contains(part)), "{name}: {why}");
        assert_eq!(
            (
                field(&members, name, "running"),
                field(&members, name, "connected")
            ),
            (&false.into(), &false.into())
        );
    }
    let address = host.on_network(NETWORK)["steady"].clone();
    assert_eq!(field(&members, "steady", "address"), &Value::from(address));
    assert_eq!(field(&members, "steady", "expected_address"), "172.27.0.50");
    assert_eq!(field(&members, "steady", "pinned"), false);
    assert_eq!(field(&members, "sick", "health"), "unhealthy");
    assert_eq!(
        field(&members, "sick", "aliases"),
        &serde_json::json!(["patient"])
    );
}

fn the_table_tells_it_to_people(host: &Host) {
    let status = host.assert_does_nothing(&["status"]).expect(0).stdout;
    let line = |start: &str| {
        let line = status
            .lines()
            .find(|line| line.trim_start().starts_with(start));
        line.unwrap_or_else(|| panic!("no line {start} in\n{status}"))
            .to_owned()
    };
    let address = &host.on_network(NETWORK)["steady"];
    for (start, parts) in [
        ("network watchme-network", &["172.27.0.0/16"][..]),
        ("steady", &["running", address, "(expected 172.27.0.50)"]),
        ("hungry", &["exited", "137", "killed for lack of memory"]),
        ("quitter", &["status 7"]),
        ("sick", &["unhealthy", "patient"]),
        ("nobody", &["no such container"]),
        ("foreign", &["stranger"]),
        ("2 of 6", &["connected"]),
    ] {
        let line = line(start);
        assert!(
            parts.iter().all(|part| line.contains(part)),
            "{parts:?}: {line}"
        );
    }
}
