//! `status --migration` says what is left to do until services use the shared network; `prune` removes what they leave behind.

use std::time::Duration;

use serde_json::Value;

use crate::support::network::{NETWORK, Server, policy};
use crate::support::schema::json;
use crate::support::{CHECKOUT, Host};

/// As people wrote it before: the project makes a network of the same name, and a volume.
const OLD: &str = "services:
  admin:
    image: busybox:1.36.1
    container_name: admin-prod
    command: ['sleep', '7000']
    networks: [watchme-network]
    volumes: [data:/data]
volumes: {data: {}}
networks: {watchme-network: {driver: bridge}}
";

fn new() -> String {
    OLD.replace("{driver: bridge}", "{external: true}")
}

fn unit(dependency: &str) -> String {
    let compose =
        format!("/usr/bin/docker-compose -p admin -f {CHECKOUT}/admin/docker-compose.yml");
    format!(
        "[Unit]\nAfter=docker.service {dependency}\nRequires=docker.service {dependency}\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
         ExecStart={compose} up -d\nExecStop={compose} down\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn migration(host: &Host) -> Value {
    let said = host.assert_untouched(|host| host.tool(&["status", "--migration", "--json"]));
    json("migration", &said.expect(0).stdout)
}

fn answers(found: &Value, name: &str) -> [Value; 3] {
    let services = found["networks"][0]["services"]
        .as_array()
        .expect("services");
    let service = services.iter().find(|one| one["name"] == name);
    let service = service.unwrap_or_else(|| panic!("no {name} in {found:#}"));
    ["external", "connected", "ordered"].map(|key| service[key]["yes"].clone())
}

/// What a refusal says: the error and what helps.
#[track_caller]
fn refused(host: &Host, args: &[&str], words: &[&str]) {
    let said = host.tool(&[&["prune"], args].concat()).expect(1).stderr;
    for word in words {
        assert!(said.contains(word), "{word}\n{said}");
    }
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_services_leave_behind_goes_when_nobody_uses_it() {
    let host = Host::boot();
    Server::with_owner()
        .member("vault", ("up", "down"))
        .with("admin/docker-compose.yml", OLD)
        .with("desired-state/systemd/admin.service", unit(""))
        .with(
            "desired-state/watchme.toml",
            policy(&["container = \"admin-prod\""]).replacen(
                "\n",
                "\nowner = \"watchme-infrastructure.service\"\n",
                1,
            ),
        )
        .check_out(&host);
    host.apply(&[]).expect(0);
    host.wait_for("vault", Duration::from_secs(30), || {
        host.names_on_network(NETWORK).len() >= 2
    });

    let found = migration(&host);
    let yes = || Value::from(true);
    let no = || Value::from(false);
    // An apply has connected it; its file and its unit are as they were.
    assert_eq!(
        answers(&found, "admin-prod"),
        [no(), yes(), no()],
        "{found:#}"
    );
    let first = &found["networks"][0]["services"][0];
    assert_eq!(
        first["name"], "admin-prod",
        "in the order of watchme.toml: {found:#}"
    );
    let why = first["external"]["why"].to_string();
    assert!(
        why.contains("it creates admin_watchme-network itself"),
        "{why}"
    );
    let legacy = found["legacy"].as_array().expect("legacy").iter();
    let legacy: Vec<&Value> = legacy
        .filter(|one| one["name"] == "admin_watchme-network")
        .collect();
    assert_eq!(legacy.len(), 1, "{found:#}");
    assert_eq!(legacy[0]["instead_of"], NETWORK);
    assert_eq!(legacy[0]["users"][0]["name"], "admin-prod");
    let text = host.tool(&["status", "--migration"]).expect(0).stdout;
    for said in [
        "created by watchme-infrastructure.service: 1 of 2 done",
        "lacks After=watchme-infrastructure.service",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }

    what_stays(&host);

    // Migrated: the old network has nobody, and the volume is another's.
    let owner = "watchme-infrastructure.service";
    host.commit(
        &[
            ("admin/docker-compose.yml", Some(&new())),
            ("desired-state/systemd/admin.service", Some(&unit(owner))),
        ],
        "External",
    );
    host.apply(&[]).expect(0);
    let found = migration(&host);
    assert_eq!(
        answers(&found, "admin-prod"),
        [yes(), yes(), yes()],
        "{found:#}"
    );
    let text = host.tool(&["status", "--migration"]).expect(0).stdout;
    assert!(text.contains("2 of 2 done"), "{text}");
    goes(&host);
}

fn what_stays(host: &Host) {
    host.sh("docker network create left >/dev/null; docker network create twice >/dev/null; docker volume create old >/dev/null; echo data >/var/lib/docker/volumes/old/_data/file");
    let before = host.sh("docker network ls -q | sort; docker volume ls -q | sort");
    refused(
        host,
        &["--network", "bridge", "--yes"],
        &["network bridge is built into the engine; nothing was changed"],
    );
    refused(
        host,
        &["--network", NETWORK, "--yes"],
        &["is needed: the desired state has it", "remove it from git"],
    );
    refused(
        host,
        &["--network", "admin_watchme-network", "--yes"],
        &["network admin_watchme-network is needed: the compose project of admin.service has it"],
    );
    refused(
        host,
        &["--volume", "admin_data", "--yes"],
        &["the compose project of admin.service has it"],
    );
    refused(
        host,
        &["--network", "nosuch", "--yes"],
        &["there is no network nosuch", "there are: ", "left"],
    );
    host.run_container("user", "--network left -v old:/data", "sleep 1");
    refused(
        host,
        &["--network", "left", "--yes"],
        &[
            "is in use: user (running",
            "network disconnect left CONTAINER",
        ],
    );
    host.wait_for("its end", Duration::from_secs(10), || {
        host.container("user", "{{.State.Status}}") == "exited"
    });
    refused(
        host,
        &["--network", "left", "--yes"],
        &["is in use: user (exited since 2"],
    );
    refused(
        host,
        &["--volume", "old", "--yes"],
        &[
            "is in use: user (exited since 2",
            "sudo docker rm CONTAINER",
        ],
    );
    host.sh("docker rm user");
    refused(
        host,
        &["--network", "left"],
        &["not confirmed", "watchme-apply prune --network left --yes"],
    );
    assert_eq!(
        host.sh("docker network ls -q | sort; docker volume ls -q | sort"),
        before
    );
}

fn goes(host: &Host) {
    let said = host
        .tool(&["prune", "--network", "admin_watchme-network", "--yes"])
        .expect(0)
        .stdout;
    assert!(
        said.contains("done: network admin_watchme-network is removed"),
        "{said}"
    );
    assert_eq!(host.network_id("admin_watchme-network"), None);
    let said = host
        .tool(&["prune", "--volume", "old", "--yes"])
        .expect(0)
        .stdout;
    for word in [
        "driver local",
        "5 bytes according to the engine",
        "according to its newest file: file",
        "sudo tar -C '/var/lib/docker/volumes/old/_data' -czf old.tar.gz",
        "done: volume old is removed",
    ] {
        assert!(said.contains(word), "{word}\n{said}");
    }
    assert!(!host.sh("docker volume ls -q").contains("old"));
    let history = host.tool(&["history"]).expect(0).stdout;
    assert_eq!(history.matches("  prune  ").count(), 2, "{history}");
    host.assert_does_nothing(&["apply"]).expect(0);
    // A person at a terminal is asked.
    let asked = host.try_sh(&format!(
        "cd {CHECKOUT}; echo no | script -qec 'watchme-apply prune --network left' /dev/null"
    ));
    assert!(
        asked.stdout.contains("this removes network left")
            && asked.stdout.contains("Continue? [y/N]"),
        "{}",
        asked.text()
    );
    assert!(host.network_id("left").is_some());
    let asked = host.try_sh(&format!(
        "cd {CHECKOUT}; echo yes | script -qec 'watchme-apply prune --network left' /dev/null"
    ));
    assert!(
        asked.stdout.contains("network left is removed"),
        "{}",
        asked.text()
    );
}
