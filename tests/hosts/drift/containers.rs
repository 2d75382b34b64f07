//! Containers of units that do not work, members or not.

use std::time::Duration;

use crate::support::{CHECKOUT, Host, Service, desired};

const COMPOSE: &str = "services:
  flaps:
    image: api:1
    network_mode: bridge
    restart: always
    command: ['/bin/sh', '-c', 'test ! -e /tmp/stop || exit 7; sleep 3600']
  dead:
    image: api:1
    container_name: dead-prod
    network_mode: bridge
  ill:
    image: api:1
    container_name: ill-prod
    network_mode: bridge
    healthcheck: {test: ['CMD', 'test', '!', '-e', '/tmp/ill'], interval: 1s, retries: 1}
  gone:
    image: api:1
    container_name: gone-prod
    network_mode: bridge
";

#[test]
fn containers_that_restart_again_and_again_are_dead_or_ill_are_degraded() {
    let host = Host::boot();
    host.load_service_images(&[Service {
        image: "api:1",
        port: 8000,
        paths: &[],
    }]);
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/app/docker-compose.yml");
    // A oneshot that does not remain: the unit is inactive, and its containers run.
    let unit = format!(
        "[Unit]\nAfter=docker.service\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={compose} up -d\n\n[Install]\nWantedBy=multi-user.target\n"
    );
    let run = "[Unit]\nAfter=docker.service\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
        ExecStart=/usr/bin/docker run -d --name plain-prod api:1\n\n[Install]\nWantedBy=multi-user.target\n";
    host.checkout(&[
        (&desired("systemd/app.service"), &unit),
        (&desired("systemd/plain.service"), run),
        ("app/docker-compose.yml", COMPOSE),
    ]);
    host.apply(&[]).expect(0);
    host.tool(&["drift"]).expect(0);
    host.sh(
        "docker kill dead-prod plain-prod >/dev/null; docker rm -f gone-prod >/dev/null
         docker exec ill-prod busybox touch /tmp/ill
         flaps=$(docker ps -q --filter label=com.docker.compose.service=flaps)
         docker exec $flaps busybox touch /tmp/stop; docker restart -t 0 $flaps >/dev/null",
    );
    host.wait_for("restarts and illness", Duration::from_secs(60), || {
        let flaps = host.sh("docker inspect -f '{{.RestartCount}}' $(docker ps -aq --filter label=com.docker.compose.service=flaps)");
        let ill = host.sh("docker inspect -f '{{.State.Health.Status}}' ill-prod");
        flaps.parse().is_ok_and(|times: u32| times >= 3) && ill == "unhealthy"
    });
    let drift = host.tool(&["drift"]).expect(2).stdout;
    for words in [
        "unit/app.service: its container dead-prod does not run: exited with status 137 (killed by SIGKILL, not for lack of memory)",
        "unit/app.service: its container ill-prod is unhealthy",
        "unit/app.service: its service gone no longer has a container",
        "unit/plain.service: its container plain-prod does not run: exited with status 137",
    ] {
        assert!(drift.contains(words), "{words:?} is not in\n{drift}");
    }
    let name = host.container_of("app", "flaps", 1);
    let flaps = drift.lines().find(|line| line.contains(&name));
    assert!(
        flaps.is_some_and(|line| line.starts_with("degraded") && line.contains("restart")),
        "{drift}"
    );
}
