//! Data stays with its service when its compose project gets another name, and where nothing runs.

use super::{compose_unit, unit};
use crate::support::{CHECKOUT, Host, desired};

fn file(volume: &str) -> String {
    format!(
        "services:
  server:
    image: app:1
    network_mode: bridge
    ports: ['127.0.0.1:8101:8000']
    volumes: ['data:/data']
volumes:
  data: {volume}
"
    )
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_compose_project_that_gets_another_name_does_not_leave_its_volumes_behind() {
    let host = Host::with_images(&["app:1"]);
    let (old, new) = (
        "compose/web/docker-compose.yml",
        "compose/shop/docker-compose.yml",
    );
    let unit_path = desired("systemd/web.service");
    let of = |path: &str| compose_unit(&format!("-f {CHECKOUT}/{path}"));
    host.checkout(&[(&unit_path, &of(old)), (old, &file("{}"))]);
    host.apply(&[]).expect(0);
    let container = || host.sh("docker ps -q");
    host.sh("docker exec $(docker ps -q) sh -c 'echo kept >/data/rows'");
    let before = container();

    host.commit(
        &[
            (&unit_path, Some(&of(new))),
            (old, None),
            (new, Some(&file("{}"))),
        ],
        "another folder",
    );
    for command in ["plan", "apply"] {
        let refused = host.tool(&[command]).expect(1).text();
        for part in [
            "has the volume web_data at /data, and would get the volume shop_data instead, which does not exist",
            "\"name: web_data\" and \"external: true\"",
        ] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
    }
    assert_eq!(container(), before, "nothing stopped");
    assert_eq!(host.sh("docker volume ls -q"), "web_data");

    // Nor where the service is stopped, and its container gone.
    host.sh("systemctl stop web.service");
    assert_eq!(host.sh("docker ps -aq"), "");
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("had the volume web_data at /data"),
        "{refused}"
    );

    // As it says.
    let kept = file("{name: web_data, external: true}");
    host.commit(&[(new, Some(&kept))], "its volume comes along");
    host.apply(&[]).expect(0);
    assert_eq!(
        host.sh("docker exec $(docker ps -q) cat /data/rows"),
        "kept"
    );
}

#[test]
#[ignore = "long: tests/run --all"]
fn the_mounts_of_a_container_that_is_stopped_are_compared() {
    let host = Host::with_images(&["app:1"]);
    let unit_path = desired("systemd/web.service");
    let of = |folder: &str| {
        let run = format!("/usr/bin/docker run --name web -v {folder}:/data app:1");
        let text = unit(
            &format!("ExecStartPre=-/usr/bin/docker rm -f web\nExecStart={run}"),
            "ExecStop=-/usr/bin/docker stop -t 1 web",
        );
        text.replace("Restart=always", "Restart=no")
    };
    host.sh("mkdir -p /opt/d1 /opt/d2; echo kept >/opt/d1/rows");
    host.checkout(&[(&unit_path, &of("/opt/d1"))]);
    host.apply(&[]).expect(0);
    host.sh("docker stop -t 1 web");
    assert_eq!(
        host.sh("docker ps -a --format '{{.Names}} {{.State}}'"),
        "web exited"
    );

    host.commit(&[(&unit_path, Some(&of("/opt/d2")))], "another folder");
    for command in ["plan", "apply"] {
        let refused = host.tool(&[command]).expect(1).text();
        assert!(
            refused.contains("its container web, which is stopped, has /opt/d1 at /data, and would get /opt/d2 instead, which is empty"),
            "{refused}"
        );
    }
    // As it says.
    host.sh("systemctl stop web.service; docker rm -f web; cp -aT /opt/d1 /opt/d2");
    host.apply(&[]).expect(0);
    assert_eq!(host.sh("docker exec web cat /data/rows"), "kept");
}
