//! Networks of stacks whose definition changes: compose leaves those that are there as they are.

use super::{changed, containers};
use crate::support::{CHECKOUT, Debian, Host, desired};

fn compose(network: &str, image: &str) -> String {
    format!(
        "services:
  web:
    image: {image}
    restart: unless-stopped
    networks: [own]
    ports: ['127.0.0.1:8101:8000']
    healthcheck: {{test: ['CMD', 'wget', '-q', '-O-', 'http://127.0.0.1:8000/health'], interval: 1s, retries: 3}}
  worker:
    image: worker:1
    restart: unless-stopped
    command: [sleep, '100000']
networks:
  own: {network}
"
    )
}

const FIRST: &str = "{ipam: {config: [{subnet: 172.31.1.0/24}]}}";
const OTHER: &str = "{ipam: {config: [{subnet: 172.31.2.0/24}]}}";

fn subnet(host: &Host) -> String {
    host.sh("docker network inspect a_own -f '{{(index .IPAM.Config 0).Subnet}}'")
}

#[test]
fn a_network_that_changes_is_made_again() {
    let host = Host::with_images(&["web:1", "web:2", "worker:1"]);
    let path = desired("compose/a/docker-compose.yml");
    host.checkout(&[(&path, &compose(FIRST, "web:1"))]);
    host.apply(&[]).expect(0);
    assert_eq!(subnet(&host), "172.31.1.0/24");
    let before = containers(&host);

    // What compose itself does.
    host.commit(&[(&path, Some(&compose(OTHER, "web:1")))], "subnet");
    host.sh(&format!(
        "cd {CHECKOUT}/desired-state/compose/a; docker-compose up -d 2>&1"
    ));
    assert_eq!(subnet(&host), "172.31.1.0/24");

    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(
        plan.contains("remove the containers of web, and the network a_own"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert_eq!(subnet(&host), "172.31.2.0/24");
    let now = containers(&host);
    assert_eq!(changed(&now, &before), ["a/web"]);
    assert_eq!(host.get("http://localhost:8101/"), (200, "web:1\n".into()));
    host.assert_does_nothing(&["apply"]).expect(0);

    // Nothing said in other words.
    let same = OTHER.replace("{ipam", "{ ipam");
    host.commit(&[(&path, Some(&compose(&same, "web:1")))], "spaces");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(!plan.contains("the network a_own"), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!(containers(&host), now);

    // One that fails: the old network comes back, with its containers.
    let options = "{internal: true, ipam: {config: [{subnet: 172.31.3.0/24}]}}";
    let ill = compose(options, "web:2").replace("/health", "/nothing");
    host.commit(&[(&path, Some(&ill))], "ill");
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("rolled back"), "{failed}");
    assert_eq!(subnet(&host), "172.31.2.0/24", "{failed}");
    assert_eq!(host.get("http://localhost:8101/"), (200, "web:1\n".into()));

    // A container of somebody else is on it.
    host.sh("docker run -d --name guest --network a_own worker:1 sleep 100000");
    host.commit(&[(&path, Some(&compose(FIRST, "web:1")))], "back");
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("other containers are on it: guest"),
        "{refused}"
    );
    host.sh("docker rm -f guest");
    host.apply(&[]).expect(0);
    assert_eq!(subnet(&host), "172.31.1.0/24");
}

/// Its data would go: no volume is removed.
#[test]
fn a_volume_that_changes_stays_and_is_said() {
    let host = Host::with_images(&["worker:1"]);
    let path = desired("compose/a/docker-compose.yml");
    let file = |volume: &str| {
        format!(
            "services:\n  worker:\n    image: worker:1\n    restart: unless-stopped\n    command: [sleep, '100000']\n    volumes: ['data:/data']\nvolumes:\n  data: {volume}\n"
        )
    };
    host.checkout(&[(&path, &file("{}"))]);
    host.apply(&[]).expect(0);
    let before = containers(&host);
    let options = file("{driver_opts: {type: tmpfs, device: tmpfs}}");
    host.commit(&[(&path, Some(&options))], "options");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(plan.contains("No volume is removed here"), "{plan}");
    // docker-compose 1 ends with an error, and the run is undone; 2.26 goes on.
    let status = match host.debian() {
        Debian::Twelve => 3,
        Debian::Thirteen => 0,
    };
    host.apply(&[]).expect(status);
    assert_eq!(
        host.sh("docker volume inspect a_data -f '{{len .Options}}'"),
        "0"
    );
    assert_eq!(changed(&containers(&host), &before), [""; 0]);
}
