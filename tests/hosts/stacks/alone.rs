//! Stacks with `unit = false`: compose starts them, and their restart policies bring them back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{IMAGES, changed, containers, path, project, up_by_hand};
use crate::support::{Host, desired, sleeper};

const UNIT: &str = "stack-a.service";

fn answers(host: &Host, image: &str) {
    host.wait_for_image(image, 8101, Duration::from_secs(60));
}

/// The containers after something that stops them all: the same ones, started again.
fn back(host: &Host, before: &BTreeMap<String, String>) {
    let ids = |all: &BTreeMap<String, String>| -> Vec<String> {
        let runs = all.values().filter_map(|run| run.split_once(' '));
        runs.map(|(id, _)| id.to_owned()).collect()
    };
    host.wait_for("containers that are back", Duration::from_secs(60), || {
        ids(&containers(host)) == ids(before)
    });
    answers(host, "web:2");
}

#[test]
fn a_stack_without_a_unit_lives_by_its_restart_policies() {
    let host = Host::with_images(&IMAGES);
    let policy = "[stack.a]\nunit = false\n";
    let files = [
        (path("a"), project(8101, "web:1")),
        (desired("watchme.toml"), policy.to_owned()),
    ];
    let files: Vec<(&str, &str)> = (files.iter())
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    host.checkout(&files);
    up_by_hand(&host, "a");
    let by_hand = containers(&host);

    // Adopted as it runs. Nothing is enabled.
    host.apply(&[]).expect(0);
    assert_eq!(changed(&containers(&host), &by_hand), [""; 0]);
    assert_eq!(host.property(UNIT, "UnitFileState"), "linked");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.commit(&[(&path("a"), Some(&project(8101, "web:2")))], "web 2");
    host.apply(&[]).expect(0);
    let second = containers(&host);
    assert_eq!(changed(&second, &by_hand), ["a/web"]);

    // The engine restarts, and the host: they are back by themselves, and no unit is needed for it.
    host.sh("systemctl restart docker");
    back(&host, &second);
    host.assert_does_nothing(&["apply"]).expect(0);
    host.reboot();
    back(&host, &second);
    assert_eq!(host.property(UNIT, "ActiveState"), "inactive");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.tool(&["drift"]).expect(0);
    let status = host.tool(&["status"]).expect(0).text();
    assert!(status.contains("stack-a"), "{status}");

    // A revision that fails after a reboot leaves what ran.
    let rebooted = containers(&host);
    let ill = project(8101, "web:1").replace("/health", "/nothing");
    host.commit(&[(&path("a"), Some(&ill))], "ill");
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("unhealthy"), "{failed}");
    answers(&host, "web:2");
    assert_eq!(changed(&containers(&host), &rebooted), ["a/web"]);
    host.tool(&["drift"]).expect(2);
    host.commit(&[(&path("a"), Some(&project(8101, "web:2")))], "well");
    host.assert_does_nothing(&["apply"]).expect(0);

    // So does one that changes it, and what somebody stopped is started again when asked.
    host.reboot();
    answers(&host, "web:2");
    host.commit(&[(&path("a"), Some(&project(8101, "web:1")))], "web 1");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(plan.contains("unit/stack-a.service: reload"), "{plan}");
    host.apply(&[]).expect(0);
    answers(&host, "web:1");
    host.reboot();
    answers(&host, "web:1");
    host.sh("docker ps -q -f label=com.docker.compose.service=web | xargs docker stop -t 1");
    let drift = host.tool(&["drift"]).expect(2).text();
    assert!(drift.contains("does not run"), "{drift}");
    host.tool(&["drift", "--fix"]).expect(0);
    answers(&host, "web:1");

    // A pause stops it, and holds over a reboot.
    host.reboot();
    answers(&host, "web:1");
    host.tool(&["pause", UNIT, "--reason", "memory"]).expect(0);
    assert_eq!(containers(&host).len(), 0);
    host.reboot();
    host.assert_does_nothing(&["apply"]).expect(0);
    assert_eq!(containers(&host).len(), 0);
    host.tool(&["resume", UNIT]).expect(0);
    answers(&host, "web:1");

    // It leaves after a reboot: its containers go, its volume stays.
    host.reboot();
    answers(&host, "web:1");
    host.commit(
        &[
            (&path("a"), None),
            (&desired("watchme.toml"), None),
            (&desired("systemd/other.service"), Some(&sleeper(1002))),
        ],
        "no a",
    );
    host.apply(&[]).expect(0);
    assert_eq!(host.sh("docker ps -aq"), "");
    assert_eq!(host.sh("docker volume ls -q"), "a_data");
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// What stops first has to be stopped, though its unit is inactive: two stacks exchange their ports.
#[test]
#[ignore = "long: tests/run --all"]
fn two_of_them_exchange_their_ports_after_a_reboot() {
    let host = Host::with_images(&IMAGES);
    let policy = "[stack.a]\nunit = false\n[stack.b]\nunit = false\n";
    let commit = |a: u16, b: u16| {
        [
            (path("a"), project(a, "web:1")),
            (path("b"), project(b, "web:2")),
            (desired("watchme.toml"), policy.to_owned()),
        ]
    };
    fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
        let files = files.iter();
        files
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect()
    }
    host.checkout(&borrowed(&commit(8101, 8102)));
    host.apply(&[]).expect(0);
    host.reboot();
    answers(&host, "web:1");
    let files = commit(8102, 8101);
    let files = borrowed(&files);
    let files: Vec<(&str, Option<&str>)> = (files.into_iter())
        .map(|(path, text)| (path, Some(text)))
        .collect();
    host.commit(&files, "the other way round");
    host.apply(&[]).expect(0);
    answers(&host, "web:2");
    host.wait_for_image("web:1", 8102, Duration::from_secs(30));
    host.assert_does_nothing(&["apply"]).expect(0);
    // With a unit again, and without: nothing is made anew.
    let before = containers(&host);
    for (policy, state) in [("", "enabled"), (policy, "linked")] {
        host.commit(&[(&desired("watchme.toml"), Some(policy))], state);
        host.apply(&[]).expect(0);
        assert_eq!(host.property(UNIT, "UnitFileState"), state);
        assert_eq!(changed(&containers(&host), &before), [""; 0], "{state}");
        host.assert_does_nothing(&["apply"]).expect(0);
    }
}
