//! Containers that come and go all the time: what vanishes between two answers of the engine is no error.

use crate::support::network::{NETWORK, POLICY, Server};
use crate::support::{CHECKOUT, Host, desired, site};

/// How often each command runs.
const TIMES: u32 = 25;

#[test]
#[ignore = "long: tests/run --all"]
fn containers_that_come_and_go_disturb_nothing() {
    let host = Host::boot();
    Server::with_owner()
        .member("vault", ("up", "down"))
        .with(&desired("sites-available/a"), site("a", "first"))
        .with(
            POLICY,
            "[network.watchme-network]\nowner = 'watchme-infrastructure.service'\n\
             [[network.watchme-network.member]]\ncontainer = 'watchme-vault'\n",
        )
        .check_out(&host);
    host.apply(&[]).expect(0);
    // On the network, so that the tool asks for each one's record, in a project of a unit, and with
    // volumes and networks of their own.
    let churn = "while :; do docker run --rm --network watchme-network -v /data \
        --label com.docker.compose.project=vault --label com.docker.compose.service=passing \
        --label com.docker.compose.oneoff=True busybox:1.36.1 true; done";
    let networks = "while :; do docker network create passing; docker network rm passing; docker volume create v; docker volume rm v; done";
    for script in [churn, churn, churn, networks] {
        host.sh(&format!(
            "setsid sh -c '{script}' </dev/null >/dev/null 2>&1 &"
        ));
    }
    for round in 0..TIMES {
        let text = format!("round {round}");
        host.sh_as(
            "ubuntu",
            &format!("cd {CHECKOUT}; sed -i 's/return 200 .*/return 200 \"{text}\";/' desired-state/sites-available/a; git commit -qam '{text}'"),
        );
        host.apply(&[]).expect(0);
        assert_eq!(host.page("a"), text);
        for command in ["plan", "status", "drift"] {
            let output = host.tool(&[command]);
            // A passing container that is seen on the network is told of; what it may not be is an error.
            assert!(
                matches!(output.status, 0 | 2) && !output.stderr.contains("error:"),
                "{command}: {}",
                output.text()
            );
        }
    }
    host.sh("pkill -f '[w]hile :' || true");
    assert!(host.names_on_network(NETWORK).contains("watchme-vault"));
}
