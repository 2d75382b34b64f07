//! Tags that move: what ran comes back under its name.

mod moved;

use std::time::Duration;

use serde_json::Value;

use crate::support::{CHECKOUT, Host, REGISTRY_PASSWORD, desired};

const PULLED: &str = "compose/pulled/docker-compose.yml";
const KEPT: &str = "compose/kept/docker-compose.yml";

/// `docker run` in the foreground, with a variable.
fn run(name: &str, image: &str, port: u16, value: &str) -> String {
    format!(
        "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\n\
         ExecStart=/usr/bin/docker run --rm --name {name} -e A={value} -p 127.0.0.1:{port}:8000 {image}\n\
         ExecStop=/usr/bin/docker stop -t 1 {name}\nRestart=always\nRestartSec=1\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

/// A compose file with one service, whose health check passes if `well`.
fn compose(name: &str, image: &str, port: u16, well: bool) -> String {
    format!(
        "services:\n  server:\n    image: {image}\n    container_name: {name}\n    network_mode: bridge\n    \
         ports: ['127.0.0.1:{port}:8000']\n    healthcheck: {{test: ['CMD', '{well}'], interval: 1s, retries: 2}}\n"
    )
}

/// A unit that runs it, and pulls before if `pulls`.
fn unit(path: &str, pulls: bool) -> String {
    let compose = format!("/usr/bin/docker-compose -f {CHECKOUT}/{path}");
    let pull = match pulls {
        true => format!("ExecStartPre=-{compose} pull -q\n"),
        false => String::new(),
    };
    format!(
        "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\n{pull}ExecStart={compose} up\n\
         ExecStop={compose} down\nRestart=always\nRestartSec=1\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

#[track_caller]
fn assert_answers(host: &Host, port: u16, image: &str) {
    host.wait_for_image(image, port, Duration::from_secs(30));
}

fn id_of(host: &Host, image: &str) -> String {
    host.sh(&format!("docker image inspect -f '{{{{.Id}}}}' {image}"))
}

fn runs(host: &Host, container: &str) -> String {
    host.sh(&format!("docker inspect -f '{{{{.Image}}}}' {container}"))
}

/// An apply that brings newer images under the same tags and fails: what ran before runs again, under its name, though one
/// unit pulls at each start, and of the other image the name had gone meanwhile.
#[test]
fn a_failed_apply_gives_a_tag_its_old_image_back() {
    let host = Host::with_images(&["app:1", "app:2"]);
    let registry = host.start_registry(5000, false);
    let (pulled, kept) = (
        format!("{registry}/pulled:latest"),
        format!("{registry}/kept:latest"),
    );
    for name in [&pulled, &kept] {
        host.push_only("app:1", name);
    }
    host.checkout(&[
        (&desired("systemd/pulled.service"), &unit(PULLED, true)),
        (&desired("systemd/kept.service"), &unit(KEPT, false)),
        (PULLED, &compose("pulled", &pulled, 8101, true)),
        (KEPT, &compose("kept", &kept, 8102, true)),
    ]);
    host.apply(&[]).expect(0);
    assert_answers(&host, 8101, "app:1");
    assert_answers(&host, 8102, "app:1");
    let old = id_of(&host, "app:1");

    host.sh(&format!("docker rmi -f {kept}"));
    for name in [&pulled, &kept] {
        host.push_only("app:2", name);
    }
    // What is on the host under that name is what it was.
    host.sh(&format!("docker tag app:1 {pulled}"));
    host.commit(
        &[
            (PULLED, Some(&compose("pulled", &pulled, 8101, false))),
            (KEPT, Some(&compose("kept", &kept, 8102, false))),
        ],
        "unhealthy",
    );
    let failed = host.apply(&[]).expect(3).text();
    assert!(failed.contains("is unhealthy"), "{failed}");
    assert!(
        failed.contains(&format!("tag {pulled} as {} again", &old[..19])),
        "{failed}"
    );
    for (name, container, port) in [(&pulled, "pulled", 8101), (&kept, "kept", 8102)] {
        assert_answers(&host, port, "app:1");
        assert_eq!(runs(&host, container), old, "{container}");
        assert_eq!(id_of(&host, name), old, "{name}");
    }
    assert_eq!(host.sh("find /run/systemd/system -name '*no-pull*'"), "");
    assert_eq!(
        host.property("pulled.service", "NeedDaemonReload"),
        "no",
        "its pull is read again"
    );
    assert!(
        host.property("pulled.service", "ExecStartPre")
            .contains("pull"),
        "its next start pulls"
    );
    host.assert_does_nothing(&["drift", "--only", "unit"])
        .expect(0);
}

fn json(host: &Host, args: &[&str]) -> Value {
    let said = host.assert_does_nothing(args).expect(0).stdout;
    serde_json::from_str(&said).expect("JSON")
}

fn named<'v>(found: &'v Value, list: &str, key: &str, name: &str) -> &'v Value {
    let list = found[list].as_array().expect("a list");
    let one = list.iter().find(|one| one[key] == name);
    one.unwrap_or_else(|| panic!("no {name} in {list:?}"))
}

fn digest_of(host: &Host, image: &str) -> String {
    let digests = host.sh(&format!(
        "docker image inspect -f '{{{{join .RepoDigests \" \"}}}}' {image}"
    ));
    digests.rsplit('@').next().unwrap_or_default().to_owned()
}

/// All of them run an image, under names that lead to it, and the one that pulls does so at its next start.
#[track_caller]
fn assert_runs(host: &Host, pulled: &str, image: &str) {
    let id = id_of(host, image);
    for (name, container, port) in [
        (pulled, "pulled", 8101),
        ("here", "plain", 8102),
        ("here", "stacked", 8103),
    ] {
        assert_answers(host, port, image);
        assert_eq!(runs(host, container), id, "{container}");
        assert_eq!(id_of(host, name), id, "{name}");
    }
    assert_eq!(host.sh("find /run/systemd/system -name '*no-pull*'"), "");
    assert_eq!(host.property("pulled.service", "NeedDaemonReload"), "no");
    let pulls = host.property("pulled.service", "ExecStartPre");
    assert!(pulls.contains("pull"), "{pulls}");
}

/// Two units and a stack over tags that move: one pulls at each start, the image of the others was made on the host.
#[test]
fn generations_have_digests_and_a_roll_back_starts_what_ran() {
    let host = Host::with_images(&["app:1", "app:2"]);
    let registry = host.start_registry(5000, false);
    let pulled = format!("{registry}/pulled:latest");
    host.push_only("app:1", &pulled);
    host.sh("docker tag app:1 here");
    let unit_path = desired("systemd/plain.service");
    let stack = desired("compose/stacked/docker-compose.yml");
    // Whose container is well as long as a file is there.
    host.sh("mkdir /srv/ok; touch /srv/ok/well /srv/ok/other");
    let file = compose("pulled", &pulled, 8101, true)
        .replace("'CMD', 'true'", "'CMD', 'test', '-e', '/ok/well'")
        + "    volumes: ['/srv/ok:/ok:ro']\n";
    host.checkout(&[
        (&desired("systemd/pulled.service"), &unit(PULLED, true)),
        (PULLED, &file),
        (&stack, &compose("stacked", "here", 8103, true)),
        (&unit_path, &run("plain", "here", 8102, "1")),
    ]);
    host.apply(&[]).expect(0);
    let (one, two) = (id_of(&host, "app:1"), id_of(&host, "app:2"));
    let digest = digest_of(&host, &pulled);

    // What runs, by digest; an image that was made here has none.
    let status = host.assert_does_nothing(&["status"]).expect(0).stdout;
    for words in [
        format!("{pulled}@{}", &digest[..19]),
        format!("here (id {}, made or tagged here", &one[..19]),
    ] {
        assert!(status.contains(&words), "{words} is not in\n{status}");
    }
    let history = json(&host, &["history", "1", "--json"]);
    let run_one = &history["runs"][0];
    let on_record = named(run_one, "images", "container", "pulled");
    assert_eq!(on_record["digest"], *digest);
    assert_eq!(on_record["id"], *one);
    assert_eq!(on_record["unit"], "pulled.service");
    let on_record = named(run_one, "images", "container", "plain");
    assert_eq!(
        (&on_record["digest"], &on_record["id"]),
        (&Value::Null, &one.clone().into())
    );
    let said = host.tool(&["history", "1"]).expect(0).stdout;
    assert!(
        said.contains(&digest[..19]) && said.contains("made or tagged here"),
        "{said}"
    );

    // Both tags move, and the next generation runs what they are then.
    host.push_only("app:2", &pulled);
    host.sh(&format!("docker tag app:1 {pulled}; docker tag app:2 here"));
    let status = host.assert_does_nothing(&["status"]).expect(0).stdout;
    let words = format!(
        "plain: here is now another image on this host, {}",
        &two[..19]
    );
    assert!(status.contains(&words), "{words} is not in\n{status}");
    let found = json(&host, &["status", "--json"]);
    let plain = named(&found, "containers", "name", "plain");
    assert_eq!(
        (&plain["image_id"], &plain["newer_image_id"]),
        (&one.clone().into(), &two.clone().into())
    );
    let of_stack = compose("stacked", "here", 8103, true) + "    environment: {A: '2'}\n";
    let changed = compose("pulled", &pulled, 8101, true) + "    environment: {A: '2'}\n";
    host.commit(
        &[
            (PULLED, Some(&changed)),
            (&stack, Some(&of_stack)),
            (&unit_path, Some(&run("plain", "here", 8102, "2"))),
        ],
        "two",
    );
    host.apply(&[]).expect(0);
    assert_runs(&host, &pulled, "app:2");

    let plan = host
        .tool(&["plan", "--to-generation", "1"])
        .expect(0)
        .stdout;
    for words in [
        format!(
            "tag {pulled} as {} again  (what pulled.service ran in generation 1)",
            &digest[..19]
        ),
        format!(
            "tag here:latest as {} again  (what plain.service ran in generation 1)",
            &one[..19]
        ),
        "start pulled.service without pulling".to_owned(),
    ] {
        assert!(plan.contains(&words), "{words} is not in\n{plan}");
    }
    assert!(!plan.contains("pull 127"), "{plan}");
    // One that fails gives the names back, and units pull again.
    host.sh("rm /srv/ok/well");
    let failed = host.tool(&["rollback", "1", "--yes"]).expect(3).text();
    assert!(failed.contains("pulled is unhealthy"), "{failed}");
    assert_runs(&host, &pulled, "app:2");
    host.sh("touch /srv/ok/well");
    host.tool(&["rollback", "1", "--yes"]).expect(0);
    assert_runs(&host, &pulled, "app:1");

    // What is gone is said with what runs instead.
    host.sh(&format!("docker rmi app:2; docker rmi -f {two}"));
    let plan = host
        .tool(&["plan", "--to-generation", "2"])
        .expect(0)
        .stdout;
    let words = format!(
        "the image {} that it ran in generation 2 is not on this host any more: it starts with what here:latest is now",
        &two[..19]
    );
    assert!(plan.contains(&words), "{words} is not in\n{plan}");

    // A record of an earlier version has no images.
    let record = "/etc/watchme-apply/generations/2/desired.json";
    host.sh(&format!(
        "perl -0pi -e 's/,\\s*\"images\": \\[.*?\\n  \\]//s' {record}; tail -c 20 {record} | grep -q '^}}'; ! grep -q '\"digest\"' {record}"
    ));
    let said = host.tool(&["history", "2"]).expect(0).stdout;
    assert!(said.contains("no images on record"), "{said}");
    host.tool(&["plan", "--to-generation", "2"]).expect(0);
}
