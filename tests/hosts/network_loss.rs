//! What happens to a network's members when it is lost, and what is done when Docker does not answer at all.

use std::time::Duration;

use crate::support::network::{CREATE_NETWORK, NETWORK, POLICY, Server};
use crate::support::schema::json;
use crate::support::{CHECKOUT, Host};

const BOUND: Duration = Duration::from_secs(60);

#[test]
#[ignore = "long: tests/run --all"]
fn a_network_made_anew_under_stopped_containers_gets_them_back() {
    let host = Host::boot();
    let server = Server::with_owner().member("vault", ("up", "stop"));
    let members = "[network.watchme-network]\nowner = 'watchme-infrastructure.service'\n\
        [[network.watchme-network.member]]\ncontainer = 'watchme-vault'\n\
        [[network.watchme-network.member]]\ncontainer = 'watchme-scheduler'\n";
    server
        .member("scheduler", ("up", "down"))
        .with(POLICY, members)
        .check_out(&host);
    host.apply(&[]).expect(0);
    host.run_container(
        "by-hand",
        "--network watchme-network --network-alias helper",
        "",
    );
    let all = ["by-hand", "watchme-scheduler", "watchme-vault"].map(str::to_owned);
    assert_eq!(host.names_on_network(NETWORK), all.clone().into());

    let old = remove_under_stopped_containers(&host);
    let found = host.tool(&["drift", "--only", "network"]).expect(2).stdout;
    assert!(
        found.contains("network/watchme-network: ")
            && found.contains("member/watchme-network/watchme-vault: "),
        "{found}"
    );
    let fixed = host
        .tool(&["drift", "--only", "network", "--fix", "--json"])
        .expect(2);
    let left = json("drift", &fixed.stdout);
    for item in left["items"].as_array().expect("items") {
        assert_eq!(
            item["kind"], "degraded",
            "only what does not run is left: {item}"
        );
    }
    let new = host.network_id(NETWORK).expect("the network");
    assert_ne!(new, old);
    host.assert_network_as_desired();
    // Docker fills in the new id when a container starts. One of compose 2 was made by the old id, and is gone.
    let held =
        "{{.HostConfig.NetworkMode}}{{range .NetworkSettings.Networks}} {{.NetworkID}}{{end}}";
    let held = host.sh(&format!("docker inspect -f '{held}' $(docker ps -aq)"));
    assert!(!held.contains(&old), "{held}");
    let by_hand = "{{range $name, $on := .NetworkSettings.Networks}}{{$name}}{{end}}";
    assert_eq!(host.container("by-hand", by_hand), NETWORK);

    host.sh("docker start by-hand");
    host.sh("systemctl start watchme-infrastructure watchme-vault watchme-scheduler");
    all_connected(&host, &all);
    assert!(
        host.reaches("watchme-vault", "helper"),
        "an alias given by hand"
    );
    host.sh("systemctl restart watchme-infrastructure");
    all_connected(&host, &all);
    host.sh("systemctl restart watchme-vault; systemctl restart watchme-scheduler");
    all_connected(&host, &all);

    host.reboot();
    all_connected(&host, &all[1..]);
    assert_eq!(host.network_id(NETWORK), Some(new));
    host.wait_for("sync after the reboot", BOUND, || {
        host.tool(&["drift"]).status == 0
    });

    remove_under_stopped_containers(&host);
    host.apply(&[]).expect(0);
    all_connected(&host, &all[1..]);
    host.assert_network_as_desired();
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// Stops what is on the network and removes it; returns its id.
fn remove_under_stopped_containers(host: &Host) -> String {
    let id = host.network_id(NETWORK).expect("the network");
    host.sh("systemctl stop watchme-infrastructure; docker stop by-hand >/dev/null");
    assert_eq!(host.sh("docker ps -q"), "");
    host.sh("docker network rm watchme-network");
    id
}

/// Waits until exactly these are on the network, and asks one from another by name.
#[track_caller]
fn all_connected(host: &Host, names: &[String]) {
    let names = names.to_vec();
    host.wait_for("connection of all", BOUND, || {
        host.names_on_network(NETWORK) == names.iter().cloned().collect()
    });
    for unit in ["infrastructure", "vault", "scheduler"] {
        host.assert_active(&format!("watchme-{unit}.service"));
    }
    host.wait_for("answer by name", BOUND, || {
        host.reaches("watchme-vault", "watchme-scheduler")
    });
    assert!(
        host.reaches("watchme-scheduler", "vault"),
        "by the name of its service"
    );
}

const SITE: &str = "desired-state/sites-available/site.example.com";

#[test]
fn without_docker_only_what_needs_none_is_done() {
    let host = Host::boot();
    let site = "server {\n    listen 80;\n    server_name site.example.com;\n    location / { return 200 'the site'; }\n}\n";
    Server::with_owner().with(SITE, site).check_out(&host);
    host.sh("systemctl stop docker.service docker.socket");

    let before = host.fingerprint();
    for command in [&["plan"][..], &["apply"], &["apply", "--only", "network"]] {
        let failed = host.tool(command).expect(1);
        for part in [
            "error: cannot reach the Docker engine",
            "docker.sock",
            "hint: ",
            "systemctl st",
            "--only",
        ] {
            assert!(
                failed.stderr.contains(part),
                "{command:?}, {part}:\n{}",
                failed.text()
            );
        }
    }
    let failed = json("error", &host.apply(&["--json"]).expect(1).stdout);
    assert_eq!(failed["exit_status"], 1);
    assert!(failed["hint"].is_string());
    assert_eq!(host.fingerprint(), before);

    host.apply(&["--only", "site/site.example.com"]).expect(0);
    assert_eq!(
        host.get("http://site.example.com/"),
        (200, "the site".to_owned())
    );
    assert!(
        host.try_sh("test -e /etc/systemd/system/watchme-infrastructure.service")
            .status
            != 0
    );
    host.tool(&["drift", "--only", "site"]).expect(0);

    host.sh("systemctl start docker.socket docker.service");
    host.apply(&[]).expect(0);
    host.assert_network_as_desired();
}

#[test]
fn without_permission_for_docker_a_plan_says_what_it_did_not_compare() {
    let host = Host::boot();
    Server::with_owner().check_out(&host);
    let said = "networks and members not checked";
    let groups = host.sh_as("ubuntu", "id -Gn");
    assert!(!groups.contains("docker"), "{groups}");
    let plan = host.assert_untouched(|host| {
        host.try_sh_as("ubuntu", &format!("cd {CHECKOUT}; watchme-apply plan"))
    });
    let plan = plan.expect(0).text();
    assert!(
        plan.contains(said) && !plan.contains("create the network"),
        "{plan}"
    );
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(
        !plan.contains(said) && plan.contains(CREATE_NETWORK),
        "{plan}"
    );

    host.apply(&[]).expect(0);
    for command in ["plan", "drift", "status"] {
        let looked = host.try_sh_as("ubuntu", &format!("cd {CHECKOUT}; watchme-apply {command}"));
        let needs_root = format!("needs root: sudo watchme-apply {command}");
        assert!(
            looked.text().contains(&needs_root),
            "{command}: {}",
            looked.text()
        );
    }
}
