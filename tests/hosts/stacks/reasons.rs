//! Why a plan takes containers of a stack away.

use super::{IMAGES, path};
use crate::support::{Host, desired, sleeper};

const FILE: &str = "services:
  web:
    image: worker:1
    network_mode: bridge
    command: [sleep, '100000']
  leaves:
    image: worker:1
    network_mode: bridge
    command: [sleep, '100000']
  debug:
    image: worker:1
    network_mode: bridge
    profiles: [debug]
    command: [sleep, '100000']
";

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_plan_says_why_containers_of_a_stack_go() {
    let host = Host::with_images(&IMAGES);
    let policy = desired("watchme.toml");
    let debug = "[stack.a]\nprofiles = [\"debug\"]\n";
    host.checkout(&[
        (&path("a"), FILE),
        (&policy, debug),
        (&desired("systemd/beside.service"), &sleeper(1001)),
    ]);
    host.apply(&[]).expect(0);

    host.commit(&[(&policy, Some("[stack.a]\n"))], "no debug");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert_says(
        &plan,
        &[
            "remove the container",
            "debug",
            "its profile is no longer enabled",
        ],
    );
    assert!(!plan.contains("left its compose file"), "{plan}");

    let (head, rest) = FILE.split_once("  leaves:").unwrap();
    let fewer = format!("{head}{}", &rest[rest.find("  debug:").unwrap()..]);
    host.commit(&[(&path("a"), Some(&fewer))], "one less, too");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert_says(
        &plan,
        &["leaves: left its compose file; debug: its profile is no longer enabled"],
    );
    host.apply(&[]).expect(0);

    // Another name of the project.
    host.commit(
        &[(&policy, Some("[stack.a]\nproject = \"store\"\n"))],
        "another project",
    );
    let plan = host.tool(&["plan"]).expect(0).text();
    assert_says(&plan, &["its compose project is store now"]);
    host.apply(&[]).expect(0);

    // Nobody is to run it.
    host.commit(
        &[(&policy, Some("[stack.a]\nstart = false\n"))],
        "not started",
    );
    let said = host.tool(&["status"]).text();
    assert_says(
        &said,
        &["unit/stack-a.service: changed in git: [stack.a] has start = false"],
    );
    let plan = host.tool(&["plan"]).expect(0).text();
    assert_says(&plan, &["[stack.a] has start = false", "volumes stay"]);
    assert!(!plan.contains("left the desired state"), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!(host.sh("docker ps -aq"), "");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Gone from git is gone from git.
    host.commit(&[(&policy, Some("[stack.a]\n"))], "started");
    host.apply(&[]).expect(0);
    host.commit(&[(&path("a"), None), (&policy, None)], "gone");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert_says(&plan, &["left the desired state; volumes stay"]);
}
