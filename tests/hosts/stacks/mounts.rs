//! Files and folders of the checkout that containers mount are inputs, as env files are.

use serde_json::Value;

use super::{changed, containers, up_by_hand};
use crate::support::schema::json;
use crate::support::{CHECKOUT, Debian, Host, desired};

const COMPOSE: &str = "services:
  web:
    image: web:1
    restart: unless-stopped
    ports: ['127.0.0.1:8101:8000']
    volumes:
    - './page.txt:/www/page.txt:ro'
    - type: bind
      source: ./long.txt
      target: /www/long.txt
    secrets: [key]
    healthcheck: {test: ['CMD', 'wget', '-q', '-O-', 'http://127.0.0.1:8000/health'], interval: 1s, retries: 3}
  folder:
    image: web:1
    restart: unless-stopped
    ports: ['127.0.0.1:8102:8000']
    volumes: ['./pages:/www/pages:ro', './data:/data']
  worker:
    image: worker:1
    restart: unless-stopped
    command: [sleep, '100000']
secrets:
  key: {file: ./key.txt}
";

fn at(name: &str) -> String {
    desired(&format!("compose/a/{name}"))
}

fn host() -> Host {
    let host = Host::with_images(&["web:1", "worker:1"]);
    host.checkout(&[
        (&at("docker-compose.yml"), COMPOSE),
        (&at("page.txt"), "page 1\n"),
        (&at("long.txt"), "long 1\n"),
        (&at("key.txt"), "key 1\n"),
        (&at("pages/one.txt"), "one 1\n"),
        (&at("data/.gitignore"), "*.db\n"),
    ]);
    host
}

#[track_caller]
fn serves(host: &Host, path: &str, expected: &str) {
    let port = if path.starts_with("pages/") {
        8102
    } else {
        8101
    };
    let url = format!("http://localhost:{port}/{path}");
    assert_eq!(host.get(&url), (200, format!("{expected}\n")), "{path}");
}

/// What the plan says that the one reload interrupts.
#[track_caller]
fn interrupted(host: &Host) -> Vec<String> {
    let planned: Value = json("plan", &host.tool(&["plan", "--json"]).expect(0).stdout);
    let changes = planned["changes"].as_array().unwrap();
    let reload = changes.iter().find(|one| one["action"] == "reload");
    let reload = reload.unwrap_or_else(|| panic!("{planned}"));
    let services = reload["services"].as_array().unwrap();
    services
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_change_of_what_a_stack_mounts_makes_its_containers_anew() {
    let host = host();
    up_by_hand(&host, "a");
    let by_hand = containers(&host);
    assert_eq!(by_hand.len(), 3, "{by_hand:?}");

    // Adopted: nothing is made anew, and nothing is left to do.
    host.apply(&[]).expect(0);
    assert_eq!(changed(&containers(&host), &by_hand), [""; 0]);
    assert_eq!(host.sh("find /run/systemd/system -name '*watchme*'"), "");
    host.assert_does_nothing(&["apply"]).expect(0);

    // What is mounted changes; the adopted container gets it from the store from now on.
    host.commit(&[(&at("page.txt"), Some("page 2\n"))], "page 2");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(plan.contains("+page 2"), "{plan}");
    assert!(plan.contains("a/page.txt, which changed"), "{plan}");
    // docker-compose 1 orders lists anew where it reads a second file.
    let is_first = host.debian() == Debian::Twelve;
    if !is_first {
        assert_eq!(interrupted(&host), ["web"]);
    }
    host.apply(&[]).expect(0);
    let mut made = changed(&containers(&host), &by_hand);
    made.retain(|key| !is_first || key != "a/folder");
    assert_eq!(made, ["a/web"]);
    serves(&host, "page.txt", "page 2");
    serves(&host, "long.txt", "long 1");
    host.assert_does_nothing(&["apply"]).expect(0);

    // Each form; a secret, whose path is the same for compose.
    for (name, text) in [("long.txt", "long 2\n"), ("key.txt", "key 2\n")] {
        let before = containers(&host);
        host.commit(&[(&at(name), Some(text))], name);
        let plan = host.tool(&["plan"]).expect(0).text();
        if !is_first {
            assert_eq!(interrupted(&host), ["web"], "{name}");
        }
        host.apply(&[]).expect(0);
        assert_eq!(changed(&containers(&host), &before), ["a/web"], "{name}");
        // Nothing shows what a secret was or is.
        assert!(name != "key.txt" || !plan.contains("key 2") && !plan.contains("key 1"));
    }
    serves(&host, "long.txt", "long 2");
    let web = host.container_of("a", "web", 1);
    assert_eq!(
        host.sh(&format!("docker exec {web} cat /run/secrets/key")),
        "key 2"
    );

    // A revision that fails: the old content comes back, whatever lies in the checkout.
    let before = containers(&host);
    let ill = COMPOSE.replace("/health'", "/nothing'");
    host.commit(
        &[
            (&at("page.txt"), Some("page 3\n")),
            (&at("docker-compose.yml"), Some(&ill)),
        ],
        "ill",
    );
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("rolled back"), "{failed}");
    assert_eq!(changed(&containers(&host), &before), ["a/web"]);
    serves(&host, "page.txt", "page 2");

    // Neither does a pull alone change it, also not for a container that starts anew.
    host.sh(&format!(
        "docker restart {}",
        host.container_of("a", "web", 1)
    ));
    host.wait_for_image("web:1", 8101, std::time::Duration::from_secs(30));
    serves(&host, "page.txt", "page 2");
    host.commit(&[(&at("docker-compose.yml"), Some(COMPOSE))], "well");
    host.apply(&[]).expect(0);
    serves(&host, "page.txt", "page 3");

    // Back to the first one.
    host.tool(&["rollback", "1"]).expect(0);
    serves(&host, "page.txt", "page 1");
    serves(&host, "long.txt", "long 1");
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_mounted_folder_counts_as_far_as_it_is_in_git() {
    let host = host();
    host.apply(&[]).expect(0);
    serves(&host, "pages/one.txt", "one 1");
    let before = containers(&host);
    host.commit(&[(&at("pages/one.txt"), Some("one 2\n"))], "one 2");
    assert_eq!(interrupted(&host), ["folder"]);
    let said = host.apply(&[]).expect(0).text();
    assert!(said.contains("from the checkout itself"), "{said}");
    let now = containers(&host);
    assert_eq!(changed(&now, &before), ["a/folder"]);
    serves(&host, "pages/one.txt", "one 2");

    // What the service writes there is nobody's business.
    host.sh(&format!(
        "cd {CHECKOUT}/desired-state/compose/a; echo 1 > data/new.db; echo 2 > data/new.txt; echo 3 > pages/new.txt"
    ));
    host.assert_does_nothing(&["apply"]).expect(0);
    assert_eq!(containers(&host), now);
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_written_unit_restarts_with_what_its_containers_mount() {
    let host = Host::with_images(&["web:1"]);
    let file = "services:
  web:
    image: web:1
    ports: ['127.0.0.1:8101:8000']
    volumes: ['./page.txt:/www/page.txt:ro']
";
    let path = format!("{CHECKOUT}/desired-state/own/docker-compose.yml");
    let unit = format!(
        "[Unit]\nRequires=docker.service\nAfter=docker.service\n[Service]\nExecStart=/usr/bin/docker-compose -f {path} up\n\
         ExecStop=/usr/bin/docker-compose -f {path} down\n[Install]\nWantedBy=multi-user.target\n"
    );
    let page = desired("own/page.txt");
    host.checkout(&[
        (&desired("own/docker-compose.yml"), file),
        (&page, "page 1\n"),
        (&desired("systemd/own.service"), &unit),
    ]);
    host.apply(&[]).expect(0);
    host.wait_for_image("web:1", 8101, std::time::Duration::from_secs(30));
    serves(&host, "page.txt", "page 1");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.commit(&[(&page, Some("page 2\n"))], "page 2");
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(plan.contains("unit/own.service: restart"), "{plan}");
    assert!(plan.contains("own/page.txt, which changed"), "{plan}");
    host.apply(&[]).expect(0);
    host.wait_for_image("web:1", 8101, std::time::Duration::from_secs(30));
    serves(&host, "page.txt", "page 2");
    host.assert_does_nothing(&["apply"]).expect(0);
}
