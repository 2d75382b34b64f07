//! Containers that end though they are to last, names that the stop of a stack keeps, and a reload that outlives its run.

use super::{IMAGES, path};
use crate::support::Host;

/// What runs until it is told to end, and then ends with success.
const GENTLE: &str = "trap 'exit 0' TERM; while :; do sleep 0.2; done";

fn project(service: &str, command: &str, more: &str) -> String {
    format!(
        "services:
  {service}:
    image: worker:1
    network_mode: bridge
    restart: unless-stopped
    stop_signal: SIGTERM
    command: [sh, -c, \"{command}\"]
{more}"
    )
}

fn running(host: &Host) -> String {
    host.sh(
        "docker ps -q | xargs -r docker inspect -f '{{index .Config.Labels \"com.docker.compose.project\"}}/{{index .Config.Labels \"com.docker.compose.service\"}}' | sort | paste -sd,",
    )
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_is_to_last_and_ends_is_noticed() {
    let host = Host::with_images(&IMAGES);
    let first = project("job", GENTLE, "");
    host.checkout(&[(&path("a"), &first)]);
    host.apply(&[]).expect(0);
    assert_eq!(running(&host), "a/job");

    // Somebody stops it, and it ends with success.
    host.sh("docker ps -q | xargs docker stop");
    assert_eq!(
        host.sh("docker ps -aq | xargs docker inspect -f '{{.State.ExitCode}}'"),
        "0"
    );
    let drift = host.tool(&["drift"]).expect(2).text();
    assert!(
        drift.contains("does not run: exited with status 0"),
        "{drift}"
    );
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(running(&host), "a/job");

    // One that dies again and again runs at most moments.
    for command in ["exit 3", "sleep 1; exit 3"] {
        host.commit(&[(&path("a"), Some(&project("job", command, "")))], command);
        let failed = host.apply(&[]).expect(3).text();
        assert!(failed.contains("its container"), "{failed}");
        let shown = host.sh("docker ps -q | xargs docker inspect -f '{{json .Config.Cmd}}'");
        assert!(shown.contains("exit 0"), "{shown}");
    }
    host.commit(&[(&path("a"), Some(&first))], "as before");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Under another name of its folder, with a fixed name that the stop of the old one keeps.
    let named = project("job", GENTLE, "    container_name: one\n");
    host.commit(&[(&path("a"), Some(&named))], "a name");
    host.apply(&[]).expect(0);
    host.commit(&[(&path("a"), None), (&path("b"), Some(&named))], "moved");
    host.apply(&[]).expect(0);
    assert_eq!(running(&host), "b/job");
    assert_eq!(host.sh("docker ps -a --format '{{.Names}}'"), "one");
    host.assert_does_nothing(&["apply"]).expect(0);
    // One that fails there leaves the one that was.
    let id = host.sh("docker inspect -f '{{.Id}}' one");
    let fails = named.replace(GENTLE, "exit 3");
    host.commit(
        &[(&path("b"), None), (&path("c"), Some(&fails))],
        "moved, and fails",
    );
    host.apply(&[]).expect(3);
    assert_eq!(running(&host), "b/job");
    assert_eq!(host.sh("docker inspect -f '{{.Id}}' one"), id);
    host.commit(&[(&path("b"), Some(&named)), (&path("c"), None)], "back");
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// systemd goes on with the reload of a run that was killed: what it makes goes with the rest.
#[test]
#[ignore = "long: tests/run --all"]
fn a_reload_that_outlives_its_run_is_undone() {
    let host = Host::with_images(&IMAGES);
    let first = project("job", GENTLE, "");
    host.checkout(&[(&path("a"), &first)]);
    host.apply(&[]).expect(0);
    let more = format!(
        "{}  new:\n    image: worker:1\n    network_mode: bridge\n    command: [sleep, '100000']\n",
        project("job", GENTLE, "    environment: {A: '1'}\n")
    );
    host.commit(&[(&path("a"), Some(&more))], "one more");
    host.sh(
        "cd /home/ubuntu/watchme-server-configs; watchme-apply apply --yes >/tmp/said 2>&1 &
         run=$!
         until [ \"$(systemctl show -P ActiveState stack-a.service)\" = reloading ]; do sleep 0.01; done
         kill -9 $run",
    );
    host.tool(&["recover"]).expect(0);
    assert_eq!(running(&host), "a/job");
    assert_eq!(host.sh("docker ps -aq | wc -l"), "1");
    host.apply(&[]).expect(0);
    assert_eq!(running(&host), "a/job,a/new");
}
