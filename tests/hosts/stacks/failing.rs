//! Stacks that do not come up: what is said of them, and what is left of them.

use super::{IMAGES, path, port, project, up_by_hand};
use crate::support::network::{INFRA, NETWORK, watchme_infra};
use crate::support::{CHECKOUT, Debian, Host};

/// A runtime that no engine has: its containers cannot even be made.
const NO_CONTAINER: &str = "    runtime: nothing\n";

fn networks(host: &Host, project: &str) -> String {
    host.sh(&format!(
        "docker network ls -q -f label=com.docker.compose.project={project}"
    ))
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_stack_that_makes_no_container_says_why_and_leaves_no_network() {
    let host = Host::with_images(&IMAGES);
    let fails = "services:\n  web:\n    image: web:1\n".to_owned() + NO_CONTAINER;
    host.checkout(&[(&path("a"), &fails)]);
    let failed = host.apply(&[]).expect(3).text();
    let reason = match host.debian() {
        Debian::Twelve => "Unknown runtime specified nothing",
        Debian::Thirteen => "unknown or invalid runtime name: nothing",
    };
    assert!(failed.contains(reason), "{failed}");
    assert_eq!(networks(&host, "a"), "", "{failed}");

    // A change that brings a network with it.
    host.commit(&[(&path("a"), Some(&project(port("a"), "web:1")))], "well");
    host.apply(&[]).expect(0);
    let before = networks(&host, "a");
    let more = project(port("a"), "web:2")
        .replace("  worker:\n", "    networks: [default, more]\n  worker:\n")
        .replace("/health", "/nothing")
        + "networks: {more: {}}\n";
    host.commit(&[(&path("a"), Some(&more))], "a network, and ill");
    let failed = host.apply(&[]).expect(3).text();
    assert_eq!(networks(&host, "a"), before, "{failed}");
    assert_eq!(host.get("http://localhost:8101/"), (200, "web:1\n".into()));

    // One that cannot be made any more says why, too.
    let fails = project(port("a"), "web:1").replace(
        "  worker:\n    image: worker:1\n",
        &format!("  worker:\n    image: worker:1\n{NO_CONTAINER}"),
    );
    host.commit(&[(&path("a"), Some(&fails))], "reload fails");
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains(reason), "{failed}");
    assert_eq!(host.get("http://localhost:8101/"), (200, "web:1\n".into()));
    host.commit(&[(&path("a"), Some(&project(port("a"), "web:1")))], "well");
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// Replicas that a person has made and of which the first is gone have the numbers 2 and 3; made again, they are 1 and 2.
#[test]
fn replicas_that_come_back_under_other_numbers_are_as_before() {
    let host = Host::with_images(&IMAGES);
    let replicas = "services:
  worker:
    image: web:1
    restart: unless-stopped
    scale: 2
    ports: ['127.0.0.1:8110-8119:8000']
";
    host.checkout(&[(&path("a"), replicas), (INFRA, &watchme_infra())]);
    up_by_hand(&host, "a");
    host.sh(&format!(
        "cd {CHECKOUT}/desired-state/compose/a; docker-compose up -d --scale worker=3 2>&1
         docker ps -q -f label=com.docker.compose.container-number=1 | xargs docker rm -f"
    ));
    host.apply(&[]).expect(0);
    assert!(host.network_id(NETWORK).is_some());
    let taken = host.container_of("a", "worker", 3);
    let port = host.sh(&format!("docker port {taken} 8000 | sed 's/.*://'"));
    host.sh(&format!(
        "docker network connect --alias other {NETWORK} {taken}"
    ));

    // Another service takes the port of one of them, so that they go before it starts; and it is not well.
    let other = format!(
        "services:
  other:
    image: web:1
    restart: unless-stopped
    ports: ['127.0.0.1:{port}:8000']
    healthcheck: {{test: ['CMD-SHELL', 'echo no rows; exit 8'], interval: 1s, retries: 2}}
"
    );
    host.commit(&[(&path("a"), Some(&other))], "another service");
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("is unhealthy"), "{failed}");
    let said = ": its last health check ended with status 8: no rows";
    assert!(failed.contains(said), "{failed}");
    let numbers = host.sh(
        "docker ps -q | xargs docker inspect -f '{{index .Config.Labels \"com.docker.compose.service\"}} {{index .Config.Labels \"com.docker.compose.container-number\"}}' | sort | paste -sd,",
    );
    assert_eq!(numbers, "worker 1,worker 2", "{failed}");
    assert_eq!(host.on_network(NETWORK).len(), 1, "{failed}");
    host.commit(&[(&path("a"), Some(replicas))], "as before");
    host.assert_does_nothing(&["apply"]).expect(0);
}
