//! Services that take their time to stop.

use super::{IMAGES, path};
use crate::support::Host;

/// What a container runs: it takes no notice of SIGTERM, or says goodbye for so many seconds and writes that down.
const DEAF: &str = "trap '' TERM; while :; do sleep 1; done";
const SLOW: &str =
    "trap 'sleep 13; echo done >/data/ended; exit 0' TERM; while :; do sleep 1; done";

fn project(services: &str) -> String {
    format!(
        "services:
  keeps:
    image: worker:1
    network_mode: bridge
    restart: unless-stopped
    command: [sleep, '100000']
{services}"
    )
}

fn service(name: &str, command: &str, grace: &str) -> String {
    format!(
        "  {name}:
    image: worker:1
    network_mode: bridge
    restart: unless-stopped
    stop_signal: SIGTERM
    {grace}
    volumes: ['/srv/{name}:/data']
    command: [sh, -c, \"{command}\"]
"
    )
}

/// The default of ten seconds, and more where a compose file asks for it.
#[test]
#[ignore = "long: tests/run --all"]
fn each_container_has_the_time_that_its_file_gives_it_to_stop() {
    let host = Host::with_images(&IMAGES);
    host.sh("mkdir -p /srv/deaf /srv/slow");
    let both = service("deaf", DEAF, "environment: {A: '1'}")
        + &service("slow", SLOW, "stop_grace_period: 40s");
    host.checkout(&[(&path("a"), &project(&both))]);
    host.apply(&[]).expect(0);
    assert_eq!(running(&host), "deaf,keeps,slow");

    host.commit(&[(&path("a"), Some(&project("")))], "two services less");
    let applied = host.apply(&[]).expect(0).text();
    assert!(
        applied.contains("remove the containers of deaf, slow"),
        "{applied}"
    );
    assert_eq!(running(&host), "keeps");
    assert_eq!(host.read("/srv/slow/ended"), "done\n");
    host.assert_does_nothing(&["apply"]).expect(0);
}

fn running(host: &Host) -> String {
    host.sh(
        "docker ps -q | xargs docker inspect -f '{{index .Config.Labels \"com.docker.compose.service\"}}' | sort | paste -sd,",
    )
}
