//! Projects that run from another folder, and whose folder is copied into the checkout.

use super::{changed, containers};
use crate::support::{CHECKOUT, Host, desired};

const COMPOSE: &str = "services:
  conf:
    image: worker:1
    command: [sleep, '100000']
    volumes: ['./app.conf:/etc/app.conf:ro']
  data:
    image: worker:1
    command: [sleep, '100000']
    volumes: ['./data:/data']
  user:
    image: worker:1
    command: [sleep, '100000']
    depends_on: [conf]
  plain:
    image: worker:1
    command: [sleep, '100000']
    volumes: ['/srv:/srv']
";

/// A project runs from /opt/conf, and `compose/conf/` is a copy of that folder.
fn copied() -> Host {
    let host = Host::with_images(&["worker:1", "worker:2"]);
    host.write("/opt/conf/docker-compose.yml", COMPOSE);
    host.write("/opt/conf/app.conf", "conf\n");
    host.sh("mkdir /opt/conf/data; cd /opt/conf; docker-compose up -d 2>&1");
    host.checkout(&[
        (&desired("compose/conf/docker-compose.yml"), COMPOSE),
        (&desired("compose/conf/app.conf"), "conf\n"),
        (".gitignore", "data/\n"),
    ]);
    host.sh(&format!(
        "cp -a /opt/conf/data {CHECKOUT}/desired-state/compose/conf/"
    ));
    host
}

#[test]
fn a_plan_says_what_an_adoption_makes_anew_and_why() {
    let host = copied();
    let by_hand = containers(&host);
    let folder = format!("{CHECKOUT}/desired-state/compose/conf");

    // Data stays: in the new folder is other data.
    host.sh("echo rows >/opt/conf/data/rows");
    for command in ["plan", "apply"] {
        let refused = host.tool(&[command]).expect(1).text();
        for part in [
            format!("has /opt/conf/data at /data, and would get {folder}/data instead"),
            "write /opt/conf/data:/data in its compose file".to_owned(),
        ] {
            assert!(refused.contains(&part), "{part}: {refused}");
        }
    }
    assert_eq!(changed(&containers(&host), &by_hand), [""; 0]);
    host.sh("rm /opt/conf/data/rows");

    let plan = host.tool(&["plan"]).expect(0).text();
    let line = plan
        .lines()
        .find(|line| line.contains("stack-conf.service: start"));
    let line = line.unwrap_or_else(|| panic!("{plan}"));
    assert!(
        line.contains("! unit/stack-conf.service: start, interrupts only conf, data, user  ("),
        "{line}"
    );
    for part in [
        format!(
            "container of conf: it has /opt/conf/app.conf at /etc/app.conf, and gets {folder}/app.conf; write /opt/conf/app.conf in the compose file to keep it"
        ),
        format!("container of data: it has /opt/conf/data at /data, and gets {folder}/data"),
    ] {
        assert!(plan.contains(&part), "{part}: {plan}");
    }
    let markdown = host
        .tool(&["plan", "--format", "markdown"])
        .expect(0)
        .text();
    assert!(
        !markdown.contains("No running service is interrupted"),
        "{markdown}"
    );
    let json = host.tool(&["plan", "--json"]).expect(0).stdout;
    let json: serde_json::Value = crate::support::schema::json("plan", &json);
    let changes = json["changes"].as_array().unwrap();
    let start = changes.iter().find(|one| one["action"] == "start").unwrap();
    assert_eq!(
        start["services"],
        serde_json::json!(["conf", "data", "user"])
    );

    // On a terminal somebody is asked.
    let asked = host.try_sh_as(
        "ubuntu",
        &format!("cd {CHECKOUT}; printf 'n\\n' | script -qec 'sudo watchme-apply apply' /dev/null"),
    );
    let asked = asked.text();
    assert!(asked.contains("Continue? [y/N]"), "{asked}");
    assert!(
        asked.contains("start, interrupts only conf, data, user"),
        "{asked}"
    );
    assert_eq!(changed(&containers(&host), &by_hand), [""; 0]);

    // A mount in git comes from the store from now on, where compose can do that for one service alone.
    host.apply(&[]).expect(0);
    let made = changed(&containers(&host), &by_hand);
    assert!(made.contains(&"conf/conf".to_owned()), "{made:?}");
    assert!(made.contains(&"conf/data".to_owned()), "{made:?}");
    assert!(!made.contains(&"conf/plain".to_owned()), "{made:?}");
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// The same paths, absolute: compose leaves everything as it is.
#[test]
fn absolute_paths_keep_the_containers_of_a_folder_that_was_copied() {
    let host = copied();
    host.sh("echo rows >/opt/conf/data/rows");
    let by_hand = containers(&host);
    let absolute = COMPOSE.replace("'./", "'/opt/conf/");
    host.commit(
        &[(&desired("compose/conf/docker-compose.yml"), Some(&absolute))],
        "absolute",
    );
    let plan = host.tool(&["plan"]).expect(0).text();
    assert!(
        plan.contains("+ unit/stack-conf.service: start  (new; its 4 containers run"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert_eq!(changed(&containers(&host), &by_hand), [""; 0]);
    host.assert_does_nothing(&["apply"]).expect(0);
}

const SHAPES: &str = "services:
  same:
    image: worker:1
    command: [sleep, '100000']
    environment: {A: '1'}
  env:
    image: worker:1
    command: [sleep, '100000']
    environment: {MODE: hunter2, GONE: x}
  command:
    image: worker:1
    command: [sleep, '100000']
  port:
    image: worker:1
    command: [sleep, '100000']
    ports: ['127.0.0.1:8301:80']
  net:
    image: worker:1
    command: [sleep, '100000']
  label:
    image: worker:1
    command: [sleep, '100000']
  restart:
    image: worker:1
    command: [sleep, '100000']
  other:
    image: worker:1
    command: [sleep, '100000']
    stop_grace_period: 1s
networks:
  back: {}
";

/// Whatever compose compares: it is asked, and what differs is said; values of variables are not.
#[test]
#[ignore = "recreates seven containers: tests/run --all"]
fn an_adoption_says_of_each_service_whether_it_stays_and_why_not() {
    let host = Host::with_images(&["worker:1", "worker:2"]);
    host.write("/opt/shapes/docker-compose.yml", SHAPES);
    host.sh("cd /opt/shapes; docker-compose up -d 2>&1");
    let by_hand = containers(&host);
    let path = desired("compose/shapes/docker-compose.yml");
    host.checkout(&[(&path, SHAPES)]);
    let start = |plan: &str| {
        let line = plan
            .lines()
            .find(|line| line.contains("stack-shapes.service: start"));
        line.unwrap_or_else(|| panic!("{plan}")).to_owned()
    };
    let plan = host.tool(&["plan"]).expect(0).text();
    let line = start(&plan);
    assert!(
        line.contains("+ unit/stack-shapes.service: start")
            && line.contains("its 8 containers run, and stay: their configuration is the same"),
        "{plan}"
    );
    assert!(!plan.contains("recreate"), "{plan}");

    let edited = SHAPES
        .replace("{MODE: hunter2, GONE: x}", "{MODE: hunter3}")
        .replace(
            "  command:\n    image: worker:1\n    command: [sleep, '100000']",
            "  command:\n    image: worker:1\n    command: [sleep, '100001']",
        )
        .replace("127.0.0.1:8301:80", "8302:80")
        .replace(
            "  net:\n    image: worker:1\n",
            "  net:\n    image: worker:1\n    networks: [back]\n",
        )
        .replace(
            "  label:\n    image: worker:1\n",
            "  label:\n    image: worker:1\n    labels: {team: a}\n",
        )
        .replace(
            "  restart:\n    image: worker:1\n",
            "  restart:\n    image: worker:1\n    restart: always\n",
        )
        .replace("    stop_grace_period: 1s\n", "    stop_grace_period: 2s\n");
    host.commit(&[(&path, Some(&edited))], "edited");
    let plan = host.tool(&["plan"]).expect(0).text();
    let line = start(&plan);
    for part in [
        "interrupts only command, env, label, net, other, port, restart",
        "and keeps those of same",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    for part in [
        "container of env: other variables: GONE, MODE",
        "container of command: another command",
        "container of port: it publishes 127.0.0.1:8301:80/tcp, and the file says 8302:80/tcp",
        "container of net: it is not on shapes_back",
        "container of label: other labels: team",
        "container of restart: its restart policy is no, and the file says always",
        "container of other: ",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let mut notes = plan
        .lines()
        .filter(|line| line.contains("recreates the container of"));
    assert!(!notes.any(|line| line.contains("hunter")), "{plan}");
    assert_eq!(changed(&containers(&host), &by_hand), [""; 0]);
    host.apply(&[]).expect(0);
    assert_eq!(
        changed(&containers(&host), &by_hand),
        ["command", "env", "label", "net", "other", "port", "restart"]
            .map(|service| format!("shapes/{service}"))
    );
    host.assert_does_nothing(&["apply"]).expect(0);
}

/// Nothing of a project that runs goes on beside what is adopted without a word.
#[test]
fn what_an_adoption_would_leave_running_is_said() {
    let host = Host::with_images(&["worker:1"]);
    let service = "    image: worker:1\n    command: [sleep, '100000']\n";
    let both = format!("services:\n  app:\n{service}  old:\n{service}");
    host.write("/opt/shop/docker-compose.yml", &both);
    host.sh("cd /opt/shop; docker-compose up -d 2>&1");
    let by_hand = containers(&host);
    let app = format!("services:\n  app:\n{service}");
    let file = desired("compose/shop/docker-compose.yml");
    host.checkout(&[(&file, &app)]);
    let plan = host.tool(&["plan"]).expect(0).text();
    let said = "of the compose project shop runs, and the file has no service old: it goes on running; to remove it: docker rm -f shop";
    assert!(plan.contains(said), "{plan}");

    // At its ports or at others: a first copy would run beside it.
    let copied = format!("{app}    ports: ['127.0.0.1:${{PORT}}:8000']\n");
    let policy = "[stack.shop]\nupdate = \"start-first\"\nports = [8101, 8102]\n";
    host.commit(
        &[
            (&file, Some(&copied)),
            (&desired("watchme.toml"), Some(policy)),
        ],
        "start-first",
    );
    for command in ["plan", "apply"] {
        let refused = host.tool(&[command]).expect(1).text();
        for part in [
            "the compose project shop runs already (shop",
            "and the first copy of shop would run beside it",
            "adopt it first: apply without update and ports in [stack.shop]",
            "or stop it: docker",
        ] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
    }
    assert_eq!(changed(&containers(&host), &by_hand), [""; 0]);
}
