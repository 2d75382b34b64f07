//! Ports that Podman publishes.

use std::time::Duration;

use super::POLICY;
use crate::podman::boot;
use crate::support::desired;

#[test]
fn ports_that_podman_publishes_are_governed() {
    let host = boot();
    host.connect_clients();
    host.sh("podman run -d --name web -p 8002:8000 -p 8003:8000 web:1 >/dev/null");
    let open = ["vpn", "lan", "net"];
    host.wait_for("container", Duration::from_secs(20), || {
        host.who_reaches(8003) == open
    });
    host.checkout(&[(&desired("watchme.toml"), POLICY)]);
    host.apply(&[]).expect(0);
    assert_eq!(host.who_reaches(8002), ["vpn", "lan"]);
    assert_eq!(host.who_reaches(8003), [""; 0]);
    // Podman writes its chains anew.
    host.sh("podman restart -t 0 web >/dev/null");
    assert_eq!(host.who_reaches(8002), ["vpn", "lan"]);
    // From a container to the world, and to the host.
    host.sh("podman exec web wget -q -O - http://203.0.113.1:80/ >/dev/null");
    host.tool(&["drift"]).expect(0);
}
