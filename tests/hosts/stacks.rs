//! Compose projects without a unit of their own: a folder of `compose/` is enough.

mod adopting;
mod alone;
mod anew;
mod copies;
mod failing;
mod lasting;
mod mounts;
mod networks;
mod reasons;
mod refused;
mod stops;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{CHECKOUT, Host, desired, service, sleeper};

const STACKS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// A project of a web service that answers on a port, and of a worker. Nothing has a fixed name.
fn project(port: u16, web: &str) -> String {
    format!(
        "services:
  web:
    image: {web}
    restart: unless-stopped
    ports: ['127.0.0.1:{port}:8000']
    volumes: ['data:/data']
    healthcheck: {{test: ['CMD', 'wget', '-q', '-O-', 'http://127.0.0.1:8000/health'], interval: 1s, retries: 3}}
  worker:
    image: worker:1
    restart: unless-stopped
    command: [sleep, '100000']
volumes:
  data: {{}}
"
    )
}

fn port(stack: &str) -> u16 {
    8101 + STACKS.iter().position(|name| *name == stack).unwrap() as u16
}

fn path(stack: &str) -> String {
    desired(&format!("compose/{stack}/docker-compose.yml"))
}

/// What the projects run.
const IMAGES: [&str; 3] = ["web:1", "web:2", "worker:1"];

/// Of each container by project and service, its id and its start. Names are another thing in each version of compose.
fn containers(host: &Host) -> BTreeMap<String, String> {
    let listed = host.sh(
        "docker ps -q | xargs -r docker inspect -f '{{index .Config.Labels \"com.docker.compose.project\"}}/{{index .Config.Labels \"com.docker.compose.service\"}} {{.Id}} {{.State.StartedAt}}'",
    );
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    pairs
        .map(|(key, run)| (key.to_owned(), run.to_owned()))
        .collect()
}

/// The projects whose containers are others than before.
fn changed(now: &BTreeMap<String, String>, before: &BTreeMap<String, String>) -> Vec<String> {
    let keys = now.keys().chain(before.keys());
    let mut keys: Vec<String> = keys
        .filter(|key| now.get(*key) != before.get(*key))
        .cloned()
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

fn up_by_hand(host: &Host, stack: &str) {
    host.sh(&format!(
        "cd {CHECKOUT}/desired-state/compose/{stack}; docker-compose up -d 2>&1"
    ));
}

#[test]
fn projects_that_run_are_adopted_and_only_what_changes_is_made_anew() {
    let host = Host::with_images(&IMAGES);
    let files: Vec<(String, String)> = STACKS
        .iter()
        .map(|name| (path(name), project(port(name), "web:1")))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    host.checkout(&files);
    for stack in STACKS {
        up_by_hand(&host, stack);
    }
    let by_hand = containers(&host);
    assert_eq!(by_hand.len(), 10, "{by_hand:?}");

    // Adopted: nothing is made anew, and nothing is left to do.
    let applied = host.apply(&[]).expect(0).text();
    assert!(applied.contains("unit/stack-a.service: start"), "{applied}");
    assert_eq!(changed(&containers(&host), &by_hand), [""; 0], "{applied}");
    for stack in STACKS {
        assert!(host.is_active(&format!("stack-{stack}.service")));
    }
    host.assert_does_nothing(&["apply"]).expect(0);

    // One service of one changes.
    let new = project(port("a"), "web:2");
    host.commit(&[(&path("a"), Some(&new))], "a: web 2");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(plan.contains("unit/stack-a.service: reload"), "{plan}");
    host.apply(&[]).expect(0);
    let now = containers(&host);
    assert_eq!(changed(&now, &by_hand), ["a/web"]);
    assert_eq!(host.get("http://localhost:8101/"), (200, "web:2\n".into()));

    // One service leaves, and its container with it.
    let (head, rest) = new.split_once("  worker:").unwrap();
    let alone = format!("{head}{}", &rest[rest.find("volumes:").unwrap()..]);
    host.commit(&[(&path("a"), Some(&alone))], "a: no worker");
    let applied = host.apply(&[]).expect(0).text();
    assert!(
        applied.contains("remove the containers of worker"),
        "{applied}"
    );
    let fewer = containers(&host);
    assert_eq!(changed(&fewer, &now), ["a/worker"]);
    assert!(!fewer.contains_key("a/worker"));

    // An image that nobody has: nothing is changed.
    let nowhere = alone.replace("web:2", "127.0.0.1:1/web:3");
    host.commit(&[(&path("a"), Some(&nowhere))], "a: web 3");
    let failed = host.apply(&[]).expect(1).text();
    assert!(failed.contains("pull 127.0.0.1:1/web:3"), "{failed}");
    assert!(failed.contains("nothing was changed"), "{failed}");
    assert_eq!(containers(&host), fewer);
    host.commit(&[(&path("a"), Some(&alone))], "a: web 2 again");
    host.assert_does_nothing(&["apply"]).expect(0);

    // One that fails: the old one runs again, and the others never stopped.
    let ill = project(port("b"), "web:2").replace("/health", "/nothing");
    host.commit(&[(&path("b"), Some(&ill))], "b: ill");
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("unhealthy"), "{failed}");
    assert_eq!(host.get("http://localhost:8102/"), (200, "web:1\n".into()));
    assert_eq!(changed(&containers(&host), &fewer), ["b/web"]);
    let well = project(port("b"), "web:1");
    host.commit(&[(&path("b"), Some(&well))], "b: well");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Another order among the stacks: systemd reads it, and nothing runs anew.
    let order = "[stack.c]\nafter = [\"b\"]\n";
    host.commit(&[(&desired("watchme.toml"), Some(order))], "c after b");
    let said = host.apply(&[]).expect(0).text();
    assert!(!said.contains("stack-c.service: reload"), "{said}");
    let after = host.property("stack-c.service", "After");
    assert!(after.contains("stack-b.service"), "{after}");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Somebody removes a container by hand, and a whole project: an apply of something else goes on, and `drift --fix` makes
    // them again.
    host.sh("docker ps -q -f label=com.docker.compose.project=c -f label=com.docker.compose.service=worker | xargs docker rm -f");
    let drift = host.tool(&["drift"]).expect(2).text();
    let what = "its service worker no longer has a container";
    assert!(drift.contains(what), "{drift}");
    host.sh(&format!(
        "cd {CHECKOUT}/desired-state/compose/d; docker-compose down 2>&1"
    ));
    host.commit(
        &[(&desired("systemd/other.service"), Some(&sleeper(1002)))],
        "another",
    );
    let said = host.apply(&[]).expect(0).text();
    let help = format!("{what}: `watchme-apply drift --fix` recreates it");
    assert!(said.contains(&help), "{said}");
    let fixed = host.tool(&["drift", "--fix"]).expect(0).text();
    let now = containers(&host);
    for key in ["c/worker", "d/web", "d/worker"] {
        assert!(now.contains_key(key), "{key}: {fixed}");
    }
    host.tool(&["drift"]).expect(0);

    // One leaves: its containers and its network go, its volume stays.
    host.commit(&[(&path("e"), None)], "no e");
    let applied = host.apply(&[]).expect(0).text();
    assert!(applied.contains("the network e_default"), "{applied}");
    let left = containers(&host);
    assert!(!left.keys().any(|key| key.starts_with("e/")), "{left:?}");
    assert_eq!(
        host.sh("docker ps -aq -f label=com.docker.compose.project=e"),
        ""
    );
    assert_eq!(host.sh("docker network ls -q -f name=e_default"), "");
    assert_eq!(host.sh("docker volume ls -q -f name=e_data"), "e_data");

    host.reboot();
    host.wait_for(
        "containers after the reboot",
        Duration::from_secs(60),
        || containers(&host).len() == left.len(),
    );
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// What fails beside it does not take down what ran before anybody adopted it.
#[test]
#[ignore = "long: tests/run --all"]
fn an_adoption_that_fails_leaves_the_containers_running() {
    let host = Host::with_images(&IMAGES);
    // Volumes would stay with the old name of the project, and are refused for that.
    let file = project(8101, "web:1")
        .replace("    volumes: ['data:/data']\n", "")
        .replace("volumes:\n  data: {}\n", "");
    let broken = service("/bin/false");
    host.checkout(&[
        (&path("a"), &file),
        (&desired("systemd/broken.service"), &broken),
    ]);
    up_by_hand(&host, "a");
    let before = containers(&host);
    host.apply(&[]).expect(3);
    assert_eq!(changed(&containers(&host), &before), [""; 0]);
    assert_eq!(
        host.property("stack-a.service", "LoadState"),
        "not-found",
        "nothing is left of the unit"
    );

    // Where the file says how, and with what else beside it.
    let policy = "[stack.a]\nproject = \"shop\"\nfiles = [\"docker-compose.yml\", \"more.yml\"]\nprofiles = [\"debug\"]\nafter = [\"good.service\"]\n";
    let more = "services:\n  tool:\n    image: worker:1\n    profiles: [debug]\n    command: [sleep, '100000']\n";
    host.sh(&format!(
        "cd {CHECKOUT}/desired-state/compose/a; docker-compose down 2>&1"
    ));
    host.commit(
        &[
            (&desired("systemd/broken.service"), None),
            (&desired("systemd/good.service"), Some(&sleeper(1001))),
            (&desired("watchme.toml"), Some(policy)),
            (&desired("compose/a/more.yml"), Some(more)),
        ],
        "by the file",
    );
    host.apply(&[]).expect(0);
    let keys: Vec<String> = containers(&host).into_keys().collect();
    assert_eq!(keys, ["shop/tool", "shop/web", "shop/worker"]);
    assert!(
        host.property("stack-a.service", "After")
            .contains("good.service")
    );
    // The same under another name: the old project leaves first, so that its port is free.
    host.commit(
        &[(
            &desired("watchme.toml"),
            Some(&policy.replace("shop", "store")),
        )],
        "another name",
    );
    host.apply(&[]).expect(0);
    let keys: Vec<String> = containers(&host).into_keys().collect();
    assert_eq!(keys, ["store/tool", "store/web", "store/worker"]);
    assert_eq!(
        host.sh("docker ps -aq -f label=com.docker.compose.project=shop"),
        ""
    );
}

/// What a stack builds is built before the container that runs is touched, whenever its folder changes.
#[test]
fn what_a_stack_builds_is_built_before_anything_stops() {
    let host = Host::with_images(&IMAGES);
    let compose = "services:
  job:
    build: {context: ., args: {WHO: '${WHO:-nobody}'}}
    restart: unless-stopped
    command: [sleep, '100000']
";
    let at = |name: &str| desired(&format!("compose/own/{name}"));
    let dockerfile = "FROM worker:1\nARG WHO\nLABEL who=$WHO\nCOPY number /number\n";
    host.checkout(&[
        (&at("compose.yaml"), compose),
        (&at("Dockerfile"), dockerfile),
        (&at("number"), "1\n"),
    ]);
    let number = || host.sh("docker exec $(docker ps -q) cat /number");
    let said = host.apply(&[]).expect(0).text();
    assert!(said.contains("build the images of job"), "{said}");
    assert_eq!(number(), "1");
    host.assert_does_nothing(&["apply"]).expect(0);

    host.commit(&[(&at("number"), Some("2\n"))], "2");
    let plan = host.tool(&["plan"]).expect(0).text();
    let build = plan.find("build the images of job");
    let reload = plan.find("unit/stack-own.service: reload");
    assert!(build.is_some() && build < reload, "{plan}");
    // Variables of whoever runs it are not those of the unit.
    host.sh(&format!("cd {CHECKOUT}; export SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=ubuntu; WHO=me watchme-apply apply"));
    assert_eq!(number(), "2");
    let who = host.sh("docker inspect -f '{{.Config.Labels.who}}' $(docker ps -q)");
    assert_eq!(who, "nobody");
    host.assert_does_nothing(&["apply"]).expect(0);

    // One that cannot be built.
    let before = containers(&host);
    let broken = format!("{dockerfile}COPY nothing /nothing\n");
    host.commit(&[(&at("Dockerfile"), Some(&broken))], "broken");
    let failed = host.apply(&[]).expect(1).text();
    for words in [
        "could not build the images of job for stack-own.service",
        "nothing was changed",
        "to see all that the build prints: docker",
    ] {
        assert!(failed.contains(words), "{failed}");
    }
    assert_eq!(containers(&host), before);
    assert_eq!(number(), "2");
    host.commit(&[(&at("Dockerfile"), Some(dockerfile))], "whole");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Back to the first one, whose image is still there; nothing is built.
    let back = host.tool(&["rollback", "1"]).expect(0).text();
    assert!(!back.contains("build"), "{back}");
    assert_eq!(number(), "1", "{back}");
}
