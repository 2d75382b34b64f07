//! Compose files and networks that Docker refuses.

use super::{Before, INFRA, PULLED_COMPOSE, WEB_COMPOSE, compose, infra};
use crate::support::desired;

#[test]
#[ignore = "long: tests/run --all"]
fn a_compose_file_that_does_not_run_leaves_the_old_containers() {
    let before = Before::boot();
    before.assert_refused(
        "a compose file that is no YAML",
        &[(WEB_COMPOSE, Some("services:\n  server: {image: [}\n"))],
        &["web.service"],
        &[WEB_COMPOSE],
    );
    let unknown = compose("web:1", 8101).replace("    ports:", "    prots:");
    before.assert_refused(
        "a compose file with a key that compose does not know",
        &[(WEB_COMPOSE, Some(&unknown))],
        &["web.service"],
        &["prots"],
    );
    let ends = format!(
        "{}    command: ['false']\n  more:\n    image: other:1\n    ports: ['127.0.0.1:8099:8000']\n",
        compose("other:1", 8101)
    );
    before.assert_refused(
        "a compose file with one container more, and one that ends at once",
        &[(WEB_COMPOSE, Some(&ends))],
        &["web.service"],
        &["web.service"],
    );
    let taken = compose("web:1", 8102);
    before.assert_refused(
        "a compose file that publishes a port of another unit",
        &[(WEB_COMPOSE, Some(&taken))],
        &["web.service"],
        &["8102"],
    );
    before.assert_goes_on();
}

#[test]
#[ignore = "long: tests/run --all"]
fn an_image_or_a_network_that_cannot_be_had_leaves_the_old_ones() {
    let before = Before::boot();
    let none = compose("registry.example.com/none:2", 8102);
    before.assert_refused(
        "an image that cannot be pulled behind ExecStartPre=-",
        &[(PULLED_COMPOSE, Some(&none))],
        &["pulled.service"],
        &["pulled.service", "registry.example.com", "lookup"],
    );
    let infra_file = desired(INFRA);
    let overlapping = infra(&[("first", "172.27.0.0/16"), ("second", "172.27.128.0/17")]);
    before.assert_refused(
        "a network whose subnet overlaps with one of the same file",
        &[(&infra_file, Some(&overlapping))],
        &[],
        &["172.27.128.0/17"],
    );
    before
        .host
        .sh("docker network create --subnet 10.99.0.0/16 foreign");
    let foreign = infra(&[("first", "172.27.0.0/16"), ("second", "10.99.1.0/24")]);
    let served = super::BASELINE.look(&before.host);
    let before = Before { served, ..before };
    before.assert_refused(
        "a network whose subnet overlaps with one that is there",
        &[(&infra_file, Some(&foreign))],
        &[],
        &["network/second", "10.99.0.0/16", "foreign"],
    );
    before.assert_goes_on();
}
