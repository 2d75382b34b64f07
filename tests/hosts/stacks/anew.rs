//! What a plan says about the containers that a reload interrupts, compared with what compose does.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{IMAGES, changed, containers};
use crate::support::schema::json;
use crate::support::{Debian, Host, desired};

const FIRST: &str = "services:
  web:
    image: web:1
    restart: unless-stopped
    environment: {A: '1', B: '2'}
    ports: ['127.0.0.1:8101:8000']
  beside:
    image: worker:1
    network_mode: 'service:web'
    restart: unless-stopped
    command: [sleep, '100000']
  worker:
    image: worker:1
    restart: unless-stopped
    env_file: [worker.env]
    command: [sleep, '100000']
";

/// Each edit of the file before it, and the services whose containers the plan says are made anew.
const EDITS: [(&str, &str, &str, &[&str]); 13] = [
    ("a value", "A: '1'", "A: '3'", &["beside", "web"]),
    ("a comment", "  web:\n", "  # The site.\n  web:\n", &[]),
    ("the order", "A: '3', B: '2'", "B: '2', A: '3'", &[]),
    ("a note", "services:\n", "x-team: shop\nservices:\n", &[]),
    (
        "a label",
        "  worker:\n",
        "  worker:\n    labels: {team: shop}\n",
        &["worker"],
    ),
    (
        "an order of starts",
        "  worker:\n",
        "  worker:\n    depends_on: [web]\n",
        &["worker"],
    ),
    (
        "a policy",
        "    env_file",
        "    restart: always\n    env_file",
        &["worker"],
    ),
    (
        "an option",
        "  worker:\n",
        "  worker:\n    init: true\n",
        &["worker"],
    ),
    (
        "a health check",
        "    ports:",
        "    healthcheck: {test: ['CMD', 'true'], interval: 1s}\n    ports:",
        &["beside", "web", "worker"],
    ),
    ("an image", "web:1", "web:2", &["beside", "web", "worker"]),
    (
        "a new one",
        "services:\n",
        "services:\n  new:\n    image: worker:1\n    restart: unless-stopped\n    command: [sleep, '100000']\n",
        &[],
    ),
    ("a second one", "  new:\n", "  new:\n    scale: 2\n", &[]),
    (
        "a time to stop",
        "  worker:\n",
        "  worker:\n    stop_grace_period: 2s\n",
        &["worker"],
    ),
];

#[test]
#[ignore = "long: tests/run --all"]
fn the_plan_names_the_containers_that_are_made_anew() {
    let host = Host::with_images(&IMAGES);
    let path = desired("compose/a/docker-compose.yml");
    let env = desired("compose/a/worker.env");
    let other = desired("compose/b/docker-compose.yml");
    let mut text = FIRST.to_owned();
    host.checkout(&[
        (&path, &text),
        (&env, "C=1\n"),
        (
            &other,
            &FIRST
                .replace("8101", "8102")
                .replace("    env_file: [worker.env]\n", ""),
        ),
    ]);
    host.apply(&[]).expect(0);
    for (what, old, new, expected) in EDITS {
        // YAML takes a key once.
        let old_policy = "    restart: unless-stopped\n    env_file";
        text = match what {
            "a policy" => text.replace(old_policy, new),
            _ => text.replacen(old, new, 1),
        };
        host.commit(&[(&path, Some(&text))], what);
        assert_as_planned(&host, what, expected);
    }
    host.commit(&[(&env, Some("C=2\n"))], "an env file");
    assert_as_planned(&host, "an env file", &["worker"]);
}

/// The plan's words about the one change, and what an apply makes anew.
#[track_caller]
fn assert_as_planned(host: &Host, what: &str, expected: &[&str]) {
    let planned: Value = json("plan", &host.tool(&["plan", "--json"]).expect(0).stdout);
    let changes = planned["changes"].as_array().unwrap();
    let reload = changes.iter().find(|one| one["action"] == "reload");
    let reload = reload.unwrap_or_else(|| panic!("{what}: {planned}"));
    let services: Vec<&str> = (reload["services"].as_array().unwrap().iter())
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(services, expected, "{what}");
    let before = containers(host);
    host.apply(&[]).expect(0);
    let now = containers(host);
    let known: BTreeSet<&String> = before.keys().collect();
    let made: Vec<String> = changed(&now, &before)
        .into_iter()
        .filter(|key| known.contains(key))
        .collect();
    let expected: Vec<String> = expected.iter().map(|name| format!("a/{name}")).collect();
    // docker-compose 1 leaves containers as they are that depend on those that it makes anew.
    if host.debian() == Debian::Twelve {
        assert!(
            made.iter().all(|key| expected.contains(key)),
            "{what}: {made:?}"
        );
        assert_eq!(made.is_empty(), expected.is_empty(), "{what}: {made:?}");
        return;
    }
    assert_eq!(made, expected, "{what}");
}
