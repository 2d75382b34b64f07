//! A rollback that cannot succeed does not lock the host: `apply` and `rollback N` go forward from there.

use crate::support::network::{NETWORK, POLICY, Server};
use crate::support::{Host, desired, site};

const DAEMON: &str = "/etc/docker/daemon.json";
const POLICY_TEXT: &str = "[etc.\"docker/daemon.json\"]\nrestart = \"docker.service\"\n\
    [network.watchme-network]\nowner = 'watchme-infrastructure.service'\n\
    [[network.watchme-network.member]]\ncontainer = 'watchme-vault'\n";

fn daemon(text: &str) -> (String, String) {
    (desired("etc/docker/daemon.json"), text.to_owned())
}

fn commit(host: &Host, text: &str) {
    let (path, text) = daemon(text);
    host.commit(&[(&path, Some(&text))], "settings of the engine");
}

/// A host that was rolled back to settings with which the engine does not start.
fn locked_host() -> Host {
    let host = Host::boot();
    let (path, text) = daemon("{\"debug\": true}\n");
    Server::with_owner()
        .member("vault", ("up", "down"))
        .with(&desired("sites-available/a"), site("a", "first"))
        .with(&path, text)
        .with(POLICY, POLICY_TEXT)
        .check_out(&host);
    host.sh("rm -f /etc/docker/daemon.json");
    host.apply(&[]).expect(0);
    assert!(host.names_on_network(NETWORK).contains("watchme-vault"));
    host.write(DAEMON, "{ \"edited\": by hand\n");
    // What `dockerd --validate` of later versions takes.
    commit(&host, "{\"storage-driver\": \"none-such\"}\n");
    let failed = host.apply(&[]).expect(4);
    assert!(
        failed.stderr.contains("the rollback is incomplete")
            && failed.stderr.contains("docker.service")
            && failed.stderr.contains("watchme-apply apply"),
        "{}",
        failed.text()
    );
    assert_eq!(host.read(DAEMON), "{ \"edited\": by hand\n");
    assert!(!host.is_active("docker.service"));
    host
}

#[track_caller]
fn assert_forward(host: &Host, said: &str) {
    assert!(
        said.contains("continues from what could not be undone"),
        "{said}"
    );
    assert!(host.is_active("docker.service"));
    assert!(host.names_on_network(NETWORK).contains("watchme-vault"));
    assert!(!host.stands("/var/lib/watchme-apply/journal"));
    let kept = host.sh("cat /var/lib/watchme-apply/journals/*-superseded/journal");
    assert!(kept.contains("docker.service"), "{kept}");
    assert_eq!(host.sh("stat -c %a /var/lib/watchme-apply/journals"), "700");
    host.assert_does_nothing(&["apply"]).expect(0);
    assert!(
        !host
            .tool(&["status"])
            .text()
            .contains("rollback is incomplete")
    );
}

#[test]
#[ignore = "long: tests/run --all"]
fn an_apply_goes_forward_from_a_roll_back_that_cannot_succeed() {
    let host = locked_host();
    for command in [&["status"][..], &["plan"]] {
        let said = host.tool(command).text();
        assert!(
            said.contains("a rollback is incomplete") && said.contains("continues from here"),
            "{command:?}: {said}"
        );
    }
    for command in [
        &["recover"][..],
        &["drift", "--fix"],
        &["pause", "watchme-vault", "--reason", "x"],
    ] {
        let failed = host.tool(command).expect(4).stderr;
        for part in [
            "could not be undone",
            "watchme-apply apply",
            "watchme-apply rollback N",
        ] {
            assert!(failed.contains(part), "{command:?}: {failed}");
        }
    }
    assert!(
        host.stands("/var/lib/watchme-apply/journal"),
        "nothing was superseded by them"
    );
    // What cannot be applied supersedes nothing either.
    host.commit(
        &[(&desired("sites-available/a"), Some("server {\n"))],
        "refused",
    );
    host.apply(&[]).expect(1);
    assert!(host.stands("/var/lib/watchme-apply/journal"));
    commit(&host, "{\"debug\": false}\n");
    host.commit(
        &[(&desired("sites-available/a"), Some(&site("a", "second")))],
        "mended",
    );
    let plan = host.tool(&["plan"]).text();
    assert!(
        plan.contains("docker/daemon.json") && plan.contains(": start"),
        "{plan}"
    );
    let applied = host.apply(&[]).expect(0).text();
    assert_eq!(host.read(DAEMON), "{\"debug\": false}\n");
    assert_eq!(host.page("a"), "second");
    assert_forward(&host, &applied);
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_rollback_goes_forward_from_a_roll_back_that_cannot_succeed() {
    let host = locked_host();
    let applied = host.tool(&["rollback", "1"]).expect(0).text();
    assert_eq!(host.read(DAEMON), "{\"debug\": true}\n");
    assert!(
        applied.contains("continues from what could not be undone"),
        "{applied}"
    );
    assert!(host.is_active("docker.service"));
    assert!(host.names_on_network(NETWORK).contains("watchme-vault"));
    assert!(!host.stands("/var/lib/watchme-apply/journal"));
    let drift = host.tool(&["drift"]).text();
    assert!(
        !drift.contains("drifted") && !drift.contains("unloaded"),
        "{drift}"
    );
}
