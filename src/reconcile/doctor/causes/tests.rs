//! Each cause from facts alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::*;
use crate::model::{Attachment, DockerState, NginxState, UnitState};
use crate::reconcile::doctor::facts::{Disk, Log, Room, Takes};
use crate::reconcile::status::{MemberStatus, NetworkStatus, UnitStatus};

fn container(name: &str, state: &str, exit_code: i64) -> Container {
    Container {
        id: format!("{name}-id"),
        name: name.to_owned(),
        state: state.to_owned(),
        exit_code,
        ..Container::default()
    }
}

fn facts(containers: Vec<Container>) -> Facts {
    Facts {
        docker: Some(DockerState {
            containers,
            ..DockerState::default()
        }),
        ..Facts::default()
    }
}

/// All containers by their name.
fn on(facts: &Facts) -> Focus {
    Focus::These {
        units: facts.units.iter().map(|unit| unit.name.clone()).collect(),
        containers: facts.containers().map(|one| one.id.clone()).collect(),
        networks: facts.networks.iter().map(|one| one.name.clone()).collect(),
    }
}

fn found(facts: &Facts) -> Vec<(What, String)> {
    let found = find(facts, &on(facts)).into_iter();
    found.map(|cause| (cause.what, cause.text)).collect()
}

fn unit(name: &str, state: &str, well: bool) -> UnitStatus {
    UnitStatus {
        name: name.to_owned(),
        state: state.to_owned(),
        well,
        systemd: String::new(),
        since: None,
        restarts: 0,
        exit_status: None,
        signalled: false,
        meaning: None,
        publishes: Vec::new(),
    }
}

#[test]
fn a_container_that_was_killed_says_by_whom() {
    let mut one = container("api", "exited", 137);
    let text = |one: Container, kernel: &[&str]| {
        let mut facts = facts(vec![one]);
        facts.kernel = kernel.iter().map(|line| (*line).to_owned()).collect();
        let found = find(&facts, &on(&facts));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].what, What::Killed);
        found[0].text.clone()
    };
    assert!(text(one.clone(), &[]).contains("not for lack of memory"));
    let host = "oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/system.slice/docker-api-id.scope";
    assert!(text(one.clone(), &[host]).contains("the whole host was short"));
    one.oom_killed = true;
    // Without a limit of its own, and without the kernel's word, nobody knows whose it was.
    assert!(text(one.clone(), &[]).contains("by the kernel, out of memory"));
    one.has_memory_limit = true;
    assert!(text(one.clone(), &[]).contains("it reached its memory limit"));
    let limit = host.replace("_NONE", "_MEMCG");
    assert!(text(one.clone(), &[&limit]).contains("it reached its memory limit"));
    let own = limit.replace(
        "task_memcg",
        "oom_memcg=/system.slice/docker-api-id.scope,task_memcg",
    );
    assert!(text(one.clone(), &[&own]).contains("it reached its memory limit"));
    let above = limit.replace("task_memcg", "oom_memcg=/apps.slice,task_memcg");
    assert!(text(one, &[&above]).contains("the control group /apps.slice, which it is in"));
}

#[test]
fn nothing_is_wrong_with_what_runs() {
    let mut facts = facts(vec![container("api", "running", 0)]);
    facts.units = vec![unit("api.service", "running", true)];
    facts.disks = vec![Disk {
        folder: "/".into(),
        device: 1,
        bytes: (100 << 30, 50 << 30),
        inodes: (0, 0),
    }];
    assert_eq!(found(&facts), []);
}

#[test]
fn a_unit_says_why_it_is_down() {
    let mut facts = facts(Vec::new());
    facts.units = vec![
        unit("a.service", "failed", false),
        unit("b.service", "paused", true),
        unit("c.service", "masked", false),
        unit("d.service", "failed", false),
    ];
    facts.pauses = BTreeMap::from([("b.service".into(), "database moves".into())]);
    let lines = |line: &str| vec![line.to_owned()];
    facts.journals = BTreeMap::from([
        ("a.service".into(), lines("no such option")),
        (
            "d.service".into(),
            lines(
                "pull access denied for registry.example.com/app, may require 'docker login': denied: Your authorization token has expired",
            ),
        ),
    ]);
    let found = find(&facts, &on(&facts));
    let whats: Vec<What> = found.iter().map(|cause| cause.what).collect();
    assert_eq!(
        whats,
        [
            What::UnitDown,
            What::Paused,
            What::Masked,
            What::RegistryLogin
        ]
    );
    assert_eq!(found[0].evidence, ["no such option"]);
    assert!(found[1].text.contains("database moves"));
    assert!(found[3].text.contains("has expired"), "{found:?}");
    assert_eq!(found[3].fix[0], "sudo docker login registry.example.com");
}

#[test]
fn a_unit_that_starts_again_and_again() {
    let now = Timestamp::UNIX_EPOCH;
    let mut one = unit("a.service", "running", true);
    one.restarts = 9;
    let mut facts = facts(Vec::new());
    facts.now = now;
    facts.units = vec![one];
    let state = UnitState {
        active: "active".into(),
        restarts: 9,
        started: Some(now),
        ..UnitState::default()
    };
    facts.states = BTreeMap::from([("a.service".into(), state)]);
    let found = found(&facts);
    assert_eq!(found[0].0, What::Restarting, "{found:?}");
}

#[test]
fn a_full_disk_names_what_takes_room_and_deletes_no_data() {
    let mut facts = facts(Vec::new());
    facts.disks = vec![
        Disk {
            folder: "/".into(),
            device: 1,
            bytes: (100 << 30, 1 << 20),
            inodes: (1000, 900),
        },
        Disk {
            folder: "/var".into(),
            device: 2,
            bytes: (100 << 30, 50 << 30),
            inodes: (1000, 1),
        },
    ];
    let takes = |what, bytes| Takes {
        what,
        bytes,
        device: Some(1),
    };
    facts.takes = vec![
        takes(Room::Volume("db".into()), 9 << 30),
        takes(Room::Images, 5 << 30),
        takes(Room::Journal, 3 << 20),
        takes(Room::Log("api".into()), 2048),
    ];
    let found = find(&facts, &Focus::Whole);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].text.contains("1 MiB of 100.0 GiB are left"),
        "{found:?}"
    );
    assert!(found[1].text.contains("no inodes"), "{found:?}");
    // What is on another disk makes no room there.
    assert_eq!(found[1].evidence, [""; 0]);
    assert!(found[1].fix[0].starts_with("sudo du --inodes -x -d 3 /var"));
    assert!(
        found[0]
            .evidence
            .contains(&"9.0 GiB  the volume db (data)".to_owned())
    );
    let fix = found[0].fix.join("\n");
    assert!(
        fix.contains("docker image prune") && fix.contains("--vacuum-size"),
        "{fix}"
    );
    for never in ["volume", "system prune", "rm ", " -a"] {
        assert!(!fix.contains(never), "{never}: {fix}");
    }
}

#[test]
fn names_between_containers() {
    let attached = |networks: &[&str]| -> BTreeMap<String, Attachment> {
        let networks = networks.iter();
        networks
            .map(|name| ((*name).to_owned(), Attachment::default()))
            .collect()
    };
    let mut api = container("api", "running", 0);
    api.attachments = attached(&["front"]);
    let mut db = container("db", "running", 0);
    db.attachments = attached(&["back"]);
    let mut facts = facts(vec![api, db]);
    let log = Log::Lines(vec!["Error: getaddrinfo ENOTFOUND db".into()]);
    facts.logs = BTreeMap::from([
        ("api-id".into(), log),
        ("db-id".into(), Log::Lines(vec!["x".into()])),
    ]);
    let causes = find(&facts, &on(&facts));
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(causes[0].what, What::NameUnresolved);
    assert_eq!(
        causes[0].evidence[1..],
        ["container api is on front", "container db is on back"]
    );
    // As soon as they share one, nothing is wrong.
    if let Some(docker) = &mut facts.docker {
        docker.containers[1].attachments = attached(&["back", "front"]);
    }
    assert_eq!(found(&facts), []);
}

#[test]
fn networks_that_are_missing() {
    let mut facts = facts(Vec::new());
    let member = MemberStatus {
        name: "api".into(),
        connected: false,
        address: None,
        expected_address: None,
        pinned: false,
        running: true,
        why_not: None,
        health: crate::model::Health::None,
        aliases: BTreeSet::new(),
    };
    let network = |name: &str, exists, members| NetworkStatus {
        name: name.to_owned(),
        exists,
        subnet: None,
        connected: 0,
        members,
        foreign: Vec::new(),
    };
    facts.networks = vec![
        network("gone", false, Vec::new()),
        network("net", true, vec![member]),
    ];
    let found = found(&facts);
    assert_eq!(found[0].1, "the network gone is missing");
    assert!(
        found[1]
            .1
            .starts_with("container api is not on the network net")
    );
    // A member that runs and was made on the one that is gone has to be made again.
    let mut api = container("api", "running", 0);
    api.network_mode = "a1".repeat(32);
    facts.networks.swap(0, 1);
    facts.networks[0].exists = false;
    facts.docker = Some(DockerState {
        containers: vec![api],
        ..DockerState::default()
    });
    let found = find(&facts, &Focus::Whole);
    let missing = found.iter().find(|cause| cause.place == "net").unwrap();
    assert_eq!(
        missing.fix,
        ["watchme-apply drift --fix", "sudo docker start api"]
    );
}

#[test]
fn a_log_that_says_nothing() {
    let mut facts = facts(vec![container("api", "running", 0)]);
    if let Some(docker) = &mut facts.docker {
        docker.containers[0].since = Some(Timestamp::UNIX_EPOCH);
    }
    facts.now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1);
    facts.logs = BTreeMap::from([("api-id".into(), Log::Lines(Vec::new()))]);
    assert_eq!(found(&facts), []);
    assert_eq!(silent(&facts, &on(&facts))[0].what, What::SilentLog);
    // Of the whole host, that is no news.
    assert_eq!(silent(&facts, &Focus::Whole), []);
}

#[test]
fn nobody_listens_where_nginx_passes_requests_on() {
    let mut facts = facts(Vec::new());
    facts.nginx = Some(NginxState {
        installed: true,
        ..NginxState::default()
    });
    let passes = Passes {
        port: 8010,
        place: "location /a/ (/etc/nginx/sites-enabled/a:3)".into(),
    };
    let causes = of_upstreams(&facts, &[passes]);
    assert_eq!(causes.len(), 1);
    assert!(
        causes[0]
            .text
            .starts_with("nothing listens on port 8010, where location /a/")
    );
    assert!(causes[0].fix[0].contains("ports"));
    let causes = find(&facts, &Focus::Whole);
    assert_eq!(causes[0].what, What::NginxDown);
    assert_eq!(once([causes.clone(), causes.clone()].concat()), causes);
}
