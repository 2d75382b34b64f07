//! Data stays with its service when its compose file moves.

use super::{assert_answers, compose_unit, containers};
use crate::support::{CHECKOUT, Host, desired};

fn file(data: &str, port: u16) -> String {
    format!(
        "services:
  server:
    image: app:1
    container_name: web
    network_mode: bridge
    ports: ['127.0.0.1:{port}:8000']
    volumes: ['{data}:/data', './web.conf:/etc/web.conf:ro']
"
    )
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_compose_file_that_moves_does_not_leave_its_data_behind() {
    let host = Host::with_images(&["app:1"]);
    let (old, new) = ("compose/web", "services/web");
    let unit_path = desired("systemd/web.service");
    let unit = |folder: &str| compose_unit(&format!("-f {CHECKOUT}/{folder}/docker-compose.yml"));
    let path = |folder: &str, name: &str| format!("{folder}/{name}");
    host.checkout(&[
        (".gitignore", "data/\n"),
        (&unit_path, &unit(old)),
        (&path(old, "docker-compose.yml"), &file("./data", 8101)),
        (&path(old, "web.conf"), "conf\n"),
    ]);
    host.sh_as(
        "ubuntu",
        &format!("mkdir {CHECKOUT}/{old}/data; echo kept >{CHECKOUT}/{old}/data/rows"),
    );
    host.apply(&[]).expect(0);
    let rows = || host.sh("docker exec web cat /data/rows");
    assert_eq!(rows(), "kept");
    let id = || host.sh("docker inspect -f '{{.Id}} {{.State.Running}}' web");
    let before = id();

    let moved = [
        (unit_path.clone(), Some(unit(new))),
        (path(old, "docker-compose.yml"), None),
        (path(old, "web.conf"), None),
        (path(new, "docker-compose.yml"), Some(file("./data", 8101))),
        (path(new, "web.conf"), Some("conf 2\n".to_owned())),
    ];
    let moved: Vec<_> = moved
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_deref()))
        .collect();
    // Removing files of git takes the folder's data along only where nothing else is in it.
    host.commit(&moved, "moved");
    assert_eq!(host.read(&format!("{CHECKOUT}/{old}/data/rows")), "kept\n");
    let (from, to) = (
        format!("{CHECKOUT}/{old}/data"),
        format!("{CHECKOUT}/{new}/data"),
    );
    for command in ["plan", "apply"] {
        let refused = host.tool(&[command]).expect(1).text();
        for part in [
            format!(
                "its container web has {from} at /data, and would get {to} instead, which does not exist"
            ),
            format!("write {from}:/data in its compose file"),
            format!("systemctl stop web.service; docker rm -f web; cp -aT {from} {to}"),
        ] {
            assert!(refused.contains(&part), "{part}: {refused}");
        }
        assert!(
            !refused.contains("web.conf at"),
            "read only, and there: {refused}"
        );
    }
    assert_eq!(id(), before, "nothing stopped");

    // An empty folder in its place is no better: an ExecStartPre or a git checkout may have made it.
    host.sh_as("ubuntu", &format!("mkdir {to}"));
    let refused = host.apply(&[]).expect(1).text();
    assert!(refused.contains("which is empty"), "{refused}");

    // Moved as it says.
    host.sh(&format!("systemctl stop web.service; cp -aT {from} {to}"));
    host.apply(&[]).expect(0);
    assert_eq!(rows(), "kept");
    assert_eq!(containers(&host), "web running");
    assert_answers(&host, 8101, "app:1");

    // A source that does not exist is told.
    let nowhere = file("/srv/nowhere", 8101).replace(":/data'", ":/other'");
    host.commit(
        &[(&path(new, "docker-compose.yml"), Some(&nowhere))],
        "nowhere",
    );
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(
        plan.contains("web.service mounts /srv/nowhere at /other, but it does not exist"),
        "{plan}"
    );
}
